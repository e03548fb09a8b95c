"""Reading in blocks: resampling, block size and memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly
from support.recordings import tone, whole, write

from appliance.audio.recording import probe, read_blocks


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate_hz", "frames"),
    [
        (8_000, 8_001),
        (11_025, 23_457),
        (12_345, 31_337),
        (16_000, 40_003),
        (22_050, 44_103),
        (37_800, 70_001),
        (44_101, 99_991),
        (48_000, 71_993),
        (88_200, 123_457),
        (96_000, 100_003),
        (192_000, 250_007),
    ],
)
def test_resampling_agrees_with_scipy_and_theory_at_odd_rates_and_lengths(
    tmp_path: Path, rate_hz: int, frames: int
) -> None:
    rng = np.random.default_rng(rate_hz)
    partials_hz = rng.uniform(50, 0.35 * min(rate_hz, 44_100), (12, 1))
    phases = rng.uniform(0, 2 * np.pi, (12, 1))

    def sampled(count: int, rate: int) -> np.ndarray:
        return 0.07 * np.sin(2 * np.pi * partials_hz * np.arange(count) / rate + phases).sum(axis=0)

    sound = sampled(frames, rate_hz)
    path = write(tmp_path / "take.wav", sound, rate_hz, "FLOAT")
    heard = whole(path)
    assert len(heard) == probe(path).output_samples == round(frames * 44_100 / rate_hz)
    references = [sampled(len(heard), 44_100)]
    divisor = np.gcd(44_100, rate_hz)
    up, down = 44_100 // divisor, rate_hz // divisor
    if max(up, down) < 2000:  # scipy's filter becomes too long for large ratios
        half = 80 * max(up, down)
        taps = np.sinc(np.arange(-half, half + 1) / max(up, down)) * np.kaiser(2 * half + 1, 10)
        references.append(resample_poly(sound, up, down, window=taps / taps.sum())[: len(heard)])
    inner = slice(3000, len(heard) - 3000)
    for wanted in references:
        error = heard[inner, 0] - wanted[inner]
        assert np.sqrt(np.mean(error**2)) < 1e-4 * np.sqrt(np.mean(wanted[inner] ** 2))


@pytest.mark.parametrize("block_samples", [1, 777, 44_100, 10**7])
def test_block_size_changes_nothing(tmp_path: Path, block_samples: int) -> None:
    seconds = 1.05
    info = probe(write(tmp_path / "take.wav", tone(seconds, 22_050, 2), 22_050))
    blocks = list(read_blocks(info, block_samples))
    assert {len(b) for b in blocks[:-1]} <= {block_samples}
    assert np.array_equal(np.concatenate(blocks), np.concatenate(list(read_blocks(info))))


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """Decode twenty minutes (212 MB of samples) in a process and measure its memory."""
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 8_000, 1, "PCM_16") as file:
        for _ in range(1200):
            file.write(np.zeros(8_000))
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from appliance.audio.recording import probe, read_blocks\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "total = sum(len(b) for b in read_blocks(probe(Path(sys.argv[1]))))\n"
        "print(total, peak() - before)"
    )
    result = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    total, grown_kib = map(int, result.stdout.split())
    assert total == 1200 * 44_100
    assert grown_kib < 40 * 1024
