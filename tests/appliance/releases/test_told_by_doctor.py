"""``backline doctor`` reports the current release and pack, and who signed the pack."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.releases.pack_files import versioned
from support.releases.stand_in import StandIn

from appliance.doctor.installation import check_release
from appliance.doctor.pack import check_pack
from appliance.files.durable import set_link
from appliance.releases.activate import activate


def test_releases(place: StandIn) -> None:
    assert check_release().sentence == f"No release is installed in {place.layout.prefix}."
    activate(place.staged("1.0"), place.layout, allow_downgrade=False, say=place.say)
    assert "Release 1.0; no previous release." in check_release().sentence
    activate(place.staged("1.1"), place.layout, allow_downgrade=False, say=place.say)
    told = check_release()
    assert told.status == "ok" and told.facts["release"] == "1.1" and told.facts["previous"] == "1.0"
    set_link(place.layout.unconfirmed, "releases/1.0")
    told = check_release()
    assert told.status == "warn" and "1.1 is not confirmed" in told.sentence and told.remedy


def test_signatures(place: StandIn, fake_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = versioned(fake_pack, tmp_path / "pack", "1", place.signer)
    set_link(tmp_path / "active", "pack")
    told = check_pack(tmp_path / "active")
    assert told.status == "ok" and "its signature is not checked" in told.sentence
    monkeypatch.setenv("BACKLINE_KEYS", str(place.signer.trusted_in(tmp_path / "keys")))
    told = check_pack(tmp_path / "active")
    assert told.sentence == (
        f"The pack {tmp_path}/active ({pack}) is intact; signed by key {place.signer.public.id}."
    )
    signature = (pack / "pack.json.minisig").rename(tmp_path / "aside")
    told = check_pack(tmp_path / "active")
    assert told.status == "fail" and "pack.json.minisig" in told.sentence and told.exit_code == 4
    signature.rename(pack / "pack.json.minisig")
    monkeypatch.setenv("BACKLINE_KEYS", str(tmp_path / "nowhere"))
    assert "cannot read the trusted keys" in check_pack(tmp_path / "active").sentence
