"""The installer: what it refuses, with which message, and that a refused installation leaves nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.bundle_stand_in import Computer, need, new_key, run_file

from bundle.tools.signing import SigningKey

SHELLS = {"dash": ("dash",), "busybox": ("busybox", "sh"), "bash": ("bash", "--posix")}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    need("minisign")
    return new_key(tmp_path_factory.mktemp("keys") / "ours")


@pytest.fixture(scope="module")
def first(key: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_file(tmp_path_factory.mktemp("first"), key, "1.9.0")


@pytest.fixture(scope="module")
def second(key: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_file(tmp_path_factory.mktemp("second"), key, "1.10.0")


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


def altered(file: Path, folder: Path, place: int, bit: int = 0x10) -> Path:
    """A copy of ``file`` and its signature with one ``bit`` flipped at byte ``place``."""
    folder.mkdir(exist_ok=True)
    copy = folder / file.name
    data = bytearray(file.read_bytes())
    data[place] ^= bit
    copy.write_bytes(data)
    shutil.copy(f"{file}.minisig", f"{copy}.minisig")
    return copy


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_installs_and_upgrades(
    first: Path, second: Path, key: SigningKey, computer: Computer, shell: str
) -> None:
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"no {shell} here")
    computer.shell = SHELLS[shell]
    done = computer.install(first, "--yes")
    assert done.returncode == 0, done.stderr
    # The key id that minisign wrote into the comment of the key file.
    assert key.public.splitlines()[0].split()[-1] in done.stdout
    assert str((computer.prefix / "current").readlink()) == "releases/1.9.0"
    done = computer.install(second, "--yes")
    assert done.returncode == 0, done.stderr
    assert "key" not in done.stdout
    assert str((computer.prefix / "current").readlink()) == "releases/1.10.0"
    assert not (computer.prefix / "staging").exists()


def test_syntax_is_valid_in_every_shell(first: Path, tmp_path: Path) -> None:
    header = tmp_path / "header.sh"
    header.write_bytes(first.read_bytes().partition(b"\nexit\n")[0])
    for shell in SHELLS.values():
        if shutil.which(shell[0]):
            subprocess.run([*shell, "-n", header], check=True)


@pytest.mark.parametrize(
    ("programs", "says"),
    [
        ({"id": "echo 1000"}, "Only root"),
        ({"uname": '[ "$1" = -s ] && echo Linux || echo aarch64'}, "Linux on aarch64"),
        ({"uname": '[ "$1" = -s ] && echo FreeBSD || echo x86_64'}, "FreeBSD"),
        ({"cat": "echo 'flags : fpu ssse3 cx16 sse4_1'"}, "lacks popcnt sse4_2,"),
        ({"cat": "exit 1"}, "/proc/cpuinfo does not say"),
        ({"df": "echo F 1 2 3000 4% /a"}, "Only 2 MB are free"),
        ({"df": "echo a disk 1 2 3000 4% '/a mount 5 point'"}, "Only 2 MB are free"),
        ({"df": "exit 1"}, "df does not say how much space is free"),
        ({"cp": "exit 1"}, "could not be copied"),
        ({"mktemp": "exit 1"}, "/opt/staging cannot be written to"),
    ],
)
def test_an_unsuitable_computer(first: Path, computer: Computer, programs: dict[str, str], says: str) -> None:
    computer.answers |= programs
    done = computer.install(first, "--yes")
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.count("\n") == 1, "one line"
    assert computer.untouched


@pytest.mark.parametrize(
    ("probe", "says"),
    [
        ("echo 2.27", "This system has GNU C library 2.27, and Backline needs 2.28 or later"),
        ("exit 127", "This system does not use the GNU C library"),
        ("echo 2.28", ""),
        ("echo 2.100", ""),
        ("echo 3", ""),
    ],
)
def test_the_c_library(key: SigningKey, computer: Computer, tmp_path: Path, probe: str, says: str) -> None:
    done = computer.install(run_file(tmp_path / "made", key, "1.3", probe), "--yes")
    assert done.returncode == (1 if says else 0)
    assert done.stderr.startswith(f"backline: {says}" if says else "")
    assert computer.untouched or not says
    if says:
        assert "Debian 10, Ubuntu 20.04, RHEL, Rocky or Alma 8, openSUSE Leap 15 or later" in done.stderr


def test_no_terminal_to_ask(first: Path, computer: Computer) -> None:
    done = computer.install(first)
    assert done.returncode == 1
    assert "add --yes" in done.stderr
    assert computer.untouched


def test_asks(first: Path, computer: Computer) -> None:
    done = computer.install(first, typed="n\n")
    assert done.returncode == 1
    assert f"Install Backline 1.9.0 into {computer.prefix}" in done.stdout
    assert computer.untouched
    assert computer.install(first, typed="y\n").returncode == 0
    assert (computer.prefix / "current").exists()


def test_an_unknown_option(first: Path, computer: Computer) -> None:
    done = computer.install(first, "--yes", "--force")
    assert done.returncode == 1
    assert "Unknown option --force" in done.stderr
    assert computer.untouched


@pytest.mark.parametrize("share", [0.003, 0.05, 0.2, 0.5, 0.9, 1.0])
def test_an_altered_byte(first: Path, computer: Computer, tmp_path: Path, share: float) -> None:
    place = int(share * (first.stat().st_size - 1))
    done = computer.install(altered(first, tmp_path / "stick", place), "--yes")
    assert done.returncode != 0
    assert computer.untouched


@pytest.mark.parametrize("words", [b"refuse() {", b" unpack ", b'main "$@"'])
def test_damage_to_the_script_is_found_before_it_runs(
    first: Path, computer: Computer, tmp_path: Path, words: bytes
) -> None:
    place = first.read_bytes().index(words)
    done = computer.install(altered(first, tmp_path / "stick", place), "--yes")
    assert done.returncode == 1 and "is damaged" in done.stderr
    assert not computer.prefix.exists() and computer.untouched


def test_a_comment_that_becomes_a_quotation(first: Path, computer: Computer, tmp_path: Path) -> None:
    header = first.read_bytes()[:1_500]  # the first command and more
    places = [place for place, byte in enumerate(header) if byte == ord("#")]
    assert len(places) > 5
    for place in places:
        done = computer.install(altered(first, tmp_path / "stick", place, ord("#") ^ ord('"')), "--yes")
        assert done.returncode != 0, header[place : place + 40]
        assert computer.untouched


def test_cut_off_and_longer(first: Path, computer: Computer, tmp_path: Path) -> None:
    for name, data in {"short": first.read_bytes()[:-1], "long": first.read_bytes() + b"x"}.items():
        copy = tmp_path / name / first.name
        copy.parent.mkdir()
        copy.write_bytes(data)
        shutil.copy(f"{first}.minisig", f"{copy}.minisig")
        done = computer.install(copy, "--yes")
        assert "has no valid signature by a trusted key" in done.stderr
        assert computer.untouched


def test_no_signature(first: Path, computer: Computer, tmp_path: Path) -> None:
    copy = shutil.copy(first, tmp_path / first.name)
    done = computer.install(Path(copy), "--yes")
    assert "minisig is missing" in done.stderr
    assert computer.untouched


@pytest.mark.parametrize("line", range(4))
def test_an_altered_signature(first: Path, computer: Computer, tmp_path: Path, line: int) -> None:
    copy = altered(first, tmp_path / "stick", 0)
    shutil.copy(first, copy)
    signature = copy.with_name(copy.name + ".minisig")
    lines = signature.read_text().splitlines()
    at = len(lines[line]) // 2
    lines[line] = lines[line][:at] + ("A" if lines[line][at] != "A" else "B") + lines[line][at + 1 :]
    signature.write_text("\n".join(lines) + "\n")
    done = computer.install(copy, "--yes")
    if line == 0:  # the untrusted comment, which is never shown
        assert done.returncode == 0
    else:
        assert done.returncode == 1
        assert computer.untouched


def test_a_foreign_key(first: Path, computer: Computer, tmp_path: Path) -> None:
    """Our file signed with another key: at the first installation the key in the header counts."""
    stranger = new_key(tmp_path / "stranger")
    copy = Path(shutil.copy(first, tmp_path / first.name))
    stranger.sign(copy, "backline release 1.9.0 linux-x86_64")
    done = computer.install(copy, "--yes")
    assert "has no valid signature by a trusted key" in done.stderr
    assert computer.untouched


def test_the_pinned_key_counts(first: Path, computer: Computer, tmp_path: Path) -> None:
    """A complete bundle by a stranger, with their key inside, is refused where our key is pinned."""
    assert computer.install(first, "--yes").returncode == 0
    theirs = run_file(tmp_path / "theirs", new_key(tmp_path / "stranger"), "2.0.0")
    done = computer.install(theirs, "--yes")
    assert done.returncode == 1
    assert "trusted keys" in done.stderr
    assert sorted(path.name for path in computer.prefix.iterdir()) == ["current", "keys", "releases"]
    assert str((computer.prefix / "current").readlink()) == "releases/1.9.0"


def test_an_installation_without_keys_trusts_nothing(first: Path, second: Path, computer: Computer) -> None:
    assert computer.install(first, "--yes").returncode == 0
    (computer.prefix / "keys" / "backline.pub").unlink()
    assert computer.install(second, "--yes").returncode == 1


def test_the_signature_of_another_version(
    first: Path, second: Path, key: SigningKey, computer: Computer, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(first, tmp_path / first.name))
    shutil.copy(f"{second}.minisig", f"{copy}.minisig")
    assert "has no valid signature" in computer.install(copy, "--yes").stderr
    key.sign(copy, "backline pack reference 3")
    assert (
        "is the signature of 'backline pack reference 3', not of Backline"
        in computer.install(copy, "--yes").stderr
    )
    assert computer.untouched


def test_an_older_version(first: Path, second: Path, computer: Computer) -> None:
    """1.9.0 is older than 1.10.0, although it sorts after it as text."""
    assert computer.install(second, "--yes").returncode == 0
    done = computer.install(first, "--yes")
    assert done.returncode == 1
    assert "1.10.0 is installed, and 1.9.0 is older; add --allow-downgrade" in done.stderr
    done = computer.install(first, "--yes", "--allow-downgrade")
    assert done.returncode == 0
    assert "--allow-downgrade" in Path(f"{computer.prefix}.log").read_text()


def test_a_failed_self_test_leaves_nothing(first: Path, computer: Computer) -> None:
    Path(f"{computer.prefix}.breaks").touch()
    done = computer.install(first, "--yes")
    assert done.returncode == 1
    assert "self-test failed" in done.stderr
    assert not computer.prefix.exists()
