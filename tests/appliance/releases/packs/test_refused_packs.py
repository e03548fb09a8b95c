"""Hundreds of bad packs are each refused with one sentence, and leave no file.

Some were altered after signing, so their signature is wrong. The others have a valid signature: by an
untrusted key, or by the right key over content that no pack may have.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest
from support.releases.pack_files import TOP, carried, contents, entry, tar_of, versioned
from support.releases.stand_in import StandIn
from support.signer import Signer

from appliance.errors import BacklineError
from appliance.releases.packs.installed import install

SEED = 6
AT_LEAST = 200

Files = dict[str, bytes]
Altered = tuple[str, bytes, bytes]
"""The alteration, the archive and its signature."""


def signed(what: str, archive: bytes, signer: Signer, comment: str = "backline pack fake 1") -> Altered:
    return what, archive, signer.text(archive, comment).encode()


def flipped(data: bytes, chance: random.Random) -> bytes:
    spoiled = bytearray(data)
    spoiled[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def altered_on_the_way(files: Files, signer: Signer, chance: random.Random) -> Iterator[Altered]:
    _, archive, signature = signed("", tar_of(files), signer)
    for number in range(40):
        yield f"archive flipped {number}", flipped(archive, chance), signature
    for number in range(20):
        end = signature.index(b"\n") + 1  # the line before is the untrusted comment
        yield f"signature flipped {number}", archive, signature[:end] + flipped(signature[end:], chance)
    for share in (0.0, 0.1, 0.5, 0.9, 0.98):
        yield f"archive cut at {share}", archive[: int(share * len(archive))], signature
        yield f"signature cut at {share}", archive, signature[: int(share * len(signature))]
    yield "archive with a tail", archive + b"\0", signature
    yield "signature of another file", archive, signer.text(b"other", "backline pack fake 1").encode()
    yield "no archive at all", b"", signature


def not_from_here(files: Files, signer: Signer) -> Iterator[Altered]:
    archive, stranger = tar_of(files), Signer(2)
    yield signed("wrong key", archive, stranger)
    posing = Signer(2).text(archive, "backline pack fake 1").encode()
    yield "wrong key that is not even known by its id", archive, posing.replace(b"made by a test", b"house")
    for comment in ("backline release 1 linux-x86_64", "backline pack fake", "backline pack fake 1 2", "",
                    "backline pack ../fake 1", "backline pack fake 1/../2", "backline pack fake one",
                    "backline pack other 1", "backline pack fake 2", "backline pack fake 0.9"):  # fmt: skip
        yield signed(f"signed as {comment!r}", archive, signer, comment)
    for comment in ("backline pack other 1", "backline pack fake 3"):
        yield signed("manifest of another", tar_of(files, comment[14:].replace(" ", "-")), signer, comment)


def carelessly_signed(files: Files, signer: Signer, chance: random.Random) -> Iterator[Altered]:
    for name, data in files.items():
        for number in range(4):
            if name == "pack.json.minisig":
                end = data.index(b"\n") + 1
                spoiled = data[:end] + flipped(data[end:], chance)
            else:
                spoiled = flipped(data, chance)
            yield signed(f"{name} flipped {number}", tar_of({**files, name: spoiled}), signer)
        yield signed(f"{name} missing", tar_of({n: d for n, d in files.items() if n != name}), signer)
        yield signed(f"{name} empty", tar_of({**files, name: b""}), signer)
        yield signed(f"{name} longer", tar_of({**files, name: data + b"\0"}), signer)
    for one, other in (("denoiser.bin", "fit.bin"), ("planner.xml", "fit.xml"), ("band.sf2", "fit.bin")):
        yield signed(f"{one} swapped", tar_of({**files, one: files[other], other: files[one]}), signer)
    stranger = Signer(2).text(files["pack.json"], "backline pack fake 1").encode()
    yield signed("inner signature of a stranger", tar_of({**files, "pack.json.minisig": stranger}), signer)
    yield signed("one file too many", tar_of({**files, "plugin.so": b"\x7fELF"}), signer)
    older = json.dumps({**json.loads(files["pack.json"]), "version": "0.5"}).encode()
    old = {**files, "pack.json": older}
    old["pack.json.minisig"] = signer.text(older, "backline pack fake 0.5").encode()
    yield signed("older version", tar_of(old, "fake-0.5"), signer, "backline pack fake 0.5")


def no_plain_tar(files: Files, signer: Signer) -> Iterator[Altered]:
    inside = ("../x", "../../x", "a/../../../x", "/x", "./x", ".hidden", "a\nb", "a b", "ä", "C:x", "a\\b",
              "n" * 300)  # fmt: skip
    names = (*(f"{TOP}/{name}" for name in inside), "/etc/cron.d/x", "../x", "x", "..", ".", "other/x", "~/x",
             f"{TOP}-/x", f"/{TOP}/x")  # fmt: skip
    for name in names:
        for kind in (tarfile.REGTYPE, tarfile.DIRTYPE):
            yield signed(f"{name!a} {kind!r}", tar_of(files, more=(entry(name, kind),)), signer)
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        for link in ("/etc/passwd", "../../keys", "pack.json", f"{TOP}/denoiser.bin"):
            linked = (entry(f"{TOP}/more", kind, link=link),)
            yield signed(f"link {kind!r} to {link}", tar_of(files, more=linked), signer)
            without = {name: data for name, data in files.items() if name != "fit.bin"}
            instead = (entry(f"{TOP}/fit.bin", kind, link=link),)
            yield signed(f"link {kind!r} instead of a file", tar_of(without, more=instead), signer)
    for kind in (b"%c" % letter for letter in b"3467SVMgxLKZ"):  # devices, a fifo, GNU's and pax's own
        yield signed(f"type {kind!r}", tar_of(files, more=(entry(f"{TOP}/more", kind),)), signer)
    for name in files:
        yield signed(f"{name} twice", tar_of(files, more=(entry(f"{TOP}/{name}"),)), signer)
    yield signed("the folder twice", tar_of(files, more=(entry(TOP, tarfile.DIRTYPE),)), signer)
    yield signed("a file named as the folder", tar_of(files, more=(entry(TOP),)), signer)


def bombs(files: Files, signer: Signer) -> Iterator[Altered]:
    archive = tar_of(files)
    for size in (1 << 20, 1 << 32, 8**11 - 1):
        cut = tar_of({})[: -(-len(tar_of({})) // 512) * 512 - 10240 + 512]
        header = entry(f"{TOP}/denoiser.bin", size=size).tobuf(tarfile.GNU_FORMAT)
        yield signed(f"{size} bytes that are not there", cut + header + bytes(1024), signer)
    for size in (8**11, 1 << 60):
        header = entry(f"{TOP}/x", size=size).tobuf(tarfile.GNU_FORMAT)  # in base 256
        yield signed(f"{size} bytes", header + bytes(1024), signer)
    yield signed("a manifest of 5 MB", tar_of({**files, "pack.json": b" " * (5 << 20)}), signer)
    yield signed("a signature of 1 MB", tar_of({**files, "pack.json.minisig": b" " * (1 << 20)}), signer)
    many = {**files, **{f"f{n}": b"" for n in range(1100)}}
    yield signed("1,100 files", tar_of(many), signer)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(entry(f"{TOP}/zeros", size=1 << 20), io.BytesIO(bytes(1 << 20)))
    yield signed("compressed", packed.getvalue(), signer)
    for what, data in (("zeros", bytes(4096)), ("nothing", b""), ("text", b"la la la\n" * 500)):
        yield signed(what, data, signer)
    yield signed("something behind the end", archive + b"\1" + bytes(511), signer)
    yield signed("no end", archive.rstrip(b"\0"), signer)
    wrong = bytearray(archive)
    wrong[148:156] = b"0000000\0"
    yield signed("wrong checksum", bytes(wrong), signer)


@pytest.fixture
def shelf(place: StandIn, fake_pack: Path) -> StandIn:
    """An installation that trusts the signer and has version 0.6 of the pack."""
    place.layout.packs.mkdir()
    versioned(fake_pack, place.layout.packs / "fake-0.6", "0.6", place.signer)
    place.signer.trusted_in(place.layout.keys)
    return place


@pytest.fixture
def files(fake_pack: Path, tmp_path: Path) -> Files:
    return contents(versioned(fake_pack, tmp_path / "whole", "1", Signer()))


def state(folder: Path) -> dict[str, str]:
    """Every path below a folder, with the hash of its content or its mode."""
    paths = [path for path in sorted(folder.rglob("*")) if path.name != ".lock"]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else str(path.lstat().st_mode)
        for path in paths
    }


def refused(shelf: StandIn, what: str, source: Path) -> str:
    with pytest.raises(BacklineError) as caught:
        install(shelf.layout, source, allow_downgrade=False)
        pytest.fail(f"{what} was taken")
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value), what
    return str(caught.value)


@pytest.mark.slow
def test_altered_archives(shelf: StandIn, files: Files, tmp_path: Path) -> None:
    chance, signer = random.Random(SEED), shelf.signer
    makers = (altered_on_the_way(files, signer, chance), carelessly_signed(files, signer, chance),
              not_from_here(files, signer), no_plain_tar(files, signer), bombs(files, signer))  # fmt: skip
    source = tmp_path / "stick" / "fake.backline-pack"
    source.parent.mkdir()
    before = state(shelf.layout.prefix)
    count = 0
    for what, archive, signature in chain(*makers):
        source.write_bytes(archive)
        source.with_name(source.name + ".minisig").write_bytes(signature)
        sentence = refused(shelf, what, source)
        assert str(source) in sentence or "pack.json" in sentence or ": " in sentence, what
        assert state(shelf.layout.prefix) == before, what
        count += 1
    assert count >= AT_LEAST, count
    print(f"{count} archives refused")
    whole = carried(tmp_path / "whole", source, signer)
    assert install(shelf.layout, whole, allow_downgrade=False) == TOP, "and the whole one is taken"


Spoil = Callable[[Path], object]


@pytest.mark.slow
def test_altered_folders(shelf: StandIn, files: Files, fake_pack: Path, tmp_path: Path) -> None:
    chance, outside = random.Random(SEED), tmp_path / "outside"
    outside.write_bytes(files["fit.bin"])
    source = tmp_path / "whole"
    before, whole = state(shelf.layout.prefix), dict(files)
    spoils: list[tuple[str, Spoil]] = []
    for name, data in whole.items():
        if name != "pack.json.minisig":
            for number in range(3):
                spoiled = flipped(data, chance)
                spoils.append(
                    (f"{name} flipped {number}", lambda p, n=name, d=spoiled: (p / n).write_bytes(d))
                )
        spoils.append((f"{name} gone", lambda p, n=name: (p / n).unlink()))
        spoils.append((f"{name} a link", lambda p, n=name: linked(p / n, outside)))
    spoils.append(("a stranger's", lambda p: Signer(2).sign_pack(p)))
    spoils.append(("signed as another", lambda p: shelf.signer.sign_pack(p, "backline pack fake 2")))
    spoils.append(("an older one", lambda p: renamed(p, shelf.signer, version="0.5")))
    spoils.append(("no version", lambda p: renamed(p, shelf.signer, version="one")))
    spoils.append(("a name that leaves", lambda p: renamed(p, shelf.signer, name="../fake")))
    for what, spoil in spoils:
        for name, data in whole.items():
            (source / name).unlink(missing_ok=True)
            (source / name).write_bytes(data)
        spoil(source)
        refused(shelf, what, source)
        assert state(shelf.layout.prefix) == before, what
    assert len(spoils) > 80


def linked(file: Path, target: Path) -> None:
    file.unlink()
    file.symlink_to(target)


def renamed(folder: Path, signer: Signer, **facts: str) -> None:
    text = json.loads((folder / "pack.json").read_text())
    (folder / "pack.json").write_text(json.dumps({**text, **facts}))
    signer.sign_pack(folder)
