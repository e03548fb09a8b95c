"""The ablation from training to report with tiny networks, and its parts on cases worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.tiny_cache import write_tiny_cache
from support.tiny_checkpoint import DENOISER, PLANNER, VAE

torch = pytest.importorskip("torch")

from appliance.errors import UsageError  # noqa: E402
from appliance.grid import SAMPLE_RATE_HZ  # noqa: E402
from appliance.networks.condition_rows import FIRST_CONDITION_ROWS  # noqa: E402
from train.ablation import recordings  # noqa: E402
from train.ablation.experiment import Laboratory, Outcome, held_out_losses, without_plan  # noqa: E402
from train.ablation.reliance import CHANGES, reliance  # noqa: E402
from train.ablation.report import as_section, mean_difference, merged  # noqa: E402
from train.ablation.run import SECTION, jobs, run, stored_outcomes  # noqa: E402
from train.ablation.scale import Scale  # noqa: E402
from train.ablation.sources import Sources, choose  # noqa: E402
from train.ablation.spectrum import BANDS, fit_components, mel_bank, mel_spectrum  # noqa: E402
from train.ablation.variants import VARIANTS, variant  # noqa: E402
from train.evaluate.quick.note_judgement import NoteJudgement, NoteRow  # noqa: E402
from train.networks.generator import Generator  # noqa: E402
from train.networks.planner import Planner  # noqa: E402
from train.networks.vae import ScoreVae  # noqa: E402

SCALE = Scale(
    network=DENOISER,
    steps=2,
    batch=2,
    frames=32,
    songs=2,
    sung_songs=2,
    judged_songs=2,
    trainings=1,
    takes=1,
    held_out=3,
    sampler_steps=1,
)


def tone(pitch_hz: float, seconds: float) -> np.ndarray:
    """A voice-like tone: ten harmonics, each softer than the last."""
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    waves = (np.sin(2 * np.pi * pitch_hz * k * t) / k for k in range(1, 11))
    return (0.1 * sum(waves)).astype(np.float32)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    folder = tmp_path_factory.mktemp("ablation")
    splits = {"a": "train", "b": "train", "x": "val", "y": "val"}
    roots = {"a": (60, 65), "b": (60, 67), "x": (60, 65), "y": (62, 67)}
    cache = write_tiny_cache(folder / "cache", roots, splits)
    np.savez(cache / "latent_statistics.npz", mean=np.zeros(64, np.float32), std=np.ones(64, np.float32))
    (folder / "sung").mkdir()
    for number, song_id in enumerate(splits):
        heard = {
            "features": np.load(cache / "melodies" / f"{song_id}.npy")[0],
            "spectrum": mel_spectrum(tone(220.0 * 2 ** (number / 12), 40.0)),
        }
        for condition in recordings.CONDITIONS:
            np.savez(recordings.recording_path(folder / "sung", song_id, condition), **heard)
    torch.manual_seed(0)
    sources = Sources(cache, folder, choose(cache, SCALE), ScoreVae(VAE))
    return Laboratory(sources, Planner(PLANNER), folder, SCALE)


@pytest.mark.slow
def test_every_variant_is_trained_judged_and_reported_once(lab: Laboratory) -> None:
    measured: list[str] = []
    outcomes = run(lab, VARIANTS, lambda o: measured.append(f"{o.variant} {o.condition}"))
    assert measured == [
        "soft clean",
        "local clean",
        "global clean",
        "no-plan clean",
        "melody clean",
        "melody noisy room",
        "recording clean",
        "recording noisy room",
    ]
    assert all(len(o.losses) == 3 and np.isfinite(o.losses).all() for o in outcomes)
    section = json.loads((lab.runs / SECTION).read_text())
    assert section["title"] and len(section["rows"]) == len(outcomes)
    for v in VARIANTS:
        assert v.title in section["markdown"]
    measured.clear()
    again = run(lab, VARIANTS, lambda o: measured.append(o.variant))
    assert measured == [] and [o.losses for o in again] == [o.losses for o in outcomes]
    with pytest.raises(UsageError, match="another scale"):
        stored_outcomes(lab.runs, replace(SCALE, steps=3))


def test_variants_with_the_same_songs_are_measured_on_the_same_windows(lab: Laboratory) -> None:
    soft, no_plan = (lab.sources.held_out(variant(name), "clean") for name in ("soft", "no-plan"))
    for number in range(3):
        shown, hidden = (s.window(32, np.random.default_rng([7, number])) for s in (soft, no_plan))
        np.testing.assert_array_equal(shown["latent"], hidden["latent"])
        np.testing.assert_array_equal(shown["rows"][:69], hidden["rows"][:69])  # the vocal and the beats
        assert shown["rows"][FIRST_CONDITION_ROWS - 1].max() > 0 and not hidden["rows"][69:].any()
        assert not shown["rows"][FIRST_CONDITION_ROWS:].any()  # neither rhythm nor dials


def test_what_is_sung_is_heard_in_its_own_key_without_beats(lab: Laboratory) -> None:
    source = lab.sources.training(variant("melody"))
    rows = [source.window(32, np.random.default_rng(k))["rows"] for k in range(8)]
    assert not any(r[64:].any() for r in rows)
    # Roots C and F in one song, C and G in the other; no song is transposed.
    sung = {int(k) for r in rows for k in np.flatnonzero(r[:12].any(axis=1))}
    assert 0 in sung and sung <= {0, 5, 7}


def test_a_recording_is_kept_as_its_pitch_and_its_spectrum(tmp_path: Path) -> None:
    recordings.store(recordings.recording_path(tmp_path, "a", "noisy room"), tone(220.0, 2.0))
    features, spectrum = recordings.load(tmp_path, "a", "noisy room")
    assert features.shape[1] == spectrum.shape[1] == 44
    assert int(features[:12].sum(axis=1).argmax()) == 9  # an A


def test_an_untrained_network_has_the_loss_of_saying_nothing(lab: Laboratory) -> None:
    generator = lab.trained(variant("local"), 0)
    torch.nn.init.zeros_(generator.denoiser.out.weight)
    torch.nn.init.zeros_(generator.denoiser.out.bias)
    # Noise and latents have unit variance, so the mean square of noise - data is 2.
    losses = held_out_losses(generator, lab.sources.held_out(variant("local"), "clean"), lab.scale)
    assert np.mean(losses) == pytest.approx(2.0, rel=0.1)


def test_a_part_that_does_nothing_is_not_relied_on(lab: Laboratory) -> None:
    torch.manual_seed(1)
    generator = Generator(DENOISER)
    torch.nn.init.normal_(generator.denoiser.out.weight, std=0.1)
    for block in generator.denoiser.blocks:
        torch.nn.init.zeros_(block.align_out.weight)
    found = reliance(generator, lab.sources.held_out(variant("soft"), "clean"), lab.scale)
    assert list(found) == list(CHANGES)
    for change in ("local view alone", "global view alone", "without the alignment attention"):
        assert found[change] == found["as trained"]
    assert found["without the condition at the input"] != found["as trained"]
    assert generator.denoiser.config.alignment == "soft"
    section = as_section(
        [Outcome("soft", 0, "clean", 10, (1.0,), judgement((0.5,)))], SCALE, relied={"small": found}
    )
    assert "| local view alone | +0.0000 (+0.0000 to +0.0000) |" in section["markdown"]


def test_seeds_are_repeated_after_every_variant_had_its_turn() -> None:
    order = [(v.name, seed) for v, seed in jobs(replace(SCALE, trainings=2))]
    assert order[:6] == [(v.name, 0) for v in VARIANTS]
    assert order[6:] == [("soft", 1), ("local", 1), ("global", 1)]


def judgement(ours: tuple[float, ...]) -> NoteJudgement:
    rows = [
        NoteRow(f"song {k}", m, x, 0.0, 1.0)
        for m in ("harmony", "consonance", "rhythm")
        for k, x in enumerate(ours)
    ]
    return NoteJudgement("made up", tuple(rows), (1.0,) * len(ours), (2.0,) * len(ours), (3.0,) * len(ours))


def test_trainings_are_averaged_song_by_song() -> None:
    a, b = (Outcome("soft", k, "clean", 10, (x, x), judgement((x, 0.5))) for k, x in enumerate((0.2, 0.6)))
    one = merged([a, b])
    assert one.losses == pytest.approx((0.4, 0.4))
    assert [row.ours for row in one.judgement.of("harmony")] == pytest.approx([0.4, 0.5])


def test_the_report_says_what_is_clear_and_what_is_not() -> None:
    soft = Outcome("soft", 0, "clean", 10, (1.0, 1.1, 0.9), judgement((0.5, 0.6, 0.7)))
    local = Outcome("local", 0, "clean", 10, (1.2, 1.3, 1.1), judgement((0.6, 0.5, 0.7)))
    section = as_section([soft, local], SCALE, None)
    assert "loss +0.2000 (+0.2000 to +0.2000)" in section["markdown"]
    assert "clear of zero: loss)" in section["markdown"]
    assert section["rows"][1]["against"]["harmony"]["value"] == pytest.approx(0.0)
    assert "trained once" in section["markdown"]


def alignments(soft: float, local: float, wide: float) -> str:
    def outcome(name: str, x: float) -> Outcome:
        return Outcome(name, 0, "clean", 10, (1.0, 1.1), judgement((x, x + 0.1)))

    outcomes = [outcome("soft", soft), outcome("local", local), outcome("global", wide)]
    return str(as_section(outcomes, SCALE)["markdown"])


def test_the_report_says_so_when_mixing_views_does_not_help() -> None:
    better = alignments(0.5, 0.4, 0.3)
    assert "closes more of the gap" in better and "harmony +0.10" in better
    equal = alignments(0.5, 0.5, 0.3)
    assert "not shown to help at this scale" in equal and "harmony" in equal


def test_the_report_says_which_of_two_views_loses_more_to_noise() -> None:
    heard = {
        ("melody", "clean"): 0.5,
        ("melody", "noisy room"): 0.45,
        ("recording", "clean"): 0.5,
        ("recording", "noisy room"): 0.3,
    }
    outcomes = [Outcome(name, 0, where, 10, (1.0,), judgement((x, x))) for (name, where), x in heard.items()]
    # Of a gap of 1, the recording's latent loses 0.2 and the features 0.05.
    assert "harmony -0.15 (-0.15 to -0.15)" in as_section(outcomes, SCALE, 0.9)["markdown"]


def test_differences_are_taken_window_by_window() -> None:
    difference = mean_difference((5.0, 1.0, 3.0), (4.5, 0.5, 2.5))
    assert (difference.value, difference.low, difference.high) == pytest.approx((0.5, 0.5, 0.5))


def test_a_reading_without_plan_keeps_everything_else(lab: Laboratory) -> None:
    (excerpt, *_) = lab.sources.excerpts(variant("soft"), "clean", "piano")
    from train.ablation.experiment import vocal_alone

    reading = replace(vocal_alone(None, excerpt), plan=np.ones((24, 8), np.float32), certainty=0.5)  # type: ignore[arg-type]
    bare = without_plan(reading)
    assert not bare.plan.any() and bare.certainty == 0.0 and bare.grid == reading.grid


def test_a_tone_lights_the_band_of_its_pitch() -> None:
    sine = np.sin(2 * np.pi * 1000.0 * np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ).astype(np.float32)
    spectrum = mel_spectrum(sine)
    assert spectrum.shape == (BANDS, 22)
    assert spectrum.max() == pytest.approx(0.0, abs=1e-6)
    hz = np.fft.rfftfreq(4096, 1 / SAMPLE_RATE_HZ)
    centre = hz[mel_bank()[int(spectrum[:, 10].argmax())].argmax()]
    assert centre == pytest.approx(1000.0, abs=40.0)


def test_components_are_uncorrelated_and_of_unit_variance() -> None:
    rng = np.random.default_rng(5)
    spectra = [(rng.standard_normal((BANDS, 3)) @ rng.standard_normal((3, 400))).astype(np.float32)]
    components = fit_components(spectra, 3)
    latent = components.latent(spectra[0])
    assert components.kept == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose(latent @ latent.T / 400, np.eye(3), atol=1e-3)
