"""Writes the report from stored facts: promises first, then the sections.

Other commands (control, ablation, sound) leave sections as ``NAME.json`` files with ``title`` and
``markdown`` in the report's folder. They are embedded at the end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance.files.whole import write_whole
from train.evaluate.sections.promises import as_table, promises
from train.evaluate.sections.section import Facts, Section

PAGE = "evaluation.md"
DATA = "evaluation.json"


def write_page(
    about: Mapping[str, Any], sections: Sequence[Section], measured: Mapping[str, Facts], folder: Path
) -> Path:
    """Write ``evaluation.md``, ``evaluation.json`` and a PNG for each section that draws; returns the page.

    ``about`` has the facts of the evaluation: ``pack``, ``identity``, ``split``, ``songs``, ``style``,
    ``seed``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = promises(measured)
    parts = [f"# Evaluation of {about['pack']}", _introduction(about), "## Promises", as_table(kept)]
    for section in sections:
        if section.name not in measured:
            continue
        parts += [f"## {section.title}", section.describe(measured[section.name])]
        if section.draw is not None:
            picture = folder / f"evaluation-{section.name}.png"
            section.draw(measured[section.name], picture)
            parts.append(f"![{section.title}]({picture.name})")
    others = embedded(folder)
    for other in others.values():
        parts += [f"## {other['title']}", other["markdown"].strip()]
    stored = {
        "about": dict(about),
        "promises": [
            {"what": p.what, "asked": p.asked, "measured": p.measured, "kept": p.kept} for p in kept
        ],
        "sections": dict(measured),
        "embedded": others,
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / DATA, json.dumps(stored, indent=1, allow_nan=False).encode() + b"\n")
    page = folder / PAGE
    write_whole(page, "\n\n".join(parts).encode() + b"\n")
    return page


def embedded(folder: Path) -> dict[str, Any]:
    """Sections of other commands in the folder, by name: JSON objects with ``title`` and ``markdown``."""
    found = {}
    for file in sorted(folder.glob("*.json")):
        if file.name == DATA:
            continue
        try:
            stored = json.loads(file.read_text())
        except ValueError:
            continue  # not one of ours
        if isinstance(stored, dict) and {"title", "markdown"} <= stored.keys():
            found[file.stem] = stored
    return found


def _introduction(about: Mapping[str, Any]) -> str:
    return (
        f"Pack `{about['pack']}`, networks and soundfont `{about['identity'][:12]}`; songs of the "
        f"{about['split']} split; style {about['style']} unless stated otherwise; seed {about['seed']}. The "
        "renderer gets the vocal only. `python -m train evaluate` writes this page; all figures are in "
        f"[{DATA}]({DATA})."
    )
