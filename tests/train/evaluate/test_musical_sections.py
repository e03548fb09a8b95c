"""The sections on song sets, bounds, coherence, differing takes and charts with gaps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.fake_evaluation import FakeSetting, asked_of, fake_setting, make_pieces, spoiled
from support.tiny_song import tiny_song

from appliance.errors import InputError, UsageError
from appliance.music.chord_chart import ChordSpan
from appliance.music.score import Note, Score
from train.corpus.chord_symbols import SongChord, WrittenChord
from train.corpus.song import Song
from train.evaluate.judges.hearing import Heard
from train.evaluate.judges.note_judge import HeardNote
from train.evaluate.material.song_sets import SongSet
from train.evaluate.measures.chord_bigrams import ChordBigrams, sequence_of
from train.evaluate.measures.played_chords import chords_played, clipped
from train.evaluate.sections import bounds, coherence, filled, takes
from train.evaluate.sections.bounds import BOUNDS_SECTION, write_charts
from train.evaluate.sections.coherence import COHERENCE_SECTION, Answered, arranged, compared
from train.evaluate.sections.differing import against, differing
from train.evaluate.sections.filled import FILLED_SECTION
from train.evaluate.sections.promises import promises
from train.evaluate.sections.sets import SETS_SECTION

C, F, G7, AM = (48, 64, 67, 72), (53, 65, 69, 72), (43, 62, 65, 71), (45, 64, 69, 72)


def test_sets_side_by_side(tmp_path: Path) -> None:
    setting = fake_setting(tmp_path, {"int8": 3}, others=(Path("more"),))
    facts = SETS_SECTION.measure(setting)
    # The songs of the second set are among those of the first, so each is rendered once.
    assert asked_of(setting) == 6
    first, popular = facts["sets"]["first"], facts["sets"]["popular"]
    assert (first["songs"], popular["songs"]) == (6, 3)
    # Three of twelve notes are a semitone too high: a quarter of the harmony is lost.
    for found in (first, popular):
        assert found["summary"]["harmony"]["ours"]["value"] == pytest.approx(0.75)
        assert found["summary"]["harmony"]["ceiling"]["value"] == pytest.approx(1.0)
        assert found["chord_agreement"]["ours"]["value"] == pytest.approx(0.75)
    text = SETS_SECTION.describe(facts)
    assert "| first songs | 6 |" in text and "| popular songs | 3 |" in text
    assert SETS_SECTION.draw is not None
    SETS_SECTION.draw(facts, tmp_path / "sets.png")
    assert not SETS_SECTION.possible(fake_setting(tmp_path))


def test_what_given_chords_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "write_charts", lambda songs, pieces, folder: folder)
    monkeypatch.setattr(bounds, "lead_sheet_pairs", lambda corpora: [])
    monkeypatch.setattr(bounds, "four_part_pairs", lambda corpora: {})
    facts = BOUNDS_SECTION.measure(fake_setting(tmp_path, {"own chords": 6}))
    for found in facts["sets"].values():
        assert found["given"]["harmony"]["value"] == pytest.approx(1.0)
        assert found["given_minus_own"]["harmony"]["value"] == pytest.approx(
            found["given"]["harmony"]["value"] - found["own"]["harmony"]["value"], abs=0.15
        )
        assert found["chords_given"]["value"] == 1.0 and found["chords_own"]["value"] == 0.5
    assert "| first songs | harmony |" in BOUNDS_SECTION.describe(facts)


def test_each_vocal_gets_the_written_chords_of_its_excerpt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = tiny_song([C, C, F, G7, C], beat_s=1.5, sung=[(14.0, 15.0, 72)])
    monkeypatch.setattr(bounds, "read_song", lambda corpus, row: song)
    (piece,) = make_pieces(tmp_path / "vocals", 1)  # its vocal of 6 s begins a bar before the singing
    rows = (SimpleNamespace(id="song0"),)
    folder = write_charts(SongSet("first", "", Path(), rows), [piece], tmp_path / "charts")  # type: ignore[arg-type]
    assert (folder / "song0.txt").read_text() == "0.000 6.000 C\n"
    longer = replace(piece, duration_s=13.0)
    write_charts(SongSet("first", "", Path(), rows), [longer], folder)  # type: ignore[arg-type]
    assert (folder / "song0.txt").read_text() == "0.000 6.000 C\n6.000 12.000 F\n12.000 13.000 G7\n"


def answered(name: str, written: Song, played: Song) -> Answered:
    """A song to which the written part of another one is played."""
    end_s = written.duration_s
    chart = [("C", "F", "G7")[k % 3] for k in range(4)]
    names = [found for label in chart if (found := arranged(label))]
    return Answered(
        name, written, clipped(written, 0.0, end_s), chords_played(written, played.written, 0.0, end_s), names
    )


def test_coherence_compares_what_is_played_with_what_is_written() -> None:
    cadence, other = tiny_song([C, F, G7, C]), tiny_song([C, G7, C, F])
    sequence = sequence_of(
        [(c.root, c.quality, c.bass) for c in clipped(cadence, 0.0, cadence.duration_s)], cadence.key
    )
    model = ChordBigrams([sequence] * 20)
    facts = compared([answered("a", cadence, cadence), answered("b", cadence, other)], model)
    same, changed = facts["sets"]["a"], facts["sets"]["b"]
    assert same["played_minus_written"]["value"] == 0.0 and same["ends"]["value"] == 1.0
    assert same["likelihood"]["chart"]["value"] == pytest.approx(same["likelihood"]["written"]["value"])
    # C to G7 and back: no song of training does so. It ends on F.
    assert changed["played_minus_written"]["value"] < -1.0 and changed["ends"]["value"] == 0.0
    assert changed["sevenths"] == same["sevenths"]
    assert facts["all"]["songs"] == 2 and facts["all"]["ends"]["value"] == 0.5
    assert facts["all"]["likelihood"]["shuffled"]["value"] < facts["all"]["likelihood"]["written"]["value"]
    text = COHERENCE_SECTION.describe({**facts, "training_songs": 20})
    assert "| all | 2 |" in text and "60 changes" in text


def test_whole_songs_are_composed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    song = tiny_song([C, F, G7, C], sung=[(0.0, 0.6, 72)])
    composed: list[str] = []

    def compose(renderer: object, vocal: Path) -> dict[str, Any]:
        composed.append(vocal.stem)
        if vocal.stem == "song1":
            raise InputError("nothing is sung")
        notes = [(n.start_s, n.end_s, n.pitch, 0.5) for n in song.written]
        return {"notes": notes, "chart": ["C", "F/C", "G9", "N", "C"]}

    known = SongChord(0.0, WrittenChord(0, "", 0)), SongChord(4.0, WrittenChord(5, "6", 5))
    monkeypatch.setattr(coherence, "_composed", compose)
    monkeypatch.setattr(coherence, "read_song", lambda corpus, row: song)
    monkeypatch.setattr(coherence.song_cache, "load_chords", lambda folder, split: [(song.key, known)])
    monkeypatch.setattr(FakeSetting, "sung", lambda setting, rows, length_s, corpus: setting.pieces())
    rows = tuple(SimpleNamespace(id=f"song{k}") for k in range(3))
    monkeypatch.setattr(FakeSetting, "sets", lambda setting: [SongSet("first", "songs", Path(), rows)])  # type: ignore[arg-type]
    setting = fake_setting(tmp_path, songs=3, cache=tmp_path)
    assert COHERENCE_SECTION.possible(setting) and not COHERENCE_SECTION.possible(fake_setting(tmp_path))
    facts = COHERENCE_SECTION.measure(setting)
    assert (facts["training_songs"], facts["changes"], facts["all"]["songs"]) == (1, 1, 2)
    assert facts["all"]["played_minus_written"]["value"] == 0.0 and facts["all"]["ends"]["n"] == 2
    assert facts["all"]["likelihood"]["chart"]["value"] is not None
    assert COHERENCE_SECTION.measure(setting) == facts and sorted(composed) == ["song0", "song1", "song2"]


def test_a_song_that_does_not_end_on_the_tonic_is_not_asked_to() -> None:
    open_end = tiny_song([C, F, C, G7])
    facts = compared([answered("a", open_end, tiny_song([C, F, G7, C]))], ChordBigrams([]))
    assert facts["all"]["ends"] == facts["sets"]["a"]["ends"]
    assert facts["all"]["ends"]["n"] == 0


def taken(scores: list[dict[str, Score]], fits: list[float], piece: str) -> list[dict[str, Any]]:
    """The takes of a piece: each plays one of ``scores``."""
    notes: list[tuple[Note, ...]] = [score[piece].notes for score in scores]
    return [
        {
            "fit": fit,
            "heard": Heard(6.0, tuple(HeardNote(n.start_s, n.end_s, n.pitch, 1.0) for n in part), ()),
        }
        for fit, part in zip(fits, notes, strict=True)
    ]


def test_what_differing_takes_cost(tmp_path: Path) -> None:
    pieces = make_pieces(tmp_path, 5)
    scores = [spoiled(pieces, wrong) for wrong in (0, 3, 6, 12)]
    ours = [taken(scores, [0.0, 2.0, 1.0, 9.0], piece.id) for piece in pieces]
    facts = differing(pieces, ours)
    # The second take fits best, the fourth does not count; the first is right, the second to 3/4.
    assert facts["first"]["harmony"]["value"] == pytest.approx(1.0)
    shuffled = 1.0 - 0.25 / facts["lost"]["harmony"]["value"]
    assert facts["lost"]["harmony"]["value"] > 0.25 and 0.0 <= shuffled < 0.3
    # Takes 0 and 1 share 9 of 12 notes, 0 and 2 six, 1 and 2 nine; all have the same onsets.
    assert facts["harmony_alike"]["value"] == pytest.approx((9 + 6 + 9) / 36)
    assert facts["onsets_alike"]["value"] == pytest.approx(1.0)
    assert facts["lost_all"]["value"] == pytest.approx(
        (facts["lost"]["harmony"]["value"] + facts["lost"]["consonance"]["value"]) / 2, abs=0.02
    )


def test_the_same_figures_for_the_pack_before(tmp_path: Path) -> None:
    pieces = make_pieces(tmp_path, 5)
    right, wrong = spoiled(pieces, 0), spoiled(pieces, 6)
    ours = [taken([right, wrong, wrong], [2.0, 1.0, 0.0], piece.id) for piece in pieces]
    before = [taken([wrong] * 3, [2.0, 1.0, 0.0], piece.id) for piece in pieces]
    facts = against(pieces, ours, "old 1", before)
    assert facts["harmony_alike"]["value"] == pytest.approx(1.0) and facts["lost_all"]["value"] == 0.0
    assert facts["our_loss"]["harmony"]["value"] < -0.5  # it gained
    whole = {"differing": differing(pieces, ours), "baseline": facts}
    text = takes._told_likeness(whole)
    assert "| this pack | `old 1` |" in text and "Against the best take of `old 1`" in text
    found = {p.what: p for p in promises({"takes": {**whole, "best_minus_one_all": facts["lost_all"]}})}
    promise = found["three takes: harmony in common"]
    assert promise.kept and promise.measured.endswith("old 1: 1.00 [1.00, 1.00]")


class Chords(FakeSetting):
    """A pack with a chord network."""

    def manifest(self, pack: Path | None = None) -> SimpleNamespace:  # type: ignore[override]
        return SimpleNamespace(graphs=SimpleNamespace(chords="chords.xml"), styles=("piano",))

    def sets(self) -> list[SongSet]:
        rows = tuple(SimpleNamespace(id=piece.id) for piece in self.pieces())
        return [SongSet("first", "songs", Path(), rows)]  # type: ignore[arg-type]


@pytest.fixture
def with_chords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chords:
    song = replace(tiny_song([C, F, G7], beat_s=0.5, sung=[(0.0, 0.5, 72)]))
    monkeypatch.setattr(filled, "read_song", lambda corpus, row: song)
    monkeypatch.setattr(filled, "engine_of", lambda pack: None)
    fake = fake_setting(tmp_path, songs=2)
    return Chords(fake.pack, fake.corpus, fake.folder, songs=2, workers=1)


def test_gaps_are_judged_where_they_are(with_chords: Chords, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def read(engine: object, vocal: Path, wishes: Any) -> SimpleNamespace:
        asked.append(wishes)
        # The chart holds F in the gap if it is given; without it, half of the gap.
        f_s = 2.0 if wishes.chords else 3.0
        return SimpleNamespace(chart=[ChordSpan(0.0, f_s, "C"), ChordSpan(f_s, 6.0, "F")])

    monkeypatch.setattr(filled, "read_vocal", read)
    facts = FILLED_SECTION.measure(with_chords)
    assert facts["all"] == {
        "songs": 2,
        "with": {"value": 1.0, "low": 1.0, "high": 1.0, "n": 2},
        "without": {"value": 0.5, "low": 0.5, "high": 0.5, "n": 2},
        "with_minus_without": {"value": 0.5, "low": 0.5, "high": 0.5, "n": 2},
    }
    assert asked[0].chords == "| C | ? | G7 |\n" and asked[1].chords is None
    assert asked[0].beats == asked[1].beats and asked[0].beats.startswith("0.0000 1\n")
    count = len(asked)
    assert FILLED_SECTION.measure(with_chords) == facts and len(asked) == count
    assert "| all | 2 |" in FILLED_SECTION.describe(facts)


def test_packs_that_fill_no_gaps_are_not_measured(
    with_chords: Chords, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def read(engine: object, vocal: Path, wishes: Any) -> None:
        raise UsageError("'?' is not a chord that Backline knows.")

    monkeypatch.setattr(filled, "read_vocal", read)
    facts = FILLED_SECTION.measure(with_chords)
    assert facts == {"missing": "'?' is not a chord that Backline knows."}
    assert FILLED_SECTION.measure(fake_setting(tmp_path / "other"))["missing"].endswith("no chord network")
    assert FILLED_SECTION.describe(facts).startswith("Not measured")
    (promise,) = (p for p in promises({"gaps": facts}) if p.what.startswith("charts with gaps"))
    assert promise.kept is None


class Fitting(FakeSetting):
    """A pack with a fit network."""

    def manifest(self, pack: Path | None = None) -> SimpleNamespace:  # type: ignore[override]
        fit = None if pack == Path("unfit") else "fit.xml"
        return SimpleNamespace(name=str(pack), version="9", graphs=SimpleNamespace(fit=fit))


@pytest.mark.parametrize(("baseline", "songs"), [(None, 4), ("unfit", 4), ("before", 3)])
def test_takes_are_compared_on_songs_that_both_packs_accept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, baseline: str | None, songs: int
) -> None:
    right = spoiled(make_pieces(tmp_path / "vocals", 5), 0)
    refused = {"int8": "song0", "before": "song3"}

    def drawn(setting: object, renderer: Any, pieces: Any) -> list[Any]:
        fits = [3.0, 2.0, 1.0, 0.0]
        return [
            [] if piece.id == refused[str(renderer.pack)] else taken([right] * 4, fits, piece.id)
            for piece in pieces
        ]

    monkeypatch.setattr(takes, "_taken", drawn)
    fake = fake_setting(tmp_path, songs=5)
    before = None if baseline is None else Path(baseline)
    facts = takes.measure(Fitting(fake.pack, fake.corpus, fake.folder, songs=5, baseline=before))
    assert facts["songs"] == facts["differing"]["songs"] == songs
    assert ("baseline" in facts) is (baseline == "before")
    if baseline == "before":
        assert facts["baseline"]["pack"] == "before 9" and facts["baseline"]["our_loss_all"]["value"] == 0.0
