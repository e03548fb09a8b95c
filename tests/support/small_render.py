"""A small render: publishes every file of a render, with a word as its content."""

from __future__ import annotations

from pathlib import Path

from appliance.rendering.publication import RESULT_ENDINGS, STEM_ENDINGS, STEMS_FOLDER, Publication


def render(out: Path, name: str = "take", text: str = "new", stems: tuple[str, ...] = STEM_ENDINGS) -> str:
    """Publish a render whose files contain ``text``; returns the name that it got."""
    with Publication(out, name, overwrite=text == "over") as publication:
        for ending in stems:
            publication.path(ending, folder=STEMS_FOLDER).write_text(text)
        for ending in RESULT_ENDINGS:
            publication.path(ending).write_text(text)
        assert not [p for p in tree(out) if not p.startswith(".") and text in (out / p).read_text()]
        return publication.name


def tree(folder: Path) -> list[str]:
    """The paths of all files below ``folder``, including hidden ones."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def whole(name: str) -> list[str]:
    """The paths of all files of the render ``name``."""
    results = [f"{name}.{e}" for e in RESULT_ENDINGS]
    return sorted([*results, *(f"{STEMS_FOLDER}/{name}.{e}" for e in STEM_ENDINGS)])
