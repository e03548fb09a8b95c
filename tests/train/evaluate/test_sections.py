"""The sections of the evaluation report, on a pack whose wrong notes are known."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.fake_evaluation import asked_of, fake_setting, make_pieces, spoiled

from appliance.music.score import Note, Score
from train.corpus.ledger import LedgerRow
from train.evaluate.evaluation import Evaluation, Row
from train.evaluate.judges.hearing import Heard
from train.evaluate.judges.note_judge import HeardNote
from train.evaluate.material.pieces import Sung
from train.evaluate.sections import noise, takes
from train.evaluate.sections.differing import lost
from train.evaluate.sections.gap import GAP
from train.evaluate.sections.languages import by_language, rare
from train.evaluate.sections.noise import NOISE, clipped, spoil
from train.evaluate.sections.plan import PLAN
from train.evaluate.sections.precision import PRECISION
from train.evaluate.sections.sampling import STEPS_SECTION, forward_passes
from train.evaluate.sections.singing import SINGING, Segment, compared, summary
from train.evaluate.sections.styles import STYLES_SECTION, statistics
from train.evaluate.sections.takes import averaged, together


def rows(ours: list[float], metric: str = "harmony") -> tuple[Row, ...]:
    return tuple(Row(f"s{k}", metric, v, 0.2, 1.0, 1.0, 0.2) for k, v in enumerate(ours))


def test_gap_of_a_pack_that_plays_what_is_written(tmp_path: Path) -> None:
    setting = fake_setting(tmp_path)
    facts = GAP.run(setting, tmp_path / "sections")
    assert facts["summary"]["harmony"]["gap_closed"]["value"] == pytest.approx(1.0)
    assert facts["chord_agreement"]["ours"]["value"] == 1.0
    text = GAP.describe(facts)
    assert "| harmony | **1.00 [1.00, 1.00]** | 1.00 |" in text and "| song5 |" in text
    assert GAP.draw is not None
    GAP.draw(facts, tmp_path / "gap.png")
    assert (tmp_path / "gap.png").read_bytes().startswith(b"\x89PNG")


def test_a_section_is_measured_once(tmp_path: Path) -> None:
    setting = fake_setting(tmp_path)
    first = PLAN.run(setting, tmp_path / "sections")
    assert asked_of(setting) == 12
    assert PLAN.run(setting, tmp_path / "sections") == first
    assert asked_of(setting) == 0
    # A deleted section is computed again from the stored judgements, without new renders.
    (tmp_path / "sections" / "plan.json").unlink()
    assert PLAN.run(setting, tmp_path / "sections") == first
    assert asked_of(setting) == 0
    # Another seed is another question.
    other = fake_setting(tmp_path, seed=5)
    assert PLAN.stored(other, tmp_path / "sections") is None
    PLAN.run(other, tmp_path / "sections")
    assert asked_of(other) == 12


def test_a_pack_given_for_another_section_does_not_matter(tmp_path: Path) -> None:
    plain, more = (
        fake_setting(tmp_path),
        fake_setting(tmp_path, fp32=Path("fp32"), undistilled=Path("teacher")),
    )
    assert PLAN.question(plain) == PLAN.question(more)
    assert STEPS_SECTION.question(plain) != STEPS_SECTION.question(more)
    assert not PRECISION.possible(plain) and PRECISION.possible(more)


def test_without_the_plan(tmp_path: Path) -> None:
    facts = PLAN.measure(fake_setting(tmp_path, {"plan False": 6}))
    # Half of the notes are wrong: consonance falls from 1 to about 1/2, in a gap from shuffled to 1.
    assert facts["with"]["consonance"]["value"] == pytest.approx(1.0, abs=0.01)
    assert 0.3 < facts["with_minus_without"]["consonance"]["value"] < 0.9
    assert (
        facts["with_minus_without"]["rhythm"]["value"] is None
        or facts["with_minus_without"]["rhythm"]["n"] == 6
    )
    assert "without" in PLAN.describe(facts)


def test_int8_against_fp32(tmp_path: Path) -> None:
    setting = fake_setting(tmp_path, {"int8": 1}, fp32=Path("fp32"))
    facts = PRECISION.measure(setting)
    change = facts["int8_minus_fp32"]["harmony"]
    assert change["value"] == pytest.approx(
        facts["int8"]["harmony"]["value"] - facts["fp32"]["harmony"]["value"], abs=0.02
    )
    assert change["value"] < -0.05 and change["n"] == 6


def test_steps_with_the_undistilled(tmp_path: Path) -> None:
    wrong = {"1 steps": 6, "2 steps": 4, "4 steps": 2}
    facts = STEPS_SECTION.measure(fake_setting(tmp_path, wrong, undistilled=Path("teacher")))
    found = [(row["name"], row["steps"], row["evaluations"]) for row in facts["rows"]]
    shipped = [("shipped", n, n) for n in (1, 2, 4, 8)]
    assert found == [*shipped, ("undistilled", 50, 100)]
    quality = [row["gap_closed"]["consonance"]["value"] for row in facts["rows"]]
    assert quality == sorted(quality) and quality[3] == pytest.approx(1.0, abs=0.01)
    assert facts["rows"][3]["minus_shipped"]["harmony"]["value"] == pytest.approx(0.0)
    assert "| undistilled | 50 | 100 |" in STEPS_SECTION.describe(facts)
    assert STEPS_SECTION.draw is not None
    STEPS_SECTION.draw(facts, tmp_path / "steps.png")
    assert (forward_passes(8, 1.0), forward_passes(16, 2.5)) == (8, 32)


def test_styles(tmp_path: Path) -> None:
    facts = STYLES_SECTION.measure(fake_setting(tmp_path, {"organ": 6}))
    assert facts["songs"] == 2
    piano, organ = facts["styles"]["piano"], facts["styles"]["organ"]
    assert piano["harmony"]["value"] > organ["harmony"]["value"]
    assert piano["notes"] == pytest.approx(
        {"notes_per_s": 2.0, "drums_per_s": 0.0, "voices": 1.0, "note_s": 0.5, "sounds": 1.0}, abs=0.01
    )
    assert STYLES_SECTION.draw is not None
    STYLES_SECTION.draw(facts, tmp_path / "styles.png")


def test_note_statistics() -> None:
    heard = Heard(4.0, (HeardNote(0, 1, 60, 1), HeardNote(0, 0.5, 64, 1)), (), (0.0, 1.0, 2.0))
    assert statistics([heard]) == pytest.approx(
        {"notes_per_s": 0.5, "drums_per_s": 0.75, "voices": 0.375, "note_s": 0.75, "sounds": 0.25}
    )


def test_the_drop_is_a_share_of_the_clean_gap() -> None:
    clean, noisy = Evaluation("", rows([0.6, 0.8]), {}), Evaluation("", rows([0.5, 0.7]), {})
    found = lost(noisy, clean, "harmony")
    assert found.value == pytest.approx(0.1 / 0.5)
    assert (found.low, found.high) == pytest.approx((0.1 / 0.6, 0.1 / 0.4))


def test_noise_conditions_are_paired_with_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(job: tuple[Path, Path, str, int]) -> None:
        job[1].parent.mkdir(parents=True, exist_ok=True)
        samples, rate_hz = soundfile.read(job[0])
        soundfile.write(job[1], samples * (0.5 + 0.01 * job[3] + 0.001 * len(job[2])), rate_hz)

    monkeypatch.setattr(noise, "_write", write)
    setting = fake_setting(tmp_path, {"hum-5": 6, "hum-10": 3})
    facts = NOISE.measure(setting)
    losses = {
        level: found["drop"]["consonance"]["value"] for level, found in facts["conditions"]["hum"].items()
    }
    assert losses["20"] == pytest.approx(0.0) and 0.2 < losses["10"] < losses["5"]
    assert facts["conditions"]["room"]["5"]["drop"]["harmony"]["value"] == pytest.approx(0.0)
    assert "| clipping | 5 |" in NOISE.describe(facts)
    assert NOISE.draw is not None
    NOISE.draw(facts, tmp_path / "noise.png")


def test_spoiling_is_as_bad_as_it_says() -> None:
    rng = np.random.default_rng(1)
    time_s = np.arange(44_100) / 44_100
    tone = (0.3 * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32)
    for level_db in (20.0, 10.0, 5.0):
        cut = clipped(tone, level_db)
        ratio = np.square(tone).sum() / np.square(tone - cut).sum()
        assert 10 * np.log10(ratio) == pytest.approx(level_db, abs=0.05)
        hum = spoil(tone, 44_100, "hum", level_db, rng) - tone
        assert 10 * np.log10(np.square(tone).mean() / np.square(hum).mean()) == pytest.approx(
            level_db, abs=0.1
        )
    click = np.zeros(44_100, np.float32)
    click[100] = 0.5
    room = spoil(click, 44_100, "room", 10.0, np.random.default_rng(2))
    direct, reverb = room[100] ** 2, np.square(np.delete(room, 100)).sum()
    assert 10 * np.log10(direct / reverb) == pytest.approx(10.0, abs=0.5)


def row(name: str, language: str) -> LedgerRow:
    return LedgerRow(name, "", "", "", "", language, "test", "")


def test_rare_languages_are_filled_up() -> None:
    every = [row("a", "de"), row("b", "fr"), row("c", "fr"), row("d", "fr"), row("e", "fr"), row("f", "it")]
    assert rare(every, {"a", "b"}) == {"c", "d"}
    assert rare(every, {"a"}) == set()


def test_songs_by_language() -> None:
    table = tuple(r for metric in ("harmony", "consonance", "rhythm") for r in rows([0.6, 0.4, 0.9], metric))
    found = by_language(Evaluation("", table, {}), {"s0": "de", "s1": "de", "s2": "fr"})
    assert list(found) == ["de"]
    assert found["de"]["harmony"]["value"] == pytest.approx(0.3 / 0.8)


def test_real_singing_against_other_segments() -> None:
    segments = [Segment(song, Path(f"{k}.wav"), 1.0, (Sung(0, 1, 60 + k),)) for k, song in enumerate("aab")]
    own = [Heard(1.0, (HeardNote(0, 1, 60 + k, 1.0),), ()) for k in range(3)]
    lost = [Heard(1.0, (), ())] * 3
    found = compared(segments, [own, lost])
    assert [r["ours"] for r in found] == [0.5, 0.5, 0.5]
    assert [r["shuffled"] for r in found] == [0.0, 0.0, 0.0]
    facts = summary(segments, found)
    assert facts["ours_minus_shuffled"] == {"value": 0.5, "low": 0.5, "high": 0.5, "n": 3}
    assert facts["songs"] == 2 and facts["sung_s"] == 3.0


def test_the_section_on_real_singing(tmp_path: Path) -> None:
    vocals, rng = tmp_path / "real", np.random.default_rng(4)
    vocals.mkdir()
    # The recordings have the names of the fake pack's songs, so it plays the melodies annotated here.
    for piece in make_pieces(tmp_path / "work" / "vocals", 2):
        soundfile.write(vocals / f"{piece.id}.wav", rng.normal(0, 0.1, 6 * 8000), 8000)
        with (vocals / f"{piece.id}_notesA1.csv").open("w", newline="") as file:
            hz = [(n.start_s, 440 * 2 ** ((n.pitch - 69) / 12), n.end_s - n.start_s) for n in piece.sung]
            csv.writer(file).writerows(hz)
    setting = fake_setting(tmp_path / "work", vocals=vocals, songs=2)
    assert SINGING.possible(setting)
    facts = SINGING.measure(setting)
    assert asked_of(setting) == 12
    assert facts["segments"] == 2 and facts["notes_by"] == {"song0": "annotated", "song1": "annotated"}
    assert facts["ours"]["value"] == pytest.approx(1.0) and facts["ours_minus_shuffled"]["low"] > 0.3
    assert "n = 12 renders" in SINGING.describe(facts)


def test_the_take_with_the_best_fit_against_the_mean(tmp_path: Path) -> None:
    pieces = make_pieces(tmp_path, 5)
    wrong = (6, 0, 8, 10)
    scores: list[dict[str, Score]] = [spoiled(pieces, count) for count in wrong]

    def take(piece_id: str, k: int, fit: float) -> dict:
        notes: tuple[Note, ...] = scores[k][piece_id].notes
        heard = Heard(6.0, tuple(HeardNote(n.start_s, n.end_s, n.pitch, 1.0) for n in notes), ())
        return {"fit": fit, "heard": heard}

    good = [[take(p.id, k, -wrong[k]) for k in range(4)] for p in pieces]
    facts = takes.compared(pieces, good)
    assert facts["best"]["consonance"]["value"] == pytest.approx(1.0)
    assert facts["best_minus_one"]["consonance"]["value"] > 0.2 and facts["best_minus_one_all"]["low"] > 0
    assert facts["fit_of_best"]["value"] == 0.0 and facts["fit_of_one"]["value"] == -6.0
    alike = takes.compared(pieces, [[take(p.id, 1, 0.0)] * 4 for p in pieces])
    assert alike["harmony_alike"]["value"] == alike["onsets_alike"]["value"] == pytest.approx(1.0)
    assert facts["harmony_alike"]["value"] < 0.9
    earlier = {name: facts[name] for name in facts if name != "differing"}
    assert "alike by" in takes.describe(earlier)
    bad = [[take(p.id, k, wrong[k]) for k in range(4)] for p in pieces]
    assert takes.compared(pieces, bad)["best_minus_one_all"]["high"] < 0
    assert "Not measured" in takes.describe(takes.measure(fake_setting(tmp_path / "work")))


def test_one_take_is_the_mean_of_all() -> None:
    one = averaged([Evaluation("", rows([0.2, 0.4]), {}), Evaluation("", rows([0.6, 1.0]), {})])
    assert [r.ours for r in one.rows] == pytest.approx([0.4, 0.7])


def test_metrics_taken_together() -> None:
    def evaluation(values: dict[str, list[float]]) -> Evaluation:
        return Evaluation("", tuple(r for m, v in values.items() for r in rows(v, m)), {})

    best = evaluation({"harmony": [0.6, 0.6], "consonance": [1.0, 1.0], "rhythm": [0.5, 0.5]})
    one = evaluation({"harmony": [0.4, 0.4], "consonance": [1.0, 1.0], "rhythm": [0.6, 0.6]})
    # Each gap is 0.8 wide: (0.2 + 0 - 0.1) / 0.8 / 3.
    assert together(best, one).value == pytest.approx(0.1 / 0.8 / 3)


def test_stored_facts_hold_no_nan(tmp_path: Path) -> None:
    GAP.run(fake_setting(tmp_path, songs=1), tmp_path / "sections")
    stored = json.loads((tmp_path / "sections" / "gap.json").read_text())
    assert stored["facts"]["summary"]["harmony"]["gap_closed"]["value"] is None
    assert "NaN" not in (tmp_path / "sections" / "gap.json").read_text()
