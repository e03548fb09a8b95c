"""The pack changes while the service runs: the running job uses the old one, the next job the new one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import soundfile
from support.signer import Signer
from support.vocals import sung
from support.watch.service import Service

from appliance.files.durable import set_link

pytestmark = pytest.mark.service


@pytest.fixture
def packs(fake_pack: Path, tmp_path: Path) -> Path:
    """Packs ``one``, ``two``, ``broken`` (altered), ``forged`` (untrusted); ``active`` links to ``one``."""
    folder, signer = tmp_path / "packs", Signer()
    for version, name in enumerate(("one", "two", "broken", "forged")):
        shutil.copytree(fake_pack, folder / name)
        facts = json.loads((folder / name / "pack.json").read_text())
        (folder / name / "pack.json").write_text(json.dumps({**facts, "version": str(version)}))
        signer.sign_pack(folder / name)
    weights = folder / "broken" / "denoiser.bin"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\xff")
    Signer(2).sign_pack(folder / "forged")
    signer.trusted_in(tmp_path / "keys")
    set_link(folder / "active", "one")
    return folder


def rendered(service: Service, song: Path, name: str) -> str:
    """Drop ``song`` as ``name`` and wait for its result; returns the pack version in the receipt."""
    service.drop(song, f"{name}.wav")
    service.until_quiet()
    return version(service, name)


def version(service: Service, name: str) -> str:
    receipt = json.loads((service.root / "outbox" / name / f"{name}.receipt.json").read_text())
    return str(receipt["pack"]["version"])


def test_the_pack_changes_while_the_service_runs(packs: Path, tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, sung(4.0), 44_100, subtype="FLOAT")
    root = tmp_path / "service"
    environment = {"BACKLINE_KEYS": str(tmp_path / "keys")}
    with Service(root, packs / "active", environment=environment) as service:
        service.drop(song, "first.wav")
        service.start()
        service.until(
            lambda: service.status().get("running") or service.status().get("counts", {}).get("done")
        )
        service.drop(song, "next.wav")  # queued for the old pack, rendered with the new one
        set_link(packs / "active", "two")
        service.until_quiet()
        assert version(service, "first") == "0" and version(service, "next") == "1"
        assert service.status()["pack"]["version"] == "1"

        for bad, said in (("broken", "denoiser.bin: altered"), ("forged", "signed by key")):
            set_link(packs / "active", bad)
            assert rendered(service, song, bad) == "1", "the pack before goes on"
            service.until(lambda said=said: said in service.status()["pack_trouble"], said)
            assert service.status()["state"] == "idle" and service.status()["paused"] is None
        assert service.log.count("The pack of the settings does not work") == 2

        set_link(packs / "active", "one")
        assert rendered(service, song, "back") == "0"
        assert service.status()["pack_trouble"] == ""
        assert service.status()["engine_deaths"] == 0 and service.stop() == 0
