"""The page that links excerpts and the picture of the takes; it is generated, like the excerpts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Heard:
    """An excerpt: its sound file, its name in the page, and what there is to say about it."""

    file: Path
    name: str
    about: str


def page_text(
    page: Path,
    pack: str,
    vocal: Path,
    styles: Sequence[Heard],
    takes: Sequence[Heard],
    style: str,
    picture: Path,
) -> str:
    """The text of ``page``: links are relative to its folder."""

    def link(file: Path) -> str:
        return Path(os.path.relpath(file.resolve(), page.parent.resolve())).as_posix()

    def rows(excerpts: Sequence[Heard]) -> list[str]:
        return [f"| [{heard.name}]({link(heard.file)}) | {heard.about} |" for heard in excerpts]

    return "\n".join(
        [
            "# Listen",
            "",
            f"One vocal, [{vocal.name}]({link(vocal)}), accompanied by the pack `{pack}`. Nothing but the",
            "vocal was given. Each file is an excerpt of the mix of voice and band, from the bar in which",
            "the singing begins.",
            "",
            "## Styles",
            "",
            "| style | instruments |",
            "|---|---|",
            *rows(styles),
            "",
            "## Three takes",
            "",
            f"From `backline render {vocal.name} --style {style} --takes {len(takes)}`; take 1 fits best.",
            "",
            "| take | seed and fit |",
            "|---|---|",
            *rows(takes),
            "",
            f"![Three takes of one vocal, side by side]({link(picture)})",
            "",
            "The same takes as piano rolls. The thin black notes are the singer's.",
            "",
            "## Making this page",
            "",
            "```sh",
            ".venv/bin/python -m train listen packs/reference",
            "```",
            "",
        ]
    )
