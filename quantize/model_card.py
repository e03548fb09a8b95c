"""Writes MODEL_CARD.md: what a pack is, and how it was made from what. All figures are recorded facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.music.score import STYLE_GROUPS
from appliance.packs.manifest import Manifest
from quantize.report import GraphReport, introduction, table

CARD_NAME = "MODEL_CARD.md"

_HEADINGS = {"data": "Data", "hardware": "Hardware", "training": "Training", "limits": "Limits"}
"""Facts of a checkpoint in the order of the card, with their headings; others follow under their own
names."""

_NOT_FOR_READERS = frozenset({"schema"})


def model_card(
    manifest: Manifest, facts: Mapping[str, Any], precision: str, graphs: Mapping[str, GraphReport]
) -> str:
    """The card as Markdown; ``facts`` are those of the checkpoint that the manifest lacks."""
    parameters = sum(graph.parameters for graph in graphs.values())
    sampler = manifest.sampler
    parts = [
        f"# {manifest.name} {manifest.version}",
        "A pack for Backline. It listens to a solo vocal and writes the notes of an accompaniment; the "
        f"soundfont `{manifest.soundfont}` plays them. {parameters:,} parameters. Styles: "
        f"{', '.join(manifest.styles)}.",
        *_facts(facts),
        "## Styles",
        "\n".join(_styles(manifest)),
        "An excerpt of each is `demo/styles/NAME.mp3` in the project.",
        "## Sampling",
        f"Rectified flow: {sampler.steps} steps, shift {sampler.shift:g}, guidance {sampler.guidance:g}. "
        f"Windows of {sampler.window_frames} latent frames, of which the first {sampler.context_frames} are "
        "the end of the window before.",
        "## Graphs",
        introduction(precision),
        table(graphs),
        "## Licence",
        f"Weights: {manifest.licence}. The soundfont has its own licence, in the file beside it.",
        "## Origin",
        f"Checkpoint `{manifest.checkpoint_sha256}`, trained on the ledger rows "
        f"`{manifest.ledger_rows_sha256}` (both SHA-256).",
    ]
    return "\n\n".join(parts) + "\n"


def _styles(manifest: Manifest) -> Iterator[str]:
    """A Markdown table of the instruments in each style."""
    yield "| style | plays |"
    yield "|---|---|"
    for style in manifest.styles:
        sounds = manifest.sounds[style]
        yield f"| {style} | {', '.join(sounds[group].name.lower() for group in STYLE_GROUPS[style])} |"


def _facts(facts: Mapping[str, Any]) -> Iterator[str]:
    others = sorted(facts.keys() - _HEADINGS.keys() - _NOT_FOR_READERS)
    for key in (*_HEADINGS, *others):
        if key in facts:
            yield f"## {_HEADINGS.get(key, _words(key))}"
            yield "\n".join(_lines(facts[key]))


def _lines(value: Any, indent: str = "") -> Iterator[str]:
    """Nested facts as a nested Markdown list; a plain value as a paragraph."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, Mapping):
                yield f"{indent}- {_words(key)}:"
                yield from _lines(inner, indent + "  ")
            elif isinstance(inner, list):
                yield f"{indent}- {_words(key)}: {', '.join(_plain(x) for x in inner)}"
            else:
                yield f"{indent}- {_words(key)}: {_plain(inner)}"
    elif isinstance(value, list):
        yield from (f"{indent}- {_plain(x)}" for x in value)
    else:
        yield _plain(value)


def _words(key: str) -> str:
    text = key.replace("_", " ")
    return text[:1].upper() + text[1:]


def _plain(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)
