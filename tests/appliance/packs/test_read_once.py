"""An opened pack reads its tables of dials and rhythms once, however many takes ask for them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.fake_pack import write_fake_manifest

from appliance.errors import PackError
from appliance.packs import pack as pack_module
from appliance.packs.dial_table import DIALS_NAME, usual_table
from appliance.packs.pack import Pack, load_pack
from appliance.packs.rhythm_bank import RHYTHMS_NAME, RhythmBank, StoredPhrase, bank_text

TABLES = (DIALS_NAME, RHYTHMS_NAME)
PHRASE = StoredPhrase(style="pop", meter=4, compound=False, bpm=96.0, bars=1, rhythm="1  low: 1 3\n")


@pytest.fixture
def folder(fake_pack: Path, tmp_path: Path) -> Path:
    """A copy of the fake pack with both tables."""
    made = Path(shutil.copytree(fake_pack, tmp_path / "pack"))
    (made / DIALS_NAME).write_text(usual_table().to_json())
    (made / RHYTHMS_NAME).write_text(bank_text([PHRASE]))
    write_fake_manifest(made)
    return made


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file is hashed or read from now on."""
    counts: Counter[str] = Counter()
    sha256, read_bytes = pack_module.file_sha256, Path.read_bytes

    def hashed(path: Path) -> str:
        counts[path.name] += 1
        return sha256(path)

    def read(path: Path) -> bytes:
        counts[path.name] += 1
        return read_bytes(path)

    monkeypatch.setattr(pack_module, "file_sha256", hashed)
    monkeypatch.setattr(Path, "read_bytes", read)
    return counts


def test_takes_side_by_side_read_each_table_once(folder: Path, reads: Counter[str]) -> None:
    pack = load_pack(folder, verify=False)
    reads.clear()

    def take(seed: int) -> tuple[int, int]:
        return len(pack.dials().styles), len(pack.rhythms().all())

    with ThreadPoolExecutor(8) as lanes:
        found = set(lanes.map(take, range(40)))
    assert found == {(len(usual_table().styles), 1)}
    assert reads == dict.fromkeys(TABLES, 2)  # hashed, then read


def test_a_pack_opened_again_reads_again(folder: Path, reads: Counter[str]) -> None:
    packs = [load_pack(folder, verify=False) for _ in range(3)]
    reads.clear()
    for pack in packs:
        assert pack == packs[0] and pack.dials() == usual_table() and pack.rhythms() != RhythmBank()
    assert reads == dict.fromkeys(TABLES, 2 * len(packs))


def test_a_table_that_is_put_back_is_read_after_all(folder: Path) -> None:
    pack: Pack = load_pack(folder)
    whole = (folder / DIALS_NAME).read_bytes()
    (folder / DIALS_NAME).write_text(json.dumps({}))
    with pytest.raises(PackError, match=r"dials\.json: altered"):
        pack.dials()
    (folder / DIALS_NAME).write_bytes(whole)
    assert pack.dials() == usual_table()
