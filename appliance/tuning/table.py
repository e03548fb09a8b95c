"""Print a profile as a table and as a sentence."""

from __future__ import annotations

from appliance.tuning.profile import SAME_DB, Alternative, Profile


def profile_lines(profile: Profile) -> list[str]:
    """For each graph a line with setting and milliseconds, then a line for each alternative."""
    lines = []
    for name, graph in profile.graphs.items():
        if graph.unmeasured:
            lines.append(f"{name:<14} {graph.chosen!s:<22} not measured: {graph.unmeasured}")
            continue
        times = f"{graph.ms:.1f} ms" + (
            f", shipped {graph.shipped_ms:.1f} ms" if _changed(profile, name) else ""
        )
        lines.append(f"{name:<14} {graph.chosen!s:<22} {times}")
        lines += [f"{'':<14} {_line(other)}" for other in graph.alternatives]
    return lines


def _changed(profile: Profile, name: str) -> bool:
    return any(not other.refused for other in profile.graphs[name].alternatives)


def _line(other: Alternative) -> str:
    ratio = "      " if other.ratio is None else f"{other.ratio:5.2f}x"
    if other.snr_db is None:
        agreement = ""
    else:
        agreement = "same bytes" if other.snr_db >= SAME_DB else f"{other.snr_db:.1f} dB"
    return f"{other.setting!s:<22} {ratio} {agreement:>10}  {other.refused or 'used'}".rstrip()


def profile_sentence(profile: Profile) -> str:
    """A sentence that names the graphs whose setting differs from the shipped one."""
    changed = [name for name in profile.graphs if _changed(profile, name)]
    what = f"new settings for {', '.join(changed)}" if changed else "shipped settings for all graphs"
    unmeasured = [name for name, graph in profile.graphs.items() if graph.unmeasured]
    without = f"; not measured: {', '.join(unmeasured)}" if unmeasured else ""
    return f"Profile {profile.sha256[:8]}, measured in {profile.seconds:.0f} s: {what}{without}."
