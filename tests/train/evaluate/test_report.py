"""The evaluation report: its promises, embedded sections of other commands, and the pack's metrics file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.fake_evaluation import FakeSetting, asked_of, fake_setting
from support.fake_facts import facts

from appliance.packs.pack import load_pack
from quantize.metrics import replace_metrics
from train.cli import main
from train.commands import report as commands
from train.evaluate.pack.metrics_file import metrics_of
from train.evaluate.players.renderers import music_hash
from train.evaluate.sections import SECTIONS
from train.evaluate.sections.page import write_page
from train.evaluate.sections.promises import Promise, as_table, promises

ABOUT = {"pack": "fake 1", "identity": "f" * 64, "split": "val", "songs": 8, "style": "piano", "seed": 0}


def of_set(sections: dict[str, Any], name: str, metric: str) -> dict[str, Any]:
    found: dict[str, Any] = sections["sets"]["sets"][name]["summary"][metric]["gap_closed"]
    return found


def kept(found: list[Promise]) -> list[bool | None]:
    return [promise.kept for promise in found]


def test_all_promises_are_kept_at_their_very_limit() -> None:
    found = promises(facts())
    assert len(found) == 3 + 3 + 4 * 3 + 1 + 1 + 1 + (3 + 3 + 2) + 3 + 3 + 1
    assert kept(found) == [True] * len(found)
    assert as_table(found).startswith("36 of 36 measured promises are met.")


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda f: f["gap"]["summary"]["rhythm"]["gap_closed"].update(value=0.71), "rhythm: gap closed, of"),
        (lambda f: f["precision"]["int8_minus_fp32"]["harmony"].update(value=-0.021), "harmony: INT8"),
        (
            lambda f: f["noise"]["conditions"]["babble"]["10"]["drop"]["harmony"].update(value=0.101),
            "harmony: gap closed lost to babble at 10 dB",
        ),
        (lambda f: f["singing"]["ours_minus_shuffled"].update(low=0.0), "real singing"),
        (lambda f: f["takes"]["best_minus_one_all"].update(value=0.0), "the take with the best fit"),
        (lambda f: f["steps"]["rows"][1].update(evaluations=9), "evaluations of the denoiser"),
        (lambda f: of_set(f, "polish", "harmony").update(value=0.53), "Polish songs: gap closed in harmony"),
        (lambda f: of_set(f, "popular", "rhythm").update(value=0.69), "popular songs and carols: gap"),
        (lambda f: of_set(f, "first", "consonance").update(value=0.79), "songs and hymns: gap closed in con"),
        (lambda f: of_set(f, "polish", "consonance").update(value=1.16), "Polish songs: gap closed in cons"),
        (lambda f: f["coherence"]["all"]["played_minus_written"].update(value=-0.21), "coherence: log-like"),
        (lambda f: f["coherence"]["all"]["played_minus_written"].update(value=0.21), "coherence: log-like"),
        (lambda f: f["coherence"]["all"]["sevenths_minus_written"].update(value=-0.06), "coherence: share"),
        (lambda f: f["coherence"]["all"]["ends"].update(value=0.94), "coherence: songs that end on the"),
        (lambda f: f["takes"]["differing"]["harmony_alike"].update(value=0.71), "three takes: harmony"),
        (lambda f: f["takes"]["differing"]["onsets_alike"].update(value=0.46), "three takes: onsets"),
        (lambda f: f["takes"]["differing"]["lost_all"].update(value=0.06), "three takes: gap closed that"),
        (lambda f: f["gaps"]["all"]["with_minus_without"].update(value=0.04), "charts with gaps"),
    ],
)
def test_each_promise_can_be_broken(change: Any, broken: str) -> None:
    sections = facts()
    change(sections)
    lost = [promise.what for promise in promises(sections) if promise.kept is False]
    assert len(lost) == 1 and lost[0].startswith(broken)
    assert "| **not met** |" in as_table(promises(sections))


def test_what_was_not_measured_is_not_claimed() -> None:
    found = promises({"gap": facts()["gap"]})
    assert kept(found)[:3] == [True] * 3 and set(kept(found)[3:]) == {None}
    assert as_table(found).startswith("3 of 3 measured promises are met; 33 were not measured.")
    assert kept(promises({"takes": {"missing": "this pack has no fit score"}})) == [None] * 36
    undefined = facts()
    undefined["gap"]["summary"]["rhythm"]["ceiling"]["value"] = None
    assert kept(promises(undefined))[2] is None


def test_the_page_embeds_what_others_measured(tmp_path: Path) -> None:
    (tmp_path / "ablation.json").write_text(json.dumps({"title": "Ablations", "markdown": "| a | b |"}))
    (tmp_path / "curve.json").write_text("[1, 2]")
    (tmp_path / "broken.json").write_text("{")
    page = write_page(ABOUT, SECTIONS, facts(), tmp_path).read_text()
    headings = [line[3:] for line in page.splitlines() if line.startswith("## ")]
    assert headings[:2] == ["Promises", "Gap closed"] and headings[-1] == "Ablations"
    assert "| a | b |" in page and "](evaluation-gap.png)" in page
    assert (tmp_path / "evaluation-noise.png").is_file()
    stored = json.loads((tmp_path / "evaluation.json").read_text())
    assert stored["sections"] == facts() and list(stored["embedded"]) == ["ablation"]
    assert len(stored["promises"]) == 36


def test_metrics_are_the_report_in_short(tmp_path: Path) -> None:
    write_page(ABOUT, SECTIONS, facts(), tmp_path)
    report = json.loads((tmp_path / "evaluation.json").read_text())
    found = metrics_of(report, {"harmony": {"ours": 0.5}})
    assert found["gap"]["gap_closed"]["harmony"] == {"value": 0.54, "low": 0.44, "high": 0.64, "n": 8}
    assert found["noise"]["hum"]["10"]["rhythm"]["value"] == 0.1
    assert [row["steps"] for row in found["steps"]] == [1, 8]
    assert found["promises"] == {"kept": 36, "measured": 36}
    assert found["excerpts"] == {"harmony": {"ours": 0.5}}
    assert found["sets"]["polish"]["gap_closed"]["harmony"]["value"] == 0.54
    assert found["coherence"] == {
        "played_minus_written": {"value": -0.2, "low": -0.3, "high": -0.1, "n": 8},
        "sevenths_minus_written": {"value": 0.05, "low": -0.05, "high": 0.15, "n": 8},
        "ends": {"value": 0.95, "low": 0.85, "high": 1.05, "n": 8},
    }
    assert found["takes"]["onsets_alike"]["value"] == 0.45 and found["gaps"]["value"] == 0.05
    assert "plan" not in found and len(json.dumps(found)) < 8000


def test_reports_of_earlier_versions_are_read(root: Path, tmp_path: Path) -> None:
    """The committed report of the reference pack is older than some of the sections."""
    report = json.loads((root / "docs" / "reference" / "evaluation.json").read_text())
    facts_of = report["sections"]
    again = {p.what: p for p in promises(facts_of)}
    for stored in report["promises"]:
        assert (again[stored["what"]].measured, again[stored["what"]].kept) == (
            stored["measured"],
            stored["kept"],
        )
    for section in SECTIONS:
        if section.name in facts_of:
            assert section.describe(facts_of[section.name])
    found = metrics_of(report, {})
    assert found["gap"]["gap_closed"]["harmony"]["n"] == report["about"]["songs"]
    without = facts()
    for name in ("differing", "harmony_alike", "onsets_alike"):
        del without["takes"][name]
    assert "onsets_alike" not in metrics_of({**report, "sections": without}, {})["takes"]
    assert "alike" not in next(s for s in SECTIONS if s.name == "takes").describe(without["takes"])


def test_metrics_go_into_a_finished_pack(fake_pack: Path, tmp_path: Path) -> None:
    pack, file = tmp_path / "pack", tmp_path / "metrics.json"
    shutil.copytree(fake_pack, pack)
    before = load_pack(pack)
    for value in (1, 2):
        file.write_text(json.dumps({"value": value}))
        after = replace_metrics(pack, file)
        assert json.loads((pack / "metrics.json").read_text()) == {"value": value}
        assert after.sha256 != before.sha256 and music_hash(after) == music_hash(before)
    assert after.manifest.files.keys() - before.manifest.files.keys() == {"metrics.json"}
    other = after.manifest.model_copy(
        update={"sampler": after.manifest.sampler.model_copy(update={"steps": 99})}
    )
    assert music_hash(type(after)(pack, other, "")) != music_hash(after)


@pytest.mark.parametrize(
    ("file", "heard"), [("audio_decoder.bin", False), ("audio_decoder.xml", False), ("denoiser.bin", True)]
)
def test_a_report_is_for_what_the_band_plays(fake_pack: Path, file: str, heard: bool) -> None:
    pack = load_pack(fake_pack)
    facts = pack.manifest.files[file].model_copy(update={"sha256": "0" * 64})
    other = pack.manifest.model_copy(update={"files": {**pack.manifest.files, file: facts}})
    assert (music_hash(type(pack)(pack.folder, other, "")) != music_hash(pack)) is heard


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs ``train`` with the fake setting; returns its output and that setting."""
    from train.evaluate.sections import setting as module

    made: list[FakeSetting] = []

    def setting(**given: Any) -> FakeSetting:
        made.append(fake_setting(given.pop("folder"), **given))
        return made[-1]

    monkeypatch.setattr(module, "EvaluationSetting", setting)

    def run(*words: str) -> tuple[str, FakeSetting]:
        result = CliRunner().invoke(main, ["--runs", str(tmp_path / "runs"), *words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output, made[-1]

    return run


def test_the_command_goes_on_where_it_stopped(command: Any, tmp_path: Path) -> None:
    words = ("evaluate", str(tmp_path), str(tmp_path), "--songs", "6", "--out", str(tmp_path / "out"))
    _, setting = command(*words, "--section", "gap")
    assert asked_of(setting) == 6
    output, setting = command(*words, "--section", "plan", "--section", "precision")
    assert asked_of(setting) == 12 and "precision is skipped: it needs --fp32." in output
    page = (tmp_path / "out" / "evaluation.md").read_text()
    assert "## Gap closed" in page and "## Plan" in page and "## Styles" not in page
    _, setting = command(*words, "--section", "gap", "--section", "plan")
    assert asked_of(setting) == 0


def test_the_command_that_reduces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_pack: Path) -> None:
    from train.evaluate.pack import shipped

    about = {**ABOUT, "identity": music_hash(load_pack(fake_pack))}
    write_page(about, SECTIONS, facts(), tmp_path)
    monkeypatch.setattr(shipped, "judge_shipped", lambda pack, excerpts: {"songs": len(excerpts)})
    words = ["metrics", str(fake_pack), "--report", str(tmp_path), "--out", str(tmp_path / "m.json")]
    assert CliRunner().invoke(main, words, catch_exceptions=False).exit_code == 0
    assert json.loads((tmp_path / "m.json").read_text())["excerpts"] == {"songs": 4}
    missing = CliRunner().invoke(main, [*words[:3], str(fake_pack), *words[4:]])
    assert missing.exit_code == 1 and "no report" in missing.output
    write_page(ABOUT, SECTIONS, facts(), tmp_path)
    stale = CliRunner().invoke(main, words)
    assert stale.exit_code == 1 and "the report of another pack" in stale.output
    assert tuple(section.name for section in SECTIONS) == commands._SECTIONS
