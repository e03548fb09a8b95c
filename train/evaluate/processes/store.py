"""Answers on disk, named by the hash of their question: what was once judged is never judged again.

Renders are large and judgements are small, so the judgements are what is kept: an evaluation that was
stopped goes on where it was, and the sound is gone as soon as it has been heard.
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
    """A folder of small JSON files, safe to delete; several processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, question: Question, answer: Callable[[], object]) -> Any:
        """The stored answer to ``question``, or that of ``answer``, which is then stored.

        A :class:`~appliance.errors.BacklineError` is an answer as well: a vocal that is refused is
        refused again. It is raised as :class:`Refused`.
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
        """Whether ``question`` was answered before."""
        return self._file(question).is_file()

    def _file(self, question: Question) -> Path:
        name = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
        return self.folder / f"{name[:40]}.json"


class Refused(BacklineError):
    """What was asked for cannot be had; the text is the one of the first refusal."""
