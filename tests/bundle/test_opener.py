"""The opener against minisign, against Python's tarfile, and against archives made to do harm."""

from __future__ import annotations

import gzip
import io
import random
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.bundle_stand_in import need, new_key, opener

from bundle.compiled.opener import OPENER
from bundle.tools.archive import write_tar_gz

REFUSED, NOT_WRITTEN = 1, 3
MOST = 1 << 20


@pytest.fixture(scope="module")
def program() -> Path:
    return opener().folder / OPENER


def unpacked(
    program: Path, data: bytes, folder: Path, *, before: bytes = b"", most: int = MOST
) -> subprocess.CompletedProcess[str]:
    """Unpack the archive ``data``, which follows ``before`` in a file, into ``folder``/out."""
    folder.mkdir(exist_ok=True)
    (folder / "file").write_bytes(before + data)
    (folder / "out").mkdir()
    words = [program, "unpack", folder / "file", str(len(before)), folder / "out", str(most)]
    return subprocess.run(words, capture_output=True, text=True, env={}, timeout=60)


def listing(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """Mode and content of everything below ``folder``; links are not followed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
        found[str(path.relative_to(folder))] = (path.lstat().st_mode, content)
    return found


def entry(name: str, content: bytes = b"", **facts: object) -> tuple[tarfile.TarInfo, bytes]:
    """An entry of a tar archive."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o644
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info, content


TOP = entry("top", type=tarfile.DIRTYPE, mode=0o755)


def archive(*entries: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    """A tar.gz of ``entries``."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=form) as tar:
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def test_unpacks_what_the_bundle_packs(program: Path, tmp_path: Path) -> None:
    """As tarfile does: sizes around a block and a buffer, long names, empty folders, a file before it."""
    source = tmp_path / "backline-1.2.0"
    for place, size in {"empty": 0, "a/512": 512, "a/513": 513, "a/b/large": 200_000}.items():
        (source / place).parent.mkdir(parents=True, exist_ok=True)
        (source / place).write_bytes(random.Random(size).randbytes(size))
    deep = source / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    (deep / ("f" * 90)).write_text("long")
    (deep / ("naïve" * 12)).write_text("not ASCII")
    (source / "nothing").mkdir()
    (source / "empty").chmod(0o755)
    packed = io.BytesIO()
    write_tar_gz(source, packed, 1_700_000_000)
    done = unpacked(program, packed.getvalue(), tmp_path / "ours", before=b"#!/bin/sh\n" * 99)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    with tarfile.open(fileobj=io.BytesIO(packed.getvalue())) as tar:
        tar.extractall(tmp_path / "theirs", filter="fully_trusted")
    assert listing(tmp_path / "ours" / "out") == listing(tmp_path / "theirs")
    assert len(listing(tmp_path / "theirs")) == 12


def announced(size: int) -> bytes:
    """A tar.gz with an entry of ``size`` bytes, which are missing."""
    info, _ = entry("top/a")
    info.size = size
    header = info.tobuf(tarfile.GNU_FORMAT)
    return gzip.compress(gzip.decompress(archive(TOP))[:512] + header + bytes(512), mtime=0)


def flipped(data: bytes, place: int) -> bytes:
    """The tar.gz ``data`` with one bit of byte ``place`` of its tar flipped."""
    plain = bytearray(gzip.decompress(data))
    plain[place] ^= 1
    return gzip.compress(bytes(plain), mtime=0)


LINK = {"type": tarfile.SYMTYPE, "linkname": "/etc"}
HOSTILE: dict[str, Callable[[], bytes]] = {
    "absolute": lambda: archive(TOP, entry("/etc/passwd", b"x")),
    "absolute folder": lambda: archive(entry("/top", type=tarfile.DIRTYPE)),
    "up": lambda: archive(TOP, entry("top/../../up", b"x")),
    "up at the end": lambda: archive(TOP, entry("top/..", type=tarfile.DIRTYPE)),
    "up at the start": lambda: archive(entry("..", type=tarfile.DIRTYPE)),
    "a dot": lambda: archive(TOP, entry("top/./a", b"x")),
    "two slashes": lambda: archive(TOP, entry("top//a", b"x")),
    "a slash at the end": lambda: archive(TOP, entry("top/a/", b"x")),
    "a line end": lambda: archive(TOP, entry("top/a\nb", b"x")),
    "beside the folder": lambda: archive(TOP, entry("other", b"x")),
    "two folders": lambda: archive(TOP, entry("topper", type=tarfile.DIRTYPE)),
    "no folder": lambda: archive(entry("top/a", b"x")),
    "a file at the top": lambda: archive(entry("top", b"x")),
    "a missing folder": lambda: archive(TOP, entry("top/a/b", b"x")),
    "a file as a folder": lambda: archive(TOP, entry("top/a", b"x"), entry("top/a/b", b"x")),
    "a file twice": lambda: archive(TOP, entry("top/a", b"x"), entry("top/a", b"y")),
    "a folder twice": lambda: archive(TOP, TOP),
    "a symbolic link": lambda: archive(TOP, entry("top/a", **LINK)),
    "a file through a link": lambda: archive(TOP, entry("top/a", **LINK), entry("top/a/b", b"x")),
    "a hard link": lambda: archive(TOP, entry("top/a", type=tarfile.LNKTYPE, linkname="/etc/passwd")),
    "a file with the name of a link": lambda: archive(TOP, entry("top/a", b"x", linkname="/etc/passwd")),
    "a device": lambda: archive(TOP, entry("top/a", type=tarfile.CHRTYPE, devmajor=1, devminor=3)),
    "a disk": lambda: archive(TOP, entry("top/a", type=tarfile.BLKTYPE, devmajor=8)),
    "a pipe": lambda: archive(TOP, entry("top/a", type=tarfile.FIFOTYPE)),
    "a sparse file": lambda: archive(TOP, entry("top/a", b"x" * 512, type=tarfile.GNUTYPE_SPARSE)),
    "a contiguous file": lambda: archive(TOP, entry("top/a", b"x", type=tarfile.CONTTYPE)),
    "set user id": lambda: archive(TOP, entry("top/a", b"x", mode=0o4755)),
    "set group id": lambda: archive(TOP, entry("top/a", type=tarfile.DIRTYPE, mode=0o2755)),
    "writable by all": lambda: archive(TOP, entry("top/a", b"x", mode=0o666)),
    "another format": lambda: archive(TOP, entry("top/" + "é" * 60, b"x"), form=tarfile.PAX_FORMAT),
    "an older format": lambda: archive(TOP, entry("top/a", b"x"), form=tarfile.USTAR_FORMAT),
    "a folder with content": lambda: archive(TOP, entry("top/a", b"x" * 512, type=tarfile.DIRTYPE)),
    "too large": lambda: archive(TOP, entry("top/a", bytes(MOST + 1))),
    "too large together": lambda: archive(TOP, *(entry(f"top/{n}", bytes(MOST // 2)) for n in range(3))),
    "a size of 8 GB": lambda: announced(0o77777777777),
    "a size in base 256": lambda: announced(1 << 40),
    "a name of 5000": lambda: archive(TOP, entry("top/" + "a" * 5000, b"x")),
    "a long name and no entry": lambda: archive(TOP, entry("x", b"top/a\0", type=tarfile.GNUTYPE_LONGNAME)),
    "a wrong checksum": lambda: flipped(archive(TOP, entry("top/a", b"x")), 512 + 2),
    "nothing": lambda: archive(),
    "no gzip": lambda: b"backline" * 100,
    "no tar": lambda: gzip.compress(bytes(range(256)) * 8),
    "cut off": lambda: archive(TOP, entry("top/a", b"x" * 5000))[:-1],
    "cut off within": lambda: archive(TOP, entry("top/a", random.Random(1).randbytes(5000)))[:2000],
    "a wrong sum of the file": lambda: archive(TOP)[:-5] + b"?" + archive(TOP)[-4:],
    "more after it": lambda: archive(TOP) + b"x",
    "another gzip after it": lambda: archive(TOP) + archive(TOP),
    "an entry after its end": lambda: gzip.compress(2 * gzip.decompress(archive(TOP))),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive(program: Path, tmp_path: Path, name: str) -> None:
    """Refused in one sentence; nothing lies outside the folder, and no link or device lies inside."""
    done = unpacked(program, HOSTILE[name](), tmp_path / "here")
    assert done.returncode == REFUSED, name
    assert done.stderr.startswith("the archive is damaged: ") and done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here"]
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["file", "out"]
    assert all(path.is_dir() or path.is_file() for path in (tmp_path / "here").rglob("*"))
    assert not any(path.is_symlink() for path in (tmp_path / "here").rglob("*"))


def test_a_link_that_is_there_already_is_not_followed(program: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "file").write_bytes(archive(TOP, entry("top/a", b"x")))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "top").symlink_to(tmp_path / "outside")
    words = [program, "unpack", tmp_path / "file", "0", tmp_path / "out", str(MOST)]
    assert subprocess.run(words, capture_output=True).returncode == REFUSED
    assert list((tmp_path / "outside").iterdir()) == []


def test_altered_tars_are_refused_or_read_as_tarfile_reads_them(program: Path, tmp_path: Path) -> None:
    """Bytes of the headers altered: what is accepted has the names and bytes that tarfile sees."""
    good = gzip.decompress(
        archive(TOP, entry("top/a", b"first"), entry("top/b", type=tarfile.DIRTYPE), entry("top/b/c", b"2"))
    )
    chance = random.Random(16)
    accepted = 0
    for number in range(200):
        data = bytearray(good)
        block = chance.choice((0, 512, 1536, 2048))
        place = block + chance.randrange(512)
        data[place] = chance.randrange(256)
        total = sum(data[block : block + 148]) + 8 * 32 + sum(data[block + 156 : block + 512])
        data[block + 148 : block + 156] = b"%06o\0 " % total
        folder = tmp_path / str(number)
        done = unpacked(program, gzip.compress(bytes(data), 1), folder)
        assert done.returncode in (0, REFUSED), (number, done.stderr)
        if done.returncode == 0:
            accepted += 1
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                members = tar.getmembers()
                theirs = {
                    each.name: each.isreg() and tar.extractfile(each).read()  # type: ignore[union-attr]
                    for each in members
                }
            ours = {
                str(path.relative_to(folder / "out")): path.is_file() and path.read_bytes()
                for path in (folder / "out").rglob("*")
            }
            assert ours == theirs, number
    assert accepted > 20, "owner and date may be anything"


def test_a_full_disk_is_not_damage(program: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk."""
    (tmp_path / "file").write_bytes(archive(TOP, entry("top/a", bytes(100_000))))
    (tmp_path / "out").mkdir()
    words = f"ulimit -f 8; trap '' XFSZ; exec {program} unpack {tmp_path}/file 0 {tmp_path}/out {MOST}"
    done = subprocess.run(["sh", "-c", words], capture_output=True, text=True)
    assert done.returncode == NOT_WRITTEN
    assert done.stderr == "top/a could not be written (File too large)\n"


def test_the_same_signatures_as_minisign(program: Path, tmp_path: Path) -> None:
    """Its trusted comment if minisign accepts the signature, nothing otherwise."""
    need("minisign")
    ours, theirs = new_key(tmp_path / "ours"), new_key(tmp_path / "theirs")
    file = tmp_path / "file"
    file.write_bytes(random.Random(3).randbytes(200_000))
    signature = ours.sign(file, "backline release 1.2 linux-x86_64")

    def both(key: str) -> tuple[str, int]:
        """What the opener prints; both must agree whether the signature is valid."""
        own = subprocess.run([program, "verify", file, signature, "-P", key], capture_output=True, text=True)
        judge = subprocess.run(
            ["minisign", "-V", "-H", "-Q", "-P", key, "-x", signature, "-m", file],
            capture_output=True,
            text=True,
        )
        assert (own.returncode == 0) == (judge.returncode == 0)
        assert own.stdout == (judge.stdout if judge.returncode == 0 else "")
        return own.stdout, own.returncode

    assert both(ours.line) == ("backline release 1.2 linux-x86_64\n", 0)
    assert both(theirs.line) == ("", REFUSED)
    good, text = file.read_bytes(), signature.read_text()
    for place in (0, 100_000, 199_999):
        data = bytearray(good)
        data[place] ^= 4
        file.write_bytes(data)
        assert both(ours.line) == ("", REFUSED)
    file.write_bytes(good)
    lines = text.splitlines()
    for number in (1, 2, 3):
        for place in (20, len(lines[number]) // 2, len(lines[number]) - 4):
            altered = list(lines)
            letter = "A" if lines[number][place] != "A" else "B"
            altered[number] = lines[number][:place] + letter + lines[number][place + 1 :]
            signature.write_text("\n".join(altered) + "\n")
            assert both(ours.line) == ("", REFUSED)
    for length in (0, 10, len(text) // 2, len(text) - 20):
        signature.write_text(text[:length])
        assert both(ours.line) == ("", REFUSED)
    signature.write_text(text)
    assert both(ours.line)[1] == 0


def test_a_key_file(program: Path, tmp_path: Path) -> None:
    need("minisign")
    key = new_key(tmp_path / "key")
    (tmp_path / "file").write_text("text")
    signature = key.sign(tmp_path / "file", "a comment")
    public = tmp_path / "key" / "key.pub"
    words = [program, "verify", tmp_path / "file", signature, "-p"]
    done = subprocess.run([*words, public], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "a comment\n")
    public.write_text("untrusted comment: none\n")
    assert subprocess.run([*words, public]).returncode == REFUSED
    assert subprocess.run([*words, tmp_path / "missing"]).returncode == REFUSED
