"""A render in small: every file that a render publishes, with a word in it."""

from __future__ import annotations

from pathlib import Path

from appliance.rendering.publication import RESULT_ENDINGS, STEM_ENDINGS, STEMS_FOLDER, Publication


def render(out: Path, name: str = "take", text: str = "new", stems: tuple[str, ...] = STEM_ENDINGS) -> str:
    """A render in small: every file holds ``text``."""
    with Publication(out, name, overwrite=text == "over") as publication:
        for ending in stems:
            publication.path(ending, folder=STEMS_FOLDER).write_text(text)
        for ending in RESULT_ENDINGS:
            publication.path(ending).write_text(text)
        assert not [p for p in tree(out) if not p.startswith(".") and text in (out / p).read_text()]
        return publication.name


def tree(folder: Path) -> list[str]:
    """Every file below ``folder``, hidden ones included."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
