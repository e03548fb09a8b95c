"""Stores answers on disk under the hash of their question, so that nothing is judged twice.

Renders are large and judgements small, so only judgements are stored. A stopped evaluation can continue, and
the audio is deleted as soon as it has been judged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from appliance.errors import BacklineError
from appliance.files.whole import write_whole

Question = Mapping[str, object]


class Store:
    """A folder of small JSON files. It may be deleted; several processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, question: Question, answer: Callable[[], object]) -> Any:
        """The stored answer to ``question``; if there is none, that of ``answer``, which is then stored.

        Raises:
            Refused: ``answer`` raised a BacklineError, now or when it was stored.
        """
        file = self._file(question)
        if not file.is_file():
            try:
                found = {"answer": answer()}
            except BacklineError as error:
                found = {"refused": str(error)}
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(file, json.dumps({"question": question, **found}).encode())
        stored = json.loads(file.read_text())
        if "refused" in stored:
            raise Refused(stored["refused"])
        return stored["answer"]

    def knows(self, question: Question) -> bool:
        """Whether the answer to ``question`` is stored."""
        return self._file(question).is_file()

    def _file(self, question: Question) -> Path:
        name = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
        return self.folder / f"{name[:40]}.json"


class Refused(BacklineError):
    """The question has no answer; the text is that of the first error."""
