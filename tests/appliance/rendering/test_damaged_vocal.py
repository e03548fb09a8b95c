"""A vocal with a damaged frame: all of it is accompanied, and the user is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner
from support.vocals import sung

from appliance.cli.main import cli


@pytest.mark.slow
def test_the_receipt_and_the_command_name_the_damage(fake_pack: Path, tmp_path: Path) -> None:
    vocal = tmp_path / "vocal.mp3"
    soundfile.write(vocal, sung(6.0), 44_100, format="MP3", bitrate_mode="CONSTANT")
    frames = soundfile.info(vocal).frames
    data = bytearray(vocal.read_bytes())
    sync = bytes(data[:2])
    at = data.index(sync, len(data) // 2)
    data[at] ^= 0x5A
    vocal.write_bytes(data)
    command = ["render", vocal, "--pack", fake_pack, "--out", tmp_path / "out", "--json"]
    done = CliRunner().invoke(cli, [str(word) for word in command])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    ((second, seconds),) = facts["vocal"]["damaged"]
    assert second == pytest.approx(3.0, abs=0.2) and 0.02 < seconds < 0.06
    assert f"at {second:.1f} s are damaged; silence stands there." in done.stderr
    assert abs(facts["samples"] - frames) <= 1152
