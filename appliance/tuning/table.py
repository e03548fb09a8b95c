"""A plan for a person, as lines of a table."""

from __future__ import annotations

from appliance.tuning.profile import SAME_DB, Alternative, Plan


def plan_lines(plan: Plan) -> list[str]:
    """Graph, setting, milliseconds as shipped and here; under it what else was tried."""
    lines = []
    for name, graph in plan.graphs.items():
        if graph.unmeasured:
            lines.append(f"{name:<14} {graph.chosen!s:<22} not measured: {graph.unmeasured}")
            continue
        times = f"{graph.ms:.1f} ms" + (
            f", as shipped {graph.shipped_ms:.1f} ms" if _changed(plan, name) else ""
        )
        lines.append(f"{name:<14} {graph.chosen!s:<22} {times}")
        lines += [f"{'':<14} {_told(other)}" for other in graph.alternatives]
    return lines


def _changed(plan: Plan, name: str) -> bool:
    return any(not other.refused for other in plan.graphs[name].alternatives)


def _told(other: Alternative) -> str:
    ratio = "      " if other.ratio is None else f"{other.ratio:5.2f}x"
    if other.snr_db is None:
        agreement = ""
    else:
        agreement = "same bytes" if other.snr_db >= SAME_DB else f"{other.snr_db:.1f} dB"
    return f"{other.setting!s:<22} {ratio} {agreement:>10}  {other.refused or 'used'}".rstrip()


def plan_sentence(plan: Plan) -> str:
    """The plan in a sentence."""
    changed = [name for name in plan.graphs if _changed(plan, name)]
    what = f"{', '.join(changed)} differently than shipped" if changed else "everything as shipped"
    unmeasured = [name for name, graph in plan.graphs.items() if graph.unmeasured]
    without = f"; not measured: {', '.join(unmeasured)}" if unmeasured else ""
    return f"Plan {plan.sha256[:8]}, measured in {plan.seconds:.0f} s: {what}{without}."
