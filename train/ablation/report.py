"""The ablation as a section of the evaluation report: scale, tables and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from train.ablation.experiment import Outcome
from train.ablation.reliance import CHANGES, Losses
from train.ablation.scale import Scale
from train.ablation.variants import VARIANTS, Variant
from train.evaluate.evaluation import METRICS
from train.evaluate.measures.gap import BOOTSTRAP_RESAMPLES, BOOTSTRAP_SEED, Estimate, gap_difference
from train.evaluate.quick.note_judgement import NoteRow, compare_notes
from train.networks.denoiser import DenoiserConfig
from train.networks.generator import Generator

TITLE = "What each part of the design is worth"

RELIANCE = (
    "**How much a trained network uses the alignment.** The condition reaches the denoiser twice: added to "
    "the latent frame by frame at its input, where it is already aligned, and through the alignment "
    "attention. The table shows how much the loss on the windows above rises when one of the two is removed "
    "from a trained network, without retraining:"
)


def merged(outcomes: Sequence[Outcome]) -> Outcome:
    """Several trainings of one variant as one outcome, so that intervals are over songs.

    Losses are averaged window by window, scores song by song.
    """
    first = outcomes[0]
    rows = []
    for same in zip(*(o.judgement.rows for o in outcomes), strict=True):
        means = [float(np.mean([getattr(row, c) for row in same])) for c in ("ours", "shuffled", "true")]
        rows.append(NoteRow(same[0].song, same[0].metric, *means))
    densities = np.mean([o.judgement.notes_s for o in outcomes], axis=0)
    judgement = replace(first.judgement, rows=tuple(rows), notes_s=tuple(densities.tolist()))
    losses = np.mean([o.losses for o in outcomes], axis=0)
    return replace(first, losses=tuple(losses.tolist()), judgement=judgement)


def mean_difference(ours: Sequence[float], other: Sequence[float]) -> Estimate:
    """Mean difference window by window, with its 95 % bootstrap interval."""
    differences = np.subtract(ours, other)
    draws = np.random.default_rng(BOOTSTRAP_SEED).integers(
        0, len(differences), (BOOTSTRAP_RESAMPLES, len(differences))
    )
    low, high = np.percentile(differences[draws].mean(axis=1), (2.5, 97.5))
    return Estimate(float(differences.mean()), float(low), float(high), len(differences))


def as_section(
    outcomes: Sequence[Outcome],
    scale: Scale,
    kept: float | None = None,
    relied: Mapping[str, Losses] | None = None,
) -> dict[str, Any]:
    """``title``, ``markdown`` and ``rows``.

    ``kept`` is the share of variance that the recordings' latent explains; ``relied`` holds the losses of
    :mod:`train.ablation.reliance` by network.
    """
    found: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault((outcome.variant, outcome.condition), []).append(outcome)
    rows = [
        _row(variant, condition, found)
        for variant in VARIANTS
        for condition in variant.conditions
        if (variant.name, condition) in found
    ]
    corpus = [row for row in rows if not row["sung"]]
    sung = [row for row in rows if row["sung"]]
    parts = [_scale(scale, outcomes)]
    if corpus:
        parts += [_table(corpus), *_sentences(corpus), *_alignment(corpus)]
    if relied:
        parts += [RELIANCE, _relied(relied)]
    if sung:
        parts += [_sung(scale, kept), _table(sung), *_sentences(sung), *_robustness(found)]
    parts.append(_limits(found))
    return {"title": TITLE, "markdown": "\n\n".join(parts), "rows": rows}


def _row(variant: Variant, condition: str, found: dict[tuple[str, str], list[Outcome]]) -> dict[str, Any]:
    outcomes = found[variant.name, condition]
    one = merged(outcomes)
    row: dict[str, Any] = {
        "variant": variant.name,
        "title": variant.title,
        "condition": condition,
        "sung": variant.sung is not None,
        "trainings": len(outcomes),
        "loss": float(np.mean(one.losses)),
        "losses": [float(np.mean(o.losses)) for o in outcomes],
        "notes_s": float(np.mean(one.judgement.notes_s)),
        "arranged_notes_s": float(np.mean(one.judgement.arranged_notes_s)),
    }
    for metric in METRICS:
        row[metric] = _plain(one.judgement.gap_closed(metric))
        row[f"{metric}_by_training"] = [o.judgement.gap_closed(metric).value for o in outcomes]
    for name, key in (("against", (variant.against, condition)), ("against_clean", (variant.name, "clean"))):
        if key not in found or (name == "against_clean" and condition == "clean"):
            continue
        # Compare only seeds that both sides have, so that an extra seed on one side has no effect.
        seeds = {o.training for o in outcomes} & {o.training for o in found[key]}  # type: ignore[index]
        if not seeds:
            continue
        ours, other = (
            merged([o for o in group if o.training in seeds])
            for group in (outcomes, found[key])  # type: ignore[index]
        )
        row[name] = {
            "name": key[0] if name == "against" else "clean",
            "loss": _plain(mean_difference(ours.losses, other.losses)),
            **{m: _plain(compare_notes(ours.judgement, other.judgement, m)) for m in METRICS},
        }
    return row


def _plain(estimate: Estimate) -> dict[str, Any]:
    finite = {k: getattr(estimate, k) for k in ("value", "low", "high")}
    return {k: v if np.isfinite(v) else None for k, v in finite.items()} | {"n": estimate.n}


def _shown(estimate: dict[str, Any], digits: int = 2, signed: bool = False) -> str:
    if estimate["value"] is None:
        return "-"
    sign = "+" if signed else ""
    value, low, high = (f"{estimate[k]:{sign}.{digits}f}" for k in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        "| variant | trainings | validation loss | harmony | consonance | rhythm | notes/s |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        name = f"{row['title']}, {row['condition']}" if row["sung"] else row["title"]
        cells = [f"{row['loss']:.4f}", *(_shown(row[m]) for m in METRICS), f"{row['notes_s']:.1f}"]
        lines.append(f"| {name} | {row['trainings']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _sentences(rows: Sequence[dict[str, Any]]) -> list[str]:
    """One sentence per comparison: all differences, and which of them are clear of zero."""
    sentences = []
    for row in rows:
        for name in ("against", "against_clean"):
            if name not in row:
                continue
            difference = row[name]
            other = "the same, clean" if name == "against_clean" else _title(difference["name"])
            figures = [f"loss {_shown(difference['loss'], 4, signed=True)}"]
            figures += [f"{m} {_shown(difference[m], signed=True)}" for m in METRICS]
            clear = [m for m in ("loss", *METRICS) if _clear(difference[m])]
            verdict = f"clear of zero: {', '.join(clear)}" if clear else "nothing is clear of zero"
            sentences.append(
                f"*{row['title']}{', ' + row['condition'] if row['sung'] else ''}* minus *{other}*: "
                f"{'; '.join(figures)} ({verdict})."
            )
    return sentences


def _title(name: str) -> str:
    return next(v.title for v in VARIANTS if v.name == name)


def _clear(estimate: dict[str, Any]) -> bool:
    return estimate["value"] is not None and not estimate["low"] <= 0.0 <= estimate["high"]


def _scale(scale: Scale, outcomes: Sequence[Outcome]) -> str:
    small, full = (n / 1e6 for n in (outcomes[0].parameters, _parameters(DenoiserConfig())))
    network = scale.network
    return (
        f"The variants are small denoisers ({small:.1f} M parameters: {network.blocks} blocks, width "
        f"{network.width}; the full size has {full:.1f} M) that differ in one thing each. They are trained "
        f"for {scale.steps} steps of {scale.batch} windows of {scale.frames * 0.0929:.0f} s on "
        f"{scale.songs} songs. The appliance's composer hears the vocal alone; {scale.sampler_steps} steps, "
        f"guidance {scale.guidance:g}, style {scale.style}, {scale.takes} takes of each song. The notes of "
        f"{len(outcomes[0].judgement.coverage)} validation songs of 30 to 75 s are judged, which no variant "
        "has seen. Figures are the gap closed with 95 % bootstrap intervals over songs, averaged over the "
        f"trainings of a variant. The loss is the training loss over {scale.held_out} validation windows, "
        "the same for all variants with the same recordings. Differences are taken song by song and window "
        "by window, over the trainings that both sides have."
    )


def _alignment(rows: Sequence[dict[str, Any]]) -> list[str]:
    """One sentence on whether mixing two views beats each alone; nothing until both are measured."""
    alone = [row["against"] for row in rows if row["variant"] in ("local", "global") and "against" in row]
    if len(alone) < 2:
        return []
    gained = {m: 0.0 - max(difference[m]["value"] or 0.0 for difference in alone) for m in METRICS}
    clear = [m for m in METRICS if all((d[m]["high"] or 0.0) < 0.0 for d in alone)]
    figures = ", ".join(f"{m} {gained[m]:+.2f}" for m in METRICS)
    if clear:
        return [
            f"**Soft alignment** closes more of the gap than the better of its two views alone ({figures}). "
            f"The difference is clear of zero over songs in {' and '.join(clear)}."
        ]
    return [
        "**Soft alignment is not shown to help at this scale**: against the better of its two views alone it "
        f"gains {figures} of the gap, and no difference is clear of zero over songs."
    ]


def _robustness(found: dict[tuple[str, str], list[Outcome]]) -> list[str]:
    """How much more the recording's latent loses from clean to noisy than melodic features do."""
    keys = [(v, c) for v in ("recording", "melody") for c in ("noisy room", "clean")]
    if not all(key in found for key in keys):
        return []
    figures = []
    for metric in METRICS:
        rows = [merged(found[key]).judgement.of(metric) for key in keys]
        noisy, clean, melody_noisy, melody_clean = (np.array([r.ours for r in each]) for each in rows)
        shuffled, true = ([getattr(r, c) for r in rows[3]] for c in ("shuffled", "true"))
        lost = gap_difference(
            (noisy - clean).tolist(), (melody_noisy - melody_clean).tolist(), shuffled, true
        )
        figures.append(f"{metric} {_shown(_plain(lost), signed=True)}")
    return [
        "**Robustness**: from clean to the noisy room, latent of the recording minus melodic features: "
        f"{'; '.join(figures)}. Negative: the latent loses more."
    ]


