"""Fixtures of the tests in machines: the machines, the bundles, and the vocals."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from support.machine import base_system
from support.machine.bare import Bare
from support.machine.bundles import Bundles
from support.machine.hosts import HOSTS, Host, is_taken
from support.machine.machine import Machine, needed
from support.machine.studio import Studio
from support.vocals import sung


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what this run does not take (:mod:`support.machine.hosts`)."""
    here = Path(__file__).parent
    dropped = [item for item in items if item.path.parent == here and not is_taken(item.path.name, item.name)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]


@pytest.fixture(scope="module", params=HOSTS, ids=str)
def host(request: pytest.FixtureRequest) -> Host:
    """The system of the machine; all tests of a module run on one before the next."""
    found: Host = request.param
    return found


@pytest.fixture(scope="session")
def machines(request: pytest.FixtureRequest) -> Iterator[None]:
    """Skips, before anything is built, unless the run asks for machines and this computer can boot one.

    Only one run at a time: machines share a control group, so the systemd of one would end the processes
    of the other.
    """
    named = any("machine" in argument for argument in request.config.args)
    if not named and "privileged" not in request.config.option.markexpr:
        pytest.skip("takes minutes; run it with 'make machine'")
    needed()
    base_system.CACHE.mkdir(parents=True, exist_ok=True)
    with (base_system.CACHE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.fail("another run has machines booted on this computer; wait until it ends")
        yield


@pytest.fixture(scope="module")
def studio(
    machines: None,
    host: Host,
    root: Path,
    fake_pack: Path,
    reference_pack: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Studio]:
    """A booted machine; the service is not set up yet.

    Where the system's own Python suffices, this checkout lies in /opt/backline. Elsewhere nothing does.
    """
    if host.runs_a_checkout:
        packs = {"fake": fake_pack, "reference": reference_pack}
        program = base_system.installed(root, packs, tmp_path_factory.mktemp("wheel") / "installed")
        layers = (base_system.base(), base_system.runtime(root), program)
    else:
        layers = (base_system.bare(host),)
    machine = Machine(layers, tmp_path_factory.mktemp("machine"))
    try:
        print(f"{host}: boot {machine.boot():.1f} s")
        if host.runs_a_checkout:
            machine.run("python3", "-m", "compileall", "-q", f"/{base_system.SITE}/appliance")
        studio = Studio(machine) if host.runs_a_checkout else Bare(machine)
        yield studio
        print(studio.log("--lines=150"))
    finally:
        machine.cut_power()


@pytest.fixture(scope="session")
def bundles(
    machines: None,
    root: Path,
    fake_pack: Path,
    reference_pack: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Bundles:
    """The bundles that are installed in the machines."""
    programs = ("minisign", "patchelf", "make", "patch", "perl", "tclsh", "dpkg-deb")
    if missing := [name for name in programs if not shutil.which(name)]:
        pytest.skip(f"not installed: {', '.join(missing)}; CONTRIBUTING.md lists what to install")
    return Bundles(root, tmp_path_factory.mktemp("bundles"), fake_pack)


@pytest.fixture(scope="module")
def bare(machines: None, host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    """A booted machine with the smallest system, and nothing of ours."""
    machine = Machine((base_system.bare(host),), tmp_path_factory.mktemp("bare"))
    try:
        print(f"{host}: boot {machine.boot():.1f} s")
        yield Bare(machine)
    finally:
        machine.cut_power()


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short vocal, rendered in a second or two."""
    path = tmp_path_factory.mktemp("vocals") / "song.wav"
    soundfile.write(path, sung(1.5), 44_100)
    return path


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vocal that renders long enough for a test to act meanwhile."""
    path = tmp_path_factory.mktemp("vocals") / "long.wav"
    soundfile.write(path, sung(60.0), 44_100)
    return path
