"""The cut soundfont is smaller, sounds the same, and avoids what our synthesiser gets wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from tinysoundfont import _tinysoundfont as tsf

from appliance.errors import UsageError
from appliance.packs.sounds import DEFAULT_SOUNDS
from quantize.preset_cut import cut
from quantize.riff import TABLES, read_tables, write_tables
from quantize.soundfont import LICENCE_FILE, band_presets, main, with_origin

TINY = Path(__file__).parents[1] / "data" / "tiny.sf2"
SHORT = (0, 43)
SHORT_TOP = 57
KIT = (128, 0)


def sound(path: Path, preset: tuple[int, int], key: int, velocity: float = 0.7) -> NDArray[np.float32]:
    font = tsf.SoundFont(str(path))
    font.set_output(tsf.OutputMode.StereoInterleaved, 44_100, 0.0)
    font.channel_set_bank(0, preset[0])
    font.channel_set_preset_number(0, preset[1], False)
    font.channel_note_on(0, key, velocity)
    out = np.zeros((4_000, 2), np.float32)
    font.render(out.data.cast("B"))
    return out


def written(tmp_path: Path, presets, **options) -> Path:
    file = tmp_path / "cut.sf2"
    write_tables(cut(read_tables(TINY), presets, **options), file)
    return file


def test_untouched_presets_sound_the_same_and_the_rest_is_gone(tmp_path):
    presets = {(0, 0): range(21, 109), KIT: (36, 50)}
    file = written(tmp_path, presets, attenuation_scale=1.0, mono_exclusive=False)
    tables = read_tables(file)
    assert [(int(p["bank"]), int(p["preset"])) for p in tables["phdr"][:-1]] == [(0, 0), KIT]
    assert [bytes(s["name"]) for s in tables["shdr"]] == [b"sine", b"burst L", b"EOS"]
    assert file.stat().st_size < TINY.stat().st_size
    for preset, keys in presets.items():
        for key in list(keys)[::7]:
            cut_sound = sound(file, preset, key)
            assert np.abs(cut_sound).max() > 0.01
            np.testing.assert_allclose(cut_sound, sound(TINY, preset, key), atol=1e-6)


def test_attenuation_counts_as_the_option_says(tmp_path):
    full = np.abs(sound(written(tmp_path, {KIT: (36,)}, attenuation_scale=1.0), KIT, 36)).max()
    scaled = np.abs(sound(written(tmp_path, {KIT: (36,)}, attenuation_scale=0.4), KIT, 36)).max()
    assert 20 * np.log10(scaled / full) == pytest.approx(6.0, abs=0.01)  # 100 cB of 10 dB, 40 of 4 dB


def test_an_exclusive_pair_sounds_on_both_sides(tmp_path):
    before = np.sqrt((sound(TINY, KIT, 42) ** 2).mean(axis=0))
    assert before[0] < 0.7 * before[1]  # the defect that the cut works around
    after = np.sqrt((sound(written(tmp_path, {KIT: (42,)}), KIT, 42) ** 2).mean(axis=0))
    assert after[0] == pytest.approx(after[1], rel=1e-4)


def test_a_preset_wished_in_mono_sounds_on_both_sides_from_one_sample(tmp_path):
    stereo = written(tmp_path, {KIT: (42,)}, mono_exclusive=False)
    names = [bytes(s["name"]) for s in read_tables(stereo)["shdr"][:-1]]
    assert len(names) == 2
    before = np.sqrt((sound(stereo, KIT, 42) ** 2).mean(axis=0))
    assert before[0] < 0.7 * before[1]
    single = written(tmp_path, {KIT: (42,)}, mono_exclusive=False, mono=[KIT])
    assert [bytes(s["name"]) for s in read_tables(single)["shdr"][:-1]] == names[1:]
    after = np.sqrt((sound(single, KIT, 42) ** 2).mean(axis=0))
    assert after[0] == pytest.approx(after[1], rel=1e-4)


def test_silent_keys_get_the_outermost_zone(tmp_path):
    assert not sound(TINY, SHORT, SHORT_TOP + 12).any()
    file = written(tmp_path, {SHORT: range(21, 109)})
    for key in (21, SHORT_TOP, SHORT_TOP + 1, 108):
        assert np.abs(sound(file, SHORT, key)).max() > 0.01
    np.testing.assert_allclose(sound(file, SHORT, 50), sound(TINY, SHORT, 50), atol=1e-6)


def test_a_loop_with_an_offset_is_centred(tmp_path):
    tables = read_tables(TINY)
    moved = tables.samples.copy()
    moved[:1200] += 3000
    tables.samples = moved
    source = tmp_path / "moved.sf2"
    write_tables(tables, source)
    assert abs(sound(source, (0, 0), 69)[2000:].mean()) > 0.01
    file = tmp_path / "cut.sf2"
    write_tables(cut(read_tables(source), {(0, 0): range(21, 109)}), file)
    assert abs(sound(file, (0, 0), 69)[2205:].mean()) < 1e-3


def test_the_same_cut_is_the_same_bytes_and_reads_back(tmp_path):
    first = written(tmp_path, band_presets()).read_bytes()
    assert written(tmp_path, band_presets()).read_bytes() == first
    tables = read_tables(tmp_path / "cut.sf2")
    write_tables(tables, tmp_path / "again.sf2")
    assert (tmp_path / "again.sf2").read_bytes() == first
    for head, bags, inner in (("phdr", "pbag", "gen"), ("inst", "ibag", "mod")):
        assert int(tables[head][-1]["bag"]) == len(tables[bags]) - 1
        assert (np.diff(tables[bags][inner].astype(int)) >= 0).all()
    assert set(tables.rows) == set(TABLES)


def test_licence_and_source_travel_with_the_file(tmp_path):
    text = LICENCE_FILE.read_text(encoding="utf-8")
    assert "Permission is hereby granted" in text
    assert "Frank Wen" in text
    write_tables(with_origin(cut(read_tables(TINY), {(0, 0): (60,)}), "Some.sf2", text), tmp_path / "a.sf2")
    comment = read_tables(tmp_path / "a.sf2").info[b"ICMT"].decode()
    assert "Some.sf2" in comment
    assert text in comment


def test_command(tmp_path):
    out = tmp_path / "band.sf2"
    unknown = CliRunner().invoke(main, [str(TINY), "--out", str(out)])
    assert unknown.exit_code == 1
    assert "--licence" in unknown.output
    assert not out.exists()
    result = CliRunner().invoke(main, [str(TINY), "--out", str(out), "--licence", str(LICENCE_FILE)])
    assert result.exit_code == 0, result.output
    assert f"{len(DEFAULT_SOUNDS.presets())} presets" in result.output
    assert (tmp_path / "band-licence.txt").read_text() == LICENCE_FILE.read_text()


def test_missing_preset_is_named():
    with pytest.raises(UsageError, match=r"no preset 0:126"):
        cut(read_tables(TINY), {(0, 0): (60,), (0, 126): (60,)})


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda b: b"not a font at all", "not a SoundFont 2"),
        (lambda b: b"", "cannot be read"),
        (lambda b: b[: len(b) // 2], "truncated"),
        (lambda b: b.replace(b"shdr", b"junk"), "table shdr"),
    ],
)
def test_damaged_files_are_refused(tmp_path, damage, words):
    file = tmp_path / "bad.sf2"
    file.write_bytes(damage(TINY.read_bytes()))
    with pytest.raises(UsageError, match=words):
        read_tables(file)


def test_compressed_samples_are_refused(tmp_path):
    tables = read_tables(TINY)
    tables.rows["shdr"] = tables["shdr"].copy()
    tables.rows["shdr"]["type"] |= 0x10
    write_tables(tables, tmp_path / "a.sf3")
    with pytest.raises(UsageError, match="compressed"):
        read_tables(tmp_path / "a.sf3")


def test_tiny_is_what_its_generator_writes(tmp_path, monkeypatch, root):
    monkeypatch.syspath_prepend(str(root / "tests" / "data"))
    import make_tiny_sf2

    write_tables(make_tiny_sf2.build(), tmp_path / "tiny.sf2")
    assert (tmp_path / "tiny.sf2").read_bytes() == TINY.read_bytes()
