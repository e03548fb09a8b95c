"""``python -m bench.publish FOLDER``: copies the results of a run from FOLDER into ``bench/README.md``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.plots import draw
from bench.report import text

HERE = Path(__file__).resolve().parent
MARK = "<!-- Below: written by python -m bench.publish -->"


def publish(folder: Path, page: Path) -> None:
    """Replace the text below MARK in ``page``; figures and pictures go into ``results`` beside it.

    Raises:
        ValueError: ``page`` has no MARK.
    """
    head, mark, _ = page.read_text().partition(MARK)
    if not mark:
        raise ValueError(f"{page}: has no line {MARK}; add it where the results belong")
    found = json.loads((folder / "bench.json").read_text())
    results = page.parent / "results"
    results.mkdir(exist_ok=True)
    (results / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    pictures = [f"results/{name}" for name in draw(found, results, found["settings"]["short_s"])]
    page.write_text(f"{head}{MARK}\n\n{text(found, pictures)}")


if __name__ == "__main__":
    publish(Path(sys.argv[1]), HERE / "README.md")