def _relied(relied: Mapping[str, Losses]) -> str:
    lines = [f"| loss above that as trained | {' | '.join(relied)} |", "|---" * (1 + len(relied)) + "|"]
    for change in list(CHANGES)[1:]:
        cells = (
            _shown(_plain(mean_difference(r[change], r["as trained"])), 4, signed=True)
            for r in relied.values()
        )
        lines.append(f"| {change} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _parameters(config: DenoiserConfig) -> int:
    return sum(p.numel() for p in Generator(config).parameters())


def _sung(scale: Scale, kept: float | None) -> str:
    share = f" (they keep {100 * kept:.0f} % of its variance)" if kept is not None else ""
    return (
        "**Melodic features against a latent of the recording.** The published method conditions on an "
        "audio VAE's latent of the vocal. Here 64 principal components of the recording's log-mel spectrum "
        f"replace the 64 feature rows, at the same frame rate{share}. Both variants are trained on the same "
        f"{scale.sung_songs} synthesised songs, recorded clean, in their own keys, without plan and beats. "
        "They are judged on songs sung by voices that training did not have: clean, and in a room "
        "(reverberation 0.6 s, another microphone, babble at 15 dB and hum at 20 dB)."
    )


def _limits(found: dict[tuple[str, str], list[Outcome]]) -> str:
    repeated = [group for group in found.values() if len(group) > 1]
    spreads = {
        metric: max(
            float(np.ptp([o.judgement.gap_closed(metric).value for o in group])) for group in repeated
        )
        for metric in METRICS
        if repeated
    }
    apart = (
        "Two trainings of one variant that differ only in their seed lie up to "
        + ", ".join(f"{value:.2f} ({metric})" for metric, value in spreads.items())
        + " apart. Differences are taken seed by seed, from the same initial weights, which removes most of "
        "that. A small difference may still come from these seeds, whatever its interval over songs. "
        if spreads
        else "Each variant was trained once. How far two trainings of one variant lie apart is unknown, and "
        "intervals over songs do not include that uncertainty. "
    )
    return (
        "**What cannot be concluded.** "
        + apart
        + "The loss averages over everything in a latent, also timing and touch, and need not follow "
        "harmony. Networks this small are far from converged after so few steps. What helps them need "
        "not help the full size, and what does not help them may help it. Both views of soft alignment "
        "share one projection of keys, values and queries, so the variants have equal numbers of weights "
        "and operations. Principal components are a poorer latent than that of a trained audio VAE, so "
        "the comparison with the recording is one of principle, not of the published system."
    )
