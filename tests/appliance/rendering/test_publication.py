"""Publication: all files of a render appear at once, or none."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from support.small_render import render, tree, whole

from appliance.errors import OutputError
from appliance.files.write_errors import writing
from appliance.rendering.publication import RESULT_ENDINGS, STEMS_FOLDER, Publication


def test_everything_appears_in_its_place(tmp_path: Path) -> None:
    out = tmp_path / "new" / "results"
    assert render(out) == "take"
    assert tree(out) == whole("take")


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, OSError])
def test_nothing_remains_of_a_render_that_fails(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), Publication(tmp_path / "a" / "b", "take") as publication:
        publication.path("mix.wav").write_text("half")
        publication.path("keys.wav", folder=STEMS_FOLDER).write_text("half")
        (publication.folder / "work").write_text("work")
        raise error
    assert not list(tmp_path.iterdir())


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RuntimeError), Publication(tmp_path, "take"):
        raise RuntimeError
    assert tree(tmp_path) == ["mine.txt"]


def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    assert [render(tmp_path, text=t) for t in ("first", "second", "third")] == ["take", "take-2", "take-3"]
    assert (tmp_path / "take.mix.wav").read_text() == "first"
    assert (tmp_path / "stems" / "take-3.bass.wav").read_text() == "third"
    assert tree(tmp_path) == sorted([*whole("take"), *whole("take-2"), *whole("take-3")])


@pytest.mark.parametrize("mine", ["take.mid", "stems/take.drums.wav", "take.receipt.json"])
def test_somebody_elses_file_is_enough_to_take_a_name(tmp_path: Path, mine: str) -> None:
    (tmp_path / mine).parent.mkdir(exist_ok=True)
    (tmp_path / mine).write_text("mine")
    assert render(tmp_path) == "take-2"
    assert (tmp_path / mine).read_text() == "mine"


def test_the_vocal_beside_the_results_takes_no_name(tmp_path: Path) -> None:
    for name in ("take.wav", "take.2.wav", "take.txt", "take"):
        (tmp_path / name).write_text("vocal")
    assert render(tmp_path) == "take"
    assert (tmp_path / "take.wav").read_text() == "vocal"


def test_overwriting_replaces_the_old_render_whole(tmp_path: Path) -> None:
    render(tmp_path)
    (tmp_path / "stems" / "take.vox.wav").write_text("mine")
    assert render(tmp_path, text="over", stems=("keys.wav",)) == "take"
    assert tree(tmp_path) == sorted(
        [*(f"take.{e}" for e in RESULT_ENDINGS), "stems/take.keys.wav", "stems/take.vox.wav"]
    )
    assert (tmp_path / "take.mid").read_text() == "over"


def test_the_old_render_comes_back_if_the_new_one_cannot_be_placed(tmp_path: Path) -> None:
    render(tmp_path, text="old")
    before = tree(tmp_path)
    (tmp_path / "take.extra").mkdir()
    with (
        pytest.raises(OutputError, match=r"take\.extra cannot be written: a folder"),
        Publication(tmp_path, "take", overwrite=True) as publication,
    ):
        for ending in ("mix.wav", "extra"):
            publication.path(ending).write_text("new")
    assert tree(tmp_path) == before
    assert (tmp_path / "take.mix.wav").read_text() == "old"


def test_a_failing_rename_undoes_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render(tmp_path, text="old")
    before = tree(tmp_path)
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if "files" in self.parts and self.name == "take.mid":
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OutputError, match="the disk reports an error"):
        render(tmp_path, text="over")
    assert tree(tmp_path) == before
    assert {(tmp_path / p).read_text() for p in before} == {"old"}


def test_a_file_that_appears_meanwhile_is_not_lost(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="something else has that name"),
        Publication(tmp_path, "take") as publication,
    ):
        publication.path("mix.wav").write_text("new")
        (tmp_path / "take.mix.wav").write_text("mine")
    assert tree(tmp_path) == ["take.mix.wav"]
    assert (tmp_path / "take.mix.wav").read_text() == "mine"


def test_two_renders_of_one_name_at_once(tmp_path: Path) -> None:
    with Publication(tmp_path, "take") as one, Publication(tmp_path, "take", overwrite=True) as other:
        assert (one.name, other.name) == ("take", "take-2")
        one.path("mid").write_text("one")
        other.path("mid").write_text("other")
    assert tree(tmp_path) == ["take-2.mid", "take.mid"]


def test_an_error_that_is_not_about_the_results_stays_itself(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), Publication(tmp_path, "take"):
        (tmp_path / "missing.txt").read_text()
    with pytest.raises(OutputError, match=r"x\.mid cannot be written: .*folder"), writing(Path("a/x.mid")):
        raise IsADirectoryError(errno.EISDIR, "is a directory")
