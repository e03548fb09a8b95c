"""The pack that the engine loads: the one of the settings, or another that works."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.files.durable import set_link
from appliance.watch.engine.chosen_pack import MAX_DEATHS, ChosenPack


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """Three folders that look like packs; ``active`` links to ``one``."""
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pack.json").write_text(name)
    set_link(tmp_path / "active", "one")
    return tmp_path


def started(packs: Path) -> ChosenPack:
    """The choice after an engine has loaded ``one``."""
    chosen = ChosenPack(packs / "active")
    assert not chosen.stale, "nothing is loaded that could be stale"
    assert chosen.folder() == packs / "one"
    chosen.accept()
    return chosen


def test_a_link_that_leads_elsewhere_and_a_pack_that_was_replaced(packs: Path) -> None:
    chosen = started(packs)
    assert not chosen.stale
    set_link(packs / "active", "two")
    assert chosen.stale and chosen.folder() == packs / "two" and not chosen.stale
    (packs / "two" / "pack.json").unlink()
    (packs / "two" / "pack.json").write_text("another")
    assert chosen.stale and chosen.trouble == ""


def test_a_pack_that_does_not_work_gives_way_until_another_is_wanted(packs: Path) -> None:
    chosen = started(packs)
    set_link(packs / "active", "two")
    assert chosen.folder() == packs / "two"
    assert chosen.refuse("It is broken.")
    assert chosen.stale and chosen.folder() == packs / "one" and not chosen.stale
    assert chosen.trouble == f"{packs / 'one'} is used instead of {packs / 'active'}. It is broken."
    set_link(packs / "active", "three")
    assert chosen.stale and chosen.folder() == packs / "three" and chosen.trouble == ""
    set_link(packs / "active", "two")
    assert chosen.folder() == packs / "two", (
        "what was refused once gets another chance when it is chosen anew"
    )


def test_settings_that_are_read_again_try_it_once_more(packs: Path) -> None:
    chosen = started(packs)
    set_link(packs / "active", "two")
    chosen.folder()
    chosen.refuse("It is broken.")
    chosen.folder()
    chosen.reconsider(packs / "active")
    assert chosen.stale and chosen.folder() == packs / "two"


def test_without_another_one_there_is_nothing_to_go_on_with(packs: Path) -> None:
    chosen = ChosenPack(packs / "one")
    chosen.folder()
    assert not chosen.refuse("It is broken.")
    assert not chosen.stale and chosen.trouble == ""
    assert chosen.folder() == packs / "one"


def test_a_service_that_starts_with_a_broken_pack_finds_the_one_before(packs: Path) -> None:
    set_link(packs / "previous", "two")
    set_link(packs / "reference", "three")
    chosen = ChosenPack(packs / "active")
    chosen.folder()
    assert chosen.refuse("It is broken.") and chosen.folder() == packs / "two"
    assert chosen.refuse("This too.") and chosen.folder() == packs / "three"
    assert chosen.refuse("And this.") and chosen.folder() == packs / "one", "the wanted one is tried again"
    assert not chosen.refuse("It is broken.")


def test_an_engine_that_dies_of_a_pack(packs: Path) -> None:
    chosen = started(packs)
    assert not any(chosen.died("was killed") for _ in range(2 * MAX_DEATHS)), "it worked before"
    set_link(packs / "active", "two")
    assert chosen.folder() == packs / "two"
    for _ in range(MAX_DEATHS - 1):
        assert not chosen.died("was killed by SIGSEGV") and chosen.folder() == packs / "two"
    assert chosen.died("was killed by SIGSEGV") and chosen.folder() == packs / "one"
    assert "killed by SIGSEGV while it loaded" in chosen.trouble


def test_a_pack_that_is_gone(packs: Path) -> None:
    chosen = started(packs)
    set_link(packs / "active", "nowhere")
    assert chosen.folder() == packs / "nowhere"
    assert chosen.refuse("There is no such folder.") and chosen.folder() == packs / "one"
