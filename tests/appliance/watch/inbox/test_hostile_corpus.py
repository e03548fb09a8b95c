"""The service with hostile files: it survives, touches no other files, and gives a reason for each rejection.

The whole corpus: ``pytest -m soak -s tests/appliance/watch/inbox/test_hostile_corpus.py``.
``BACKLINE_HOSTILE`` sets the number of files, ``BACKLINE_HOSTILE_SEED`` the seed.
"""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import soundfile
from support.vocals import sung
from support.watch.hostile import disturber
from support.watch.hostile.corpus import Laid, give_away, lay
from support.watch.hostile.kinds import CANARY
from support.watch.hostile.witness import STRACE, below, controls, held, opened, started
from support.watch.invariants import results, torn
from support.watch.service import Service

NOBODY = 65_534
SEED = int(os.environ.get("BACKLINE_HOSTILE_SEED", "1"))
DISTURBER = Path(disturber.__file__)
QUICK = {
    "intake": {"settle_s": 0.3, "scan_s": 0.5, "patience_s": 0, "silent_tail_s": 0},
    "work": {"attempts": 1, "queue_limit": 1000},
}
ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def open_tmp() -> Iterator[Path]:
    """A folder that an unprivileged service can use."""
    path = Path(tempfile.mkdtemp(prefix="backline-hostile-"))
    path.chmod(0o755)
    yield path
    subprocess.run(["chmod", "-R", "u+rwx", path], check=False)
    shutil.rmtree(path)


