"""CPU seconds of a job by stage: every named stage exists, and the table adds up."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
from support.vocals import sung

from bench.mask import mask
from bench.stages import ORDER, measure, table


@pytest.mark.slow
def test_a_job_takes_seconds_in_the_stages_it_has(fake_pack: Path, tmp_path: Path) -> None:
    vocal = tmp_path / "song.wav"
    soundfile.write(vocal, sung(6.0), 44_100)
    found = measure(mask(None), vocal, fake_pack, tmp_path / "cache")
    assert set(found) <= set(ORDER)
    assert all(seconds >= 0 for seconds in found.values())
    for stage in ("start, imports", "decoding", "pitch", "denoiser", "band", "mastering", "writing"):
        assert stage in found


def test_the_table_has_shares_of_each_processor() -> None:
    found = {"haswell": {"pitch": 1.0, "denoiser": 3.0}, "host": {"pitch": 1.0, "denoiser": 1.0}}
    lines = table(found).splitlines()
    assert next(line for line in lines if "denoiser" in line).split("|")[2:-1] == [
        *(" 3.00 ", " 75% ", " 1.00 ", " 50% ")
    ]
    assert " 4.00 " in lines[-1] and " 2.00 " in lines[-1]
