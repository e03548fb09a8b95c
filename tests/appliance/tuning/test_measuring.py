"""Tuning: which settings are chosen or rejected, and the time budget."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.made_up_bench import KEY, MadeUpBench

from appliance.networks.setting import GraphSetting
from appliance.tuning.choice import Measurement, choose, snr_db
from appliance.tuning.measuring import candidates, tune
from appliance.tuning.profile import SAME_DB, Profile
from appliance.tuning.table import profile_lines, profile_sentence

SHIPPED = GraphSetting(threads=4)
HALF = GraphSetting(threads=2)
BF16 = GraphSetting(precision="bf16", threads=4)


def measured(setting: GraphSetting, *times_s: float, snr_db: float | None = SAME_DB) -> Measurement:
    return Measurement(setting, times_s, snr_db)


def profile_of(bench: MadeUpBench, budget_s: float = 60.0) -> Profile:
    return list(tune(KEY, bench, budget_s, bench.clock))[-1]


def refusals(profile: Profile, graph: str = "denoiser") -> dict[str, str]:
    return {str(other.setting): other.refused for other in profile.graphs[graph].alternatives}


def test_the_fastest_that_agrees_is_chosen() -> None:
    found = choose(
        measured(SHIPPED, 3.0, 3.0, 3.0),
        [measured(HALF, 2.0, 2.0, 2.0), measured(BF16, 1.0, 1.0, 1.0, snr_db=45.0)],
    )
    assert found.chosen == BF16 and found.ms == 1000 and found.shipped_ms == 3000
    assert [(other.ratio, other.refused) for other in found.alternatives] == [
        (1.5, "another setting is better"),
        (3.0, ""),
    ]


@pytest.mark.parametrize("snr", [39.9, 25.0, -SAME_DB])
def test_what_does_not_agree_is_never_chosen_however_fast(snr: float) -> None:
    found = choose(measured(SHIPPED, 3.0, 3.0, 3.0), [measured(BF16, 0.1, 0.1, 0.1, snr_db=snr)])
    assert found.chosen == SHIPPED and found.ms == 3000
    (other,) = found.alternatives
    assert f"{snr:.1f} dB" in other.refused and other.ratio == pytest.approx(30)


def test_other_bytes_must_be_worth_it() -> None:
    same, other = measured(HALF, 1.0, 1.0, 1.0), measured(BF16, 0.98, 0.98, 0.98, snr_db=60.0)
    assert choose(measured(SHIPPED, 2.0, 2.0, 2.0), [same, other]).chosen == HALF
    other = measured(BF16, 0.8, 0.8, 0.8, snr_db=60.0)
    assert choose(measured(SHIPPED, 2.0, 2.0, 2.0), [same, other]).chosen == BF16


@pytest.mark.parametrize(
    ("times_s", "reason"),
    [
        ((0.96, 0.96, 0.96, 0.96), "not faster"),
        ((0.5, 1.1, 1.2, 0.5), "not reliably faster"),
        ((0.5, 0.5), "no time was left"),
        ((), "no time was left"),
    ],
)
def test_a_gain_that_may_be_chance_is_none(times_s: tuple[float, ...], reason: str) -> None:
    found = choose(measured(SHIPPED, 1.0, 1.0, 1.0, 1.0), [measured(HALF, *times_s)])
    assert found.chosen == SHIPPED and found.alternatives[0].refused == reason


def test_ratios_compare_the_same_round() -> None:
    """A computer that is four times slower in some rounds changes nothing; separate medians would differ."""
    slow = [4.0, 1.0, 1.0, 4.0, 1.0]
    found = choose(
        measured(SHIPPED, *(1.2 * s for s in slow)),
        [measured(HALF, *slow)],
    )
    assert found.chosen == HALF and found.alternatives[0].ratio == pytest.approx(1.2)


def test_agreement_is_signal_over_difference() -> None:
    ones = np.ones(100, np.float32)
    assert snr_db(ones, ones) == SAME_DB
    assert snr_db(ones, ones * np.float32(1.01)) == pytest.approx(40.0, abs=0.01)
    assert snr_db(ones, np.append(ones, 1.0).astype(np.float32)) == -SAME_DB
    assert snr_db(ones, ones * np.float32(math.nan)) == -SAME_DB
    assert snr_db(0 * ones, ones) == -SAME_DB


def test_what_is_tried() -> None:
    told = [str(setting) for setting in candidates(6, ("bf16", "f32"))]
    assert told == [
        "shipped, 6 threads",
        "shipped, 3 threads",
        "shipped, 1 thread",
        "bf16, 6 threads",
        "f32, 6 threads",
    ]
    assert candidates(1, ()) == [GraphSetting(threads=1)]


def test_rounds_take_each_setting_and_every_other_goes_backwards() -> None:
    bench = MadeUpBench(costs_s={"shipped, 2 threads": 0.5})
    profile = profile_of(bench)
    rounds = bench.evaluated[6:12]  # after two draws of each of three settings
    assert rounds == [
        *(order := ["shipped, 4 threads", "shipped, 2 threads", "shipped, 1 thread"]),
        *order[::-1],
    ]
    assert profile.finished and profile.settings == {"denoiser": HALF}


def test_an_output_that_differs_is_refused_with_how_much() -> None:
    costs, errors = {"f32, 4 threads": 0.1, "bf16, 4 threads": 0.2}, {"f32, 4 threads": 0.05}
    bench = MadeUpBench(offered=("bf16", "f32"), costs_s=costs, errors={**errors, "bf16, 4 threads": 0.001})
    profile = profile_of(bench)
    assert profile.settings["denoiser"] == BF16
    assert refusals(profile)["f32, 4 threads"] == "its output has 26.0 dB SNR, and 40 dB are required"


def test_what_does_not_compile_is_passed_by() -> None:
    profile = profile_of(MadeUpBench(broken=("shipped, 2 threads",)))
    assert refusals(profile)["shipped, 2 threads"] == "it does not run on this CPU: no kernel for it"
    assert profile.settings["denoiser"] == SHIPPED
    nothing = profile_of(MadeUpBench(broken=("shipped, 4 threads",)))
    assert "no kernel" in nothing.graphs["denoiser"].unmeasured
    assert nothing.settings["denoiser"] == SHIPPED


@pytest.mark.parametrize("broken", [(), ("f32, 1 thread",)])
def test_a_graph_with_one_way_of_computing_is_measured_too(broken: tuple[str, ...]) -> None:
    """With one core and no other precision there is nothing to choose, but the graph is still timed."""
    key = KEY.model_copy(update={"threads": 1})
    bench = MadeUpBench(("planner", "denoiser"), offered=("f32",) if broken else (), broken=broken)
    last = list(tune(key, bench, 60.0, bench.clock))[-1]
    assert last.finished
    assert [(graph.ms, graph.unmeasured) for graph in last.graphs.values()] == [(1000.0, "")] * 2


@pytest.mark.parametrize("budget_s", [0.5, 5.0, 12.0, 20.0, 60.0, 200.0])
def test_the_budget_is_kept_and_what_was_found_counts(budget_s: float) -> None:
    graphs = ("denoiser", "vae_decoder", "planner")
    bench = MadeUpBench(graphs, offered=("f32",), costs_s={"shipped, 2 threads": 0.2})
    began_s = bench.now_s
    profile = profile_of(bench, budget_s)
    # The first compilation of a graph begins without an estimate of its time: 2 s and two draws of 1 s.
    assert bench.now_s - began_s <= budget_s + len(graphs) * 4.0
    assert set(profile.graphs) == set(graphs)
    assert profile.finished == (budget_s >= 60.0)
    assert profile.seconds == pytest.approx(bench.now_s - began_s, abs=0.1)
    assert (profile.settings["denoiser"] == HALF) == (budget_s >= 60.0)


def test_what_was_too_much_for_one_time_is_measured_another_time() -> None:
    graphs = ("denoiser", "vae_decoder", "planner")
    bench = MadeUpBench(graphs, offered=("f32",), costs_s={"shipped, 2 threads": 0.2})
    first = profile_of(bench, 30.0)
    missing = [name for name, graph in first.graphs.items() if graph.unmeasured]
    assert missing and missing != list(graphs) and not first.finished
    bench.compiled.clear()
    second = list(tune(KEY, bench, 200.0, bench.clock, first))[-1]
    assert {graph for graph, _ in bench.compiled} == set(missing)
    assert second.finished and second.tries == 2
    assert all(second.graphs[name] == first.graphs[name] for name in graphs if name not in missing)


def test_time_between_the_pieces_does_not_count() -> None:
    bench = MadeUpBench(costs_s={"shipped, 2 threads": 0.5})
    profile = None
    for profile in tune(KEY, bench, 60.0, bench.clock):  # noqa: B007
        bench.now_s += 1000.0  # a job
    assert profile is not None
    assert profile.settings["denoiser"] == HALF and profile.seconds < 60


def test_there_is_a_profile_after_every_piece() -> None:
    bench = MadeUpBench(("denoiser", "planner"), costs_s={"shipped, 2 threads": 0.5})
    profiles = list(tune(KEY, bench, 100.0, bench.clock))
    assert [profile.finished for profile in profiles] == [False] * (len(profiles) - 1) + [True]
    assert sorted({len(profile.graphs) for profile in profiles}) == [0, 1, 2]


def test_the_same_choices_have_the_same_name() -> None:
    quick, slow = (
        MadeUpBench(costs_s={"shipped, 2 threads": 0.5}),
        MadeUpBench(costs_s={"shipped, 2 threads": 0.4}, compiling_s=3.0),
    )
    assert profile_of(quick).sha256 == profile_of(slow).sha256
    assert profile_of(quick) != profile_of(slow)
    assert profile_of(MadeUpBench()).sha256 != profile_of(quick).sha256


def test_a_person_is_told() -> None:
    bench = MadeUpBench(offered=("f32",), costs_s={"shipped, 2 threads": 0.5}, errors={"f32, 4 threads": 0.1})
    profile = profile_of(bench)
    text = "\n".join([profile_sentence(profile), *profile_lines(profile)])
    assert "new settings for denoiser" in text and profile.sha256[:8] in text
    assert "500.0 ms, shipped 1000.0 ms" in text
    assert "2.00x same bytes  used" in text
    assert "20.0 dB  its output has 20.0 dB SNR" in text