def ordinary_user() -> tuple[int, tuple[str, ...]]:
    """An unprivileged user, and the command prefix that runs a process as that user.

    It is ``nobody``, or root without capabilities if other users cannot run this interpreter.
    """
    bare = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    nobody = (*bare, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
    able = subprocess.run([*nobody, sys.executable, "-c", program], stderr=subprocess.DEVNULL, check=False)
    return (NOBODY, nobody) if able.returncode == 0 else (0, bare)


class Ordeal:
    """A service that runs as an unprivileged user, with a hostile inbox, and the checks of both."""

    def __init__(self, root: Path, pack: Path, count: int, bomb_hours: float) -> None:
        shutil.copytree(pack, root / "pack")
        own = {"CACHE_DIRECTORY": str(root / "s" / "state" / "cache")}  # one of the five
        self.service = Service(root / "s", root / "pack", QUICK, own)
        textfile = str(root / "s" / "state" / "backline.prom")
        self.service.configure({"metrics": {"textfile": textfile}, **QUICK})
        self.outside = root / "outside"
        self.laid: Laid = lay(root / "s" / "inbox", self.outside, SEED, count, bomb_hours)
        soundfile.write(root / "good.wav", sung(1.5, 48_000), 48_000, subtype="FLOAT")
        self.wrapper: tuple[str, ...] = ()
        self.user = os.geteuid()
        if self.user == 0:
            self.user, self.wrapper = ordinary_user()
            subprocess.run(["chmod", "-R", "a+rX", root / "pack", root], check=True)
            give_away(root / "s", self.user)
            (root / "s" / "inbox" / "closed.wav").chmod(0)
            (root / "s" / "inbox" / "closed folder").chmod(0)
        for file in self.outside.iterdir():
            os.utime(file, (1e9, 1.5e9))  # reading would update the atime, also with relatime

    def drop_a_good_one(self) -> None:
        """Drop a valid vocal at the end: it is rendered normally."""
        service = self.service
        shutil.rmtree(service.root / "inbox" / "restless", ignore_errors=True)
        part = service.root / "inbox" / "good at last.wav.part"
        shutil.copy2(service.root.parent / "good.wav", part)
        os.chown(part, self.user, -1)
        part.rename(part.with_suffix(""))
        service.until(lambda: (service.root / "archive" / "good at last.wav").exists(), "for a good vocal")
        service.until(lambda: not self._busy(), "for the last jobs")
        assert torn(service.root / "outbox" / "good at last") == ""

    def tell(self, began_s: float) -> None:
        """Print progress, memory and open files of the processes as one line."""
        status = self.service.status()
        pids = {"daemon": self.service.process.pid, "engine": status["engine_pid"]}
        if self.wrapper and self.wrapper[0] == "strace":
            return
        facts = {name: held(pid) for name, pid in pids.items() if pid}
        print(
            f"{time.monotonic() - began_s:7.0f} s  left {len(self.laid.left())}  {facts}  {status['counts']}"
        )
        sys.stdout.flush()

    def through(self, every_s: float = 20.0) -> None:
        """Wait until no candidate is left in the inbox."""
        began_s = told_s = time.monotonic()
        give_up_s = began_s + 6 * 3600
        while self.laid.left():
            assert self.service.process.poll() is None, self.service.log[-4000:]
            assert time.monotonic() < give_up_s, self.laid.left()[:20]
            if time.monotonic() - told_s > every_s:
                told_s = time.monotonic()
                self.tell(began_s)
            time.sleep(0.25)
        self.tell(began_s)

    def _busy(self) -> int:
        status = self.service.status()
        return sum(status["counts"].get(s, 0) for s in ("waiting", "working", "published", "rejecting"))

    def judge(self) -> None:
        """Check folders, log and replies of the service."""
        service = self.service
        history = service.asked(ask="history", limit=100_000)["jobs"]
        mysteries = [job for job in history if job["state"] not in ("done", "rejected", "gone")]
        _, raised, how = service.log.partition("Traceback")
        assert not mysteries, f"{mysteries}\n{raised}{how[:4000]}"
        for job in history:
            if job["state"] == "rejected":
                assert 20 < len(job["reason"]) < 1500 and job["reason"].endswith((".", ")")), job
        folders = service.config.folders
        # A vocal may be named "reason.txt.wav"; its folder then has the name reason.txt.
        reasons = [path for path in folders.rejected.rglob("reason.txt") if path.is_file()]
        # A file of the disturber may be gone before it is moved, so there is no reason.txt for it.
        assert len(reasons) >= sum(
            job["state"] == "rejected" and job["moved_to"] is not None for job in history
        )
        for reason in reasons:
            text = reason.read_text()
            assert "Why:" in text and not controls(text), reason
        for result in results(folders.outbox):
            if not (result / "stems").is_symlink():
                assert torn(result) == "", result
        told = json.dumps(service.status(), ensure_ascii=False)
        assert controls(service.log) == [] and controls(told) == []
        assert controls((service.root / "state" / "backline.prom").read_text()) == []
        env = {**os.environ, "BACKLINE_CONFIG": str(service.file)}
        for command in ("status", "history"):
            asked = [sys.executable, "-m", "appliance", command]
            said = subprocess.run(asked, env=env, capture_output=True, text=True, check=True).stdout
            assert controls(said) == [], command
        self.outside_is_untouched()

    def outside_is_untouched(self) -> None:
        assert sorted(f.name for f in self.outside.iterdir()) == ["backline.toml", "secret.txt", "secret.wav"]
        for file in self.outside.iterdir():
            state = file.stat()
            assert (state.st_atime, state.st_mtime) == (1e9, 1.5e9), f"{file} was read or written"
            assert file.read_bytes() == CANARY
        for trace in ("backline-was-run", "backline-was-unpickled"):
            assert not (Path("/tmp") / trace).exists()


@contextmanager
def disturbed(ordeal: Ordeal) -> Iterator[None]:
    """Run a process that keeps changing files of the inbox."""
    inbox = ordeal.service.root / "inbox"
    disturber = subprocess.Popen([sys.executable, DISTURBER, inbox, ordeal.outside, "1"])
    try:
        yield
    finally:
        disturber.kill()
        disturber.wait()


@pytest.mark.service
def test_a_hostile_inbox(open_tmp: Path, fake_pack: Path) -> None:
    """About 60 files under strace, while another process changes files."""
    ordeal = Ordeal(open_tmp, fake_pack, 60, 0.05)
    service, trace = ordeal.service, open_tmp / "trace"
    traced = shutil.which("strace") is not None and os.geteuid() == 0
    if traced:
        compileall.compile_dir(ROOT / "appliance", quiet=1)  # otherwise the first import writes bytecode
        ordeal.wrapper = (*STRACE, str(trace), *ordeal.wrapper)
    with service:
        service.start(ordeal.wrapper)
        with disturbed(ordeal):
            ordeal.through()
        ordeal.drop_a_good_one()
        ordeal.judge()
        assert service.status()["engine_deaths"] == 0
        service.stop()
    if traced:
        judge_trace(trace, service.root, ordeal.outside)


def judge_trace(trace: Path, root: Path, outside: Path) -> None:
    """Check that only the five folders were written, and no foreign file was read or program run."""
    seen = list(opened(trace))
    assert len(seen) > 1000, "the trace is empty"
    ours = [root / name for name in ("inbox", "outbox", "archive", "rejected", "state")]
    devices = [Path("/dev/null"), Path("/dev/tty")]
    written = {file.path for file in seen if file.writing and not below(file.path, [*ours, *devices])}
    assert {path for path in written if not path.endswith("/oom_score_adj")} == set()
    assert [file for file in seen if file.writing and below(file.path, [root / "inbox"])] == []
    system = ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev")
    code = [Path(sys.prefix), Path(sys.base_prefix), ROOT, root.parent / "pack", root / "backline.toml", root]
    foreign = {file.path for file in seen if not below(file.path, [*map(Path, system), *code])}
    assert {path for path in foreign if path not in ("/", "/tmp", str(root.parent))} == set()
    assert not any(below(file.path, [outside]) for file in seen)
    lines = trace.read_text(errors="replace").splitlines()
    for path in ("/etc/passwd", "/environ", "/dev/zero"):
        assert not [line for line in lines if "/s/inbox" in line and path in line]
    programs = {Path(program).name for program in started(trace)}
    assert all(name.startswith("python") or name == "setpriv" for name in programs), programs


@pytest.mark.service
@pytest.mark.soak
def test_the_whole_hostile_corpus(open_tmp: Path, fake_pack: Path) -> None:
    """At least 5,000 files; prints memory and open files of the processes."""
    ordeal = Ordeal(open_tmp, fake_pack, int(os.environ.get("BACKLINE_HOSTILE", "5000")), 2.0)
    service = ordeal.service
    print(f"\nseed {SEED}: {len(ordeal.laid.candidates)} candidates")
    with service:
        service.start(ordeal.wrapper)
        with disturbed(ordeal):
            service.until(lambda: service.status().get("state") not in (None, "starting"))
            ordeal.tell(time.monotonic())
            ordeal.through()
        ordeal.drop_a_good_one()
        ordeal.judge()
        ordeal.tell(time.monotonic())
        print(service.status())
        service.stop()
