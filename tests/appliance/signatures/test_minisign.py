"""Backline accepts the signatures that minisign accepts, and refuses every altered byte in a sentence."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from support.signer import Signer

from appliance.errors import BacklineError, SignatureError
from appliance.signatures.minisign import (
    LARGEST_UNHASHED_BYTES,
    PublicKey,
    Signature,
    Signed,
    signature_of,
    verified,
    verified_file,
)

SIGNED = Path(__file__).parents[2] / "data" / "signed"
"""Signed once with minisign 0.11; the secret keys were deleted."""

HOUSE = PublicKey.read(SIGNED / "house.pub")
OTHER = PublicKey.read(SIGNED / "other.pub")


@pytest.fixture(scope="module")
def minisign() -> str:
    program = shutil.which("minisign")
    if program is None:
        pytest.skip("minisign is not installed (Debian and Ubuntu: apt install minisign)")
    return program


def refusal(data: bytes, signature: bytes, *keys: PublicKey) -> str:
    with pytest.raises(SignatureError) as caught:
        verified("file", io.BytesIO(data), Signature.parse(signature, "file.minisig"), keys)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    return str(caught.value)


def test_signatures_of_minisign_are_valid() -> None:
    signed = Signed(HOUSE.id, "backline pack note 1")
    assert verified_file(SIGNED / "note.txt", [OTHER, HOUSE]) == signed
    empty = verified_file(SIGNED / "empty.txt", [HOUSE])
    assert empty.comment.startswith("timestamp:") and "file:empty.txt" in empty.comment
    legacy = Signature.read(SIGNED / "note.txt.legacy")
    assert not legacy.hashed
    with (SIGNED / "note.txt").open("rb") as stream:
        assert verified("note.txt", stream, legacy, [HOUSE]) == signed


def test_a_key_is_named_as_minisign_names_it() -> None:
    first = (SIGNED / "house.pub").read_text().splitlines()[0]
    assert first.rpartition(" ")[2] == HOUSE.id
    assert PublicKey.parse(HOUSE.text().encode(), "") == HOUSE


@pytest.mark.parametrize("name", ["note.txt.minisig", "note.txt.legacy"])
def test_every_flipped_byte_of_a_signature_is_refused(name: str) -> None:
    whole, data = (SIGNED / name).read_bytes(), (SIGNED / "note.txt").read_bytes()
    free = range(len(b"untrusted comment: "), whole.index(b"\n"))  # the untrusted comment is not signed
    kept = [at for at in range(len(whole)) for bit in (0, 3, 5, 7) if holds(whole, at, bit, data)]
    assert {at for at in kept if at not in free} == set()
    assert kept, "the untrusted comment may say anything"


def holds(whole: bytes, at: int, bit: int, data: bytes) -> bool:
    spoiled = bytearray(whole)
    spoiled[at] ^= 1 << bit
    try:
        signature = Signature.parse(bytes(spoiled), "")
        return verified("", io.BytesIO(data), signature, [HOUSE]).comment == "backline pack note 1"
    except BacklineError:
        return False


def test_every_flipped_byte_of_a_key_or_a_file_is_refused() -> None:
    whole = (SIGNED / "house.pub").read_bytes()
    data, signature = ((SIGNED / name).read_bytes() for name in ("note.txt", "note.txt.minisig"))
    for at in range(whole.index(b"\n") + 1, len(whole)):
        for bit in (0, 3, 5, 7):
            spoiled = bytearray(whole)
            spoiled[at] ^= 1 << bit
            with pytest.raises(SignatureError):
                key = PublicKey.parse(bytes(spoiled), "key")
                verified("", io.BytesIO(data), Signature.parse(signature, ""), [key])
    for at in range(len(data)):
        other = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert "altered after" in refusal(other, signature, HOUSE)


def test_refusals_say_what_is_wrong(tmp_path: Path) -> None:
    data, signature = ((SIGNED / name).read_bytes() for name in ("note.txt", "note.txt.minisig"))
    assert f"signed by key {HOUSE.id}, but this computer trusts {OTHER.id}" in refusal(data, signature, OTHER)
    assert "trusts none" in refusal(data, signature)
    spoiled = signature.replace(b"pack note 1", b"pack note 2")
    assert "trusted comment was altered" in refusal(data, spoiled, HOUSE)
    for text in (b"", b"\xff\n" * 4, signature + b"\n", signature.replace(b"\n", b"\r\n"), signature * 2):
        assert "not a minisign signature" in refusal(data, text, HOUSE)
    lonely = tmp_path / "note.txt"
    lonely.write_bytes(data)
    for spoil, said in ((None, "no such file"), (b"x" * 5000, "too large")):
        if spoil is not None:
            signature_of(lonely).write_bytes(spoil)
        with pytest.raises(SignatureError, match=said):
            verified_file(lonely, [HOUSE])


def test_a_different_key_with_the_same_id_is_refused(tmp_path: Path) -> None:
    data, signature = ((SIGNED / name).read_bytes() for name in ("note.txt", "note.txt.minisig"))
    assert "altered after" in refusal(data, signature, PublicKey(HOUSE.id, OTHER.key))


def test_large_files_must_be_signed_prehashed() -> None:
    large, signer = bytes(LARGEST_UNHASHED_BYTES + 1), Signer()
    assert "prehashed" in refusal(large, signer.text(large, "x", legacy=True).encode(), signer.public)
    signature = Signature.parse(signer.text(large, "x").encode(), "")
    assert verified("", io.BytesIO(large), signature, [signer.public]).comment == "x"


def test_minisign_accepts_the_signatures_of_the_tests_signer(minisign: str, tmp_path: Path) -> None:
    file, signer = tmp_path / "file", Signer()
    file.write_bytes(b"some bytes" * 1000)
    signer.sign(file, "backline release 1.2 linux-x86_64")
    (tmp_path / "key.pub").write_text(signer.public.text())
    command = [minisign, "-V", "-Q", "-m", str(file), "-p", str(tmp_path / "key.pub")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.strip() == verified_file(file, [signer.public]).comment


def test_signatures_of_the_installed_minisign_are_valid(minisign: str, tmp_path: Path) -> None:
    public, secret, file = tmp_path / "key.pub", tmp_path / "key", tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 20_000)  # 5 MB: more than one block
    run = lambda *words: subprocess.run([minisign, *words], check=True, capture_output=True)  # noqa: E731
    run("-G", "-W", "-p", str(public), "-s", str(secret))
    run("-S", "-s", str(secret), "-m", str(file), "-t", "backline release 0.2.0 linux-x86_64")
    key = PublicKey.read(public)
    assert verified_file(file, [key]) == Signed(key.id, "backline release 0.2.0 linux-x86_64")
