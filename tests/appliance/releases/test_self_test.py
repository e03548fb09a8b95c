"""The self-test of a release: it passes with the reference pack, and fails for each kind of wrong result."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from appliance.errors import BacklineError, PackError, ReleaseError
from appliance.releases import self_test as module
from appliance.releases.self_test import KEY, self_test


@pytest.fixture
def tree(tmp_path: Path, demo_vocal: Path, fake_pack: Path) -> Path:
    """A release with six seconds of the demo, and the fake pack, which always detects C major."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "packs").mkdir()
    samples, rate_hz = soundfile.read(demo_vocal, frames=6 * soundfile.info(demo_vocal).samplerate)
    soundfile.write(tmp_path / "demo/vocal.flac", samples, rate_hz)
    (tmp_path / "packs/reference").symlink_to(fake_pack)
    return tmp_path


@pytest.mark.slow
def test_the_reference_passes(root: Path, reference_pack: Path, demo_vocal: Path) -> None:
    said = self_test(root)
    assert said.startswith(f"Self-test passed: 48 s of singing in {KEY}, 2,116,800 samples at -16.")
    assert "\n" not in said


@pytest.mark.slow
def test_whatever_is_not_as_it_must_be(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert self_test(tree, key="C major").startswith("Self-test passed: 6 s of singing in C major, 264,600")
    with pytest.raises(ReleaseError, match="detected key is C major instead of Ab major"):
        self_test(tree)
    monkeypatch.setattr(module, "LOUDNESS_LUFS", -14.0)
    with pytest.raises(ReleaseError, match=r"has -16\.\d LUFS instead of -14"):
        self_test(tree, key="C major")


def test_a_release_without_its_parts(tree: Path) -> None:
    (tree / "packs/reference").unlink()
    with pytest.raises(PackError):
        self_test(tree)
    (tree / "demo/vocal.flac").unlink()
    with pytest.raises(BacklineError):
        self_test(tree)
