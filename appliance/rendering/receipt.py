"""The receipt: a JSON file beside the results that records what was heard, chosen and written.

``chart_text`` can be edited and given with ``--chords``. The same vocal, pack, options and seed give the same
music.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from appliance.audio.high_pass import HIGH_PASS_HZ
from appliance.composing.chosen_harmony import variety_of
from appliance.composing.reading import Reading
from appliance.composing.takes import Take
from appliance.composing.wishes import Wishes
from appliance.music.beat_file import beats_text
from appliance.music.beat_grid import trusted
from appliance.music.chord_chart import chart_text
from appliance.music.keys import Key
from appliance.music.rhythm_plan import rhythm_text
from appliance.music.transposition import transposed_chart
from appliance.rendering.engine import Engine
from appliance.rendering.job import HeardVocal, Levels, PlayedTake, RenderJob
from appliance.rendering.sound_files import has_mix
from appliance.system.mathematics import math_library
from appliance.vocal.tuning import REFERENCE_HZ

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Receipt:
    """``facts`` is the content of the file; the properties are for the command's table."""

    facts: dict[str, Any]

    def write(self, path: Path) -> None:
        """Write the JSON file. Raises OSError."""
        path.write_text(json.dumps(self.facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    @property
    def key(self) -> str:
        """The name of the key, with a question mark if it is uncertain."""
        key = self.facts["key"]
        return f"{key['name']}{'' if key['given'] or key['confidence'] >= 0.5 else ' ?'}"

    @property
    def tempo(self) -> str:
        """The tempi in beats per minute, or a dash if the beats are not trusted."""
        tempo = self.facts["tempo"]
        return " → ".join(f"{bpm:.1f}" for _, bpm in tempo["tempi"]) if tempo["trusted"] else "—"

    @property
    def remarks(self) -> list[str]:
        """What the user should know of how vocal and wishes were understood, in sentences."""
        return list(self.facts["remarks"])

    @property
    def fit(self) -> str:
        """The fit score, marked if it is low, or a dash if the pack has no fit network."""
        fit = self.facts["fit"]
        return "—" if fit is None else f"{fit['score']:.2f}{' low' if fit['low'] else ''}"


def make_receipt(
    engine: Engine, job: RenderJob, vocal: HeardVocal, take: Take, played: PlayedTake, version: str
) -> Receipt:
    """The receipt of ``take`` of ``job``. ``version`` is that of Backline.

    ``profile`` in it is the hash of the profile in use, None for the shipped settings. ``redo`` is None; the
    receipt of a redone take says there what was redone (:mod:`appliance.rendering.redo.redo`).
    """
    info = vocal.info if job.original is None else job.original
    pack, wishes, reading = engine.pack, job.wishes, take.reading
    grid, transpose = reading.grid, wishes.transpose
    chart = transposed_chart(reading.chart, reading.key, transpose)
    total_s = sum(played.timings_s.values())
    return Receipt(
        {
            "schema": SCHEMA,
            "backline": version,
            "job": job.key,
            "vocal": {
                "name": info.path.name,
                "place": None if job.original else _place(job.vocal, job.out),
                "sha256": info.sha256,
                "duration_s": round(info.duration_s, 6),
                "rate_hz": info.rate_hz,
                "channels": info.channels,
                "sung_s": round(vocal.sung_s, 2),
                "damaged": [[round(second, 3), round(seconds, 3)] for second, seconds in info.lost],
                "company": round(vocal.company, 3),
                "sung_lufs": round(vocal.level.lufs, 2) if math.isfinite(vocal.level.lufs) else None,
                "only_side": vocal.info.defects.only_side,
                "high_pass_hz": HIGH_PASS_HZ if vocal.info.defects.high_pass else None,
                "outbursts": [[round(o.start_s, 3), round(o.over_db, 1)] for o in vocal.level.outbursts],
            },
            "pack": {
                "name": pack.manifest.name,
                "version": pack.manifest.version,
                "sha256": pack.sha256,
                "ledger_rows_sha256": pack.manifest.ledger_rows_sha256,
            },
            "profile": None if engine.profile is None else engine.profile.sha256,
            "mathematics": math_library(),
            "asked": _asked(wishes),
            "seed": take.seed,
            "take": played.number,
            "takes": wishes.takes,
            "style": wishes.style,
            "variety": variety_of(engine.graphs, wishes.variety),
            **(take.dials.to_json() if take.dials else {"dials": None, "sections": []}),
            "like": wishes.like_name or None,
            "sound": wishes.sound,
            "key": {
                "name": reading.key.transposed(transpose).name,
                "confidence": round(reading.key_confidence, 3),
                "given": wishes.key is not None,
            },
            "transposed": _transposed(reading, transpose) if transpose else None,
            "tuning": {
                "reference_hz": round(REFERENCE_HZ * 2.0 ** (vocal.band_cents / 1200.0), 2),
                "cents": round(vocal.band_cents, 1),
                "singer_cents": round(vocal.tuning.cents, 1),
                "clarity": round(vocal.tuning.clarity, 3),
                "drift_cents": round(vocal.tuning.drift_cents, 1),
                "given": wishes.tuning != "singer",
            },
            "tempo": {
                "bpm": round(grid.bpm, 2),
                "meter": grid.meter,
                "signature": "{}/{}".format(*grid.signature),
                "meter_confidence": round(grid.meter_confidence, 3),
                "tempi": [[round(start_s, 3), round(bpm, 2)] for start_s, bpm in grid.tempi],
                "confidence": round(grid.confidence, 3),
                "trusted": trusted(grid),
                "given": wishes.bpm is not None or wishes.beats is not None,
                "counted": "half" if wishes.half_time else "double" if wishes.double_time else None,
            },
            "beats_s": list(grid.beats_s),
            "downbeats": list(grid.downbeats),
            "beats_text": beats_text(grid),
            "chart": [[round(c.start_s, 3), round(c.end_s, 3), c.label] for c in chart],
            "chart_text": chart_text(chart),
            "chart_given": wishes.chords is not None,
            "rhythm_text": rhythm_text(reading.rhythm),
            "rhythm_given": wishes.rhythm is not None,
            "remarks": [
                *vocal.remarks,
                *reading.remarks,
                *wishes.like_remarks,
                *_remarks_on_transposing(reading.key, wishes),
                *([take.originality.sentence] if take.originality and take.copied else []),
            ],
            "groups": list(take.score.groups()),
            "fit": None if take.fit is None else take.fit.to_json(take.retried),
            "originality": None if take.originality is None else take.originality.to_json(take.withheld),
            "diversity": None if take.diversity is None else round(take.diversity, 3),
            "loudness_lufs": round(played.levels.loudness.integrated_lufs, 2),
            "true_peak_dbtp": round(played.levels.loudness.true_peak_dbtp, 2),
            "levels": _levels(played.levels),
            "samples": info.output_samples,
            "files": played.files,
            "redo": None,
            "timings_s": {stage: round(seconds, 3) for stage, seconds in played.timings_s.items()},
            "real_time_factor": round(total_s / info.duration_s, 4),
        }
    )


def _asked(wishes: Wishes) -> dict[str, Any]:
    """What was asked for, but for the texts of chart, beats and rhythm, whose content stands elsewhere."""
    texts = {"chords", "beats", "rhythm"}
    texts |= {f"{name}_name" for name in texts}
    return wishes.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True, exclude=texts)


def _place(vocal: Path, out: Path) -> str | None:
    """The path of the vocal from the folder of the receipt, so that both may move together.

    None if a name in it cannot be written as text.
    """
    place = os.path.relpath(vocal.resolve(), out.resolve())
    try:
        place.encode()
    except UnicodeEncodeError:
        return None
    return place


def _transposed(reading: Reading, semitones: int) -> dict[str, Any]:
    """What the singer sings, where the band plays in another key."""
    return {
        "semitones": semitones,
        "sung_key": reading.key.name,
        "sung_chart_text": chart_text(reading.chart),
    }


def _remarks_on_transposing(sung: Key, wishes: Wishes) -> list[str]:
    if has_mix(wishes):
        return []
    up = wishes.transpose
    far = f"{abs(up)} semitone{'s' if abs(up) > 1 else ''} {'higher' if up > 0 else 'lower'}"
    return [
        f"The band plays {far} than what is sung, in {sung.transposed(up).name} instead of {sung.name}; "
        "there is no mix, because the voice would be in another key."
    ]


def _levels(levels: Levels) -> dict[str, Any]:
    """The gains of the accompaniment and of the mix, which a redo keeps."""
    return {
        "band": asdict(levels.band),
        "voice_db": levels.voice_db,
        "mix": levels.mix and asdict(levels.mix),
    }
