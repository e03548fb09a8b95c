"""The life of the service under real systemd, in one machine whose power is cut once.

On Debian 12 a checkout is installed by hand. Debian 11 has no Python for it, so there it is the bundle.
The tests depend on each other, in this order. Each leaves the service running and idle.
"""

from __future__ import annotations

import errno
import json
import time
from pathlib import Path

import pytest
from support.machine.bare import Bare
from support.machine.bundles import Bundles
from support.machine.hosts import Host
from support.machine.studio import UNIT, Studio
from support.pages import shell_lines
from support.watch.invariants import results, sha256

from appliance.watch.inbox.stillness import Stillness
from bundle.contents.pack import copy_signed

pytestmark = [pytest.mark.privileged, pytest.mark.slow]

PROBE = Path(__file__).parents[1] / "support" / "machine" / "probe.py"
FAKE_PACK = "/opt/backline/packs/fake"
SHORTER = "[Service]\nWatchdogSec=10s\nRestartSec=100ms\n"
"""The only difference from the shipped unit: shorter times, so that tests need not wait."""


def finished_once(studio: Studio, name: str) -> None:
    studio.finished_once(name)


def by_hand(studio: Studio, root: Path) -> None:
    """Runs every command that sets up the service, word for word; the block before it needs a network."""
    blocks = (root / "systemd" / "README.md").read_text().split("```sh\n")
    scripts = [block.split("```")[0] for block in blocks]
    start = ["systemctl", "enable", "--now", "backline"]
    (script,) = (script for script in scripts[1:] if start in shell_lines(f"```sh\n{script}```"))
    studio.machine.run("sh", "-exc", script)


def from_the_bundle(studio: Bare, bundles: Bundles) -> None:
    """Installs the bundle, and beside its pack the one that the tests use."""
    print(studio.installed(bundles.first()))
    copy_signed(bundles.fake_pack, studio.path(FAKE_PACK), bundles.key)


def test_it_is_installed(studio: Studio, host: Host, root: Path, request: pytest.FixtureRequest) -> None:
    machine = studio.machine
    drop_in = studio.path("/etc/systemd/system/backline.service.d")
    drop_in.mkdir(parents=True)
    (drop_in / "shorter.conf").write_text(SHORTER)
    if isinstance(studio, Bare):
        from_the_bundle(studio, request.getfixturevalue("bundles"))
    else:
        by_hand(studio, root)
    assert f"systemd {host.systemd}" in machine.run("systemctl", "--version")
    shown = studio.shown("ActiveState", "SubState", "Type", "UnitFileState", "StatusText", "NRestarts")
    assert shown["ActiveState"] == "active" and shown["SubState"] == "running"
    assert shown["Type"] == "notify" and shown["UnitFileState"] == "enabled" and shown["NRestarts"] == "0"
    times = studio.shown("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    started, ready = (int(value) for value in times.values())
    print(f"READY after {(ready - started) / 1e6:.1f} s with the reference pack")
    assert studio.status()["state"] == "idle" and studio.status()["pack"]["name"] == "reference"
    assert studio.path("/srv/backline/inbox/.backline").is_file()
    found = studio.path("/srv/backline/inbox").stat()
    assert found.st_mode & 0o7777 == 0o2775 and found.st_gid == studio.path("/var/lib/backline").stat().st_gid
    machine.run("useradd", "--create-home", "--groups", "backline", "singer")


def test_its_exposure_is_small(studio: Studio) -> None:
    text = studio.machine.run("systemd-analyze", "security", "--no-pager", UNIT)
    score = float(text.split("Overall exposure level")[1].split(":")[1].split()[0])
    print(f"exposure {score}")
    assert score <= 1.5


def test_the_real_pack_renders_and_the_sandbox_holds(studio: Studio, demo_vocal: Path) -> None:
    studio.path("/etc/backline/probe.py").write_bytes(PROBE.read_bytes())
    probe = {"done": f"{studio.python[0]} /etc/backline/probe.py /var/lib/backline/probe.json"}
    studio.configure(work={"pack": "/opt/backline/packs/reference", "threads": 0}, hooks=probe)
    studio.systemctl("reload", UNIT)
    studio.drop(demo_vocal, "vocal.flac")
    finished_once(studio, "vocal.flac")
    (result,) = results(studio.folders.outbox)
    receipt = json.loads((result / "vocal.receipt.json").read_text())
    assert receipt["vocal"]["name"] == "vocal.flac"
    # The singer fetches the result and cleans up.
    studio.machine.run("cp", "-r", "/srv/backline/outbox/vocal", "/home/singer/", user="singer")
    studio.machine.run("touch", "/srv/backline/outbox/vocal/mine", user="singer")
    studio.machine.run("rm", "/srv/backline/outbox/vocal/mine", user="singer")

    report = studio.folders.state / "probe.json"
    found = json.loads(studio.until(lambda: report.exists() and report.read_text(), "for the probe"))
    print(found)
    assert found["user"] not in (0, 65_534) and found["capabilities"] == 1 << 28  # CAP_LEASE alone
    assert found["no_new_privileges"] == "1" and found["system_calls_filtered"] == "2"
    assert "done" not in found["write"].values(), found["write"]
    assert found["write_inbox"] == found["write_state"] == "done"
    assert set(found["run_from"].values()) == {"PermissionError"} and len(found["run_from"]) == 3
    assert found["internet"] != "done" and found["netlink"] != "done" and found["interfaces"] == ["lo"]
    assert found["set_group_id"] == found["become_root"] == "PermissionError"
    # Also where systemd lacks ProtectHostname=, ProtectClock= and ProtectKernelLogs=.
    assert found["host_name"] == found["clock"] == "PermissionError" and found["kernel_log"] == errno.EPERM
    assert found["landlock"] != errno.EPERM, "the filter lets it through, whether or not the kernel has it"
    assert found["other_processes"] == [] and found["devices"] == []


def test_a_killed_service_is_started_again_and_tells(studio: Studio, long: Path) -> None:
    hook = "sh -c 'echo $BACKLINE_EVENT $BACKLINE_REASON >/var/lib/backline/told; echo >/var/tmp/outside'"
    studio.configure(hooks={"failed": hook})
    studio.systemctl("reload", UNIT)
    restarts = studio.restarts
    studio.drop(long, "killed.wav")
    studio.until_rendering("killed.wav")
    studio.kill("KILL", studio.main_pid)
    studio.until_up_again(restarts)
    finished_once(studio, "killed.wav")
    assert studio.restarts == restarts + 1
    critical = studio.log("--identifier=backline-failed", "--priority=crit")
    assert "Backline failed: signal." in critical
    told = studio.folders.state / "told"
    assert studio.until(lambda: told.exists() and told.read_text(), "for the hook") == "failed signal\n"
    assert studio.path("/var/tmp/outside").exists()


def test_a_vocal_that_somebody_still_writes_is_left_alone(studio: Studio, song: Path) -> None:
    """CAP_LEASE lets the service see that another user has the file open."""
    script = (
        "cd /srv/backline/inbox; cp /tmp/vocal a.part; exec 3>>a.part; mv a.part open.wav; exec sleep 1000"
    )
    studio.path("/tmp/vocal").write_bytes(song.read_bytes())
    studio.machine.run("systemd-run", "--quiet", "--unit=writer", "--uid=singer", "--", "sh", "-c", script)
    held = studio.until(lambda: studio.status().get("held", {}).get("open.wav"), "for the file to be noticed")
    assert held == Stillness.BUSY.value
    studio.systemctl("stop", "writer")
    studio.dropped["open.wav"] = sha256(song)
    finished_once(studio, "open.wav")


def test_a_killed_engine_is_replaced(studio: Studio, long: Path) -> None:
    restarts = studio.restarts
    studio.drop(long, "worker.wav")
    studio.kill("KILL", studio.until_rendering("worker.wav"))
    finished_once(studio, "worker.wav")
    assert studio.restarts == restarts and studio.status()["engine_deaths"] == 1


def test_a_hang_is_ended_by_the_watchdog(studio: Studio, song: Path) -> None:
    restarts = studio.restarts
    studio.kill("STOP", studio.main_pid)
    studio.until_up_again(restarts)
    assert "Failed with result 'watchdog'." in studio.log("--unit", UNIT)
    studio.drop(song, "after-a-hang.wav")
    studio.until_quiet()
    assert studio.wrong() == []


def test_a_stop_in_the_middle_is_in_time_and_costs_nothing(studio: Studio, long: Path) -> None:
    studio.drop(long, "stopped.wav")
    studio.until_rendering("stopped.wav")
    begun_s = time.monotonic()
    studio.systemctl("stop", UNIT)
    print(f"stopped in {time.monotonic() - begun_s:.1f} s")
    # A stop that takes longer than TimeoutStopSec= ends in a kill, and its result is "timeout".
    assert studio.shown("ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    assert not (studio.folders.outbox / "stopped").exists()
    studio.systemctl("start", UNIT)
    finished_once(studio, "stopped.wav")


def test_settings_are_read_again_and_nonsense_is_refused(studio: Studio, song: Path) -> None:
    pid = studio.main_pid
    studio.configure(work={"style": "strings"})
    studio.systemctl("reload", UNIT)
    studio.drop(song, "strings.wav")
    finished_once(studio, "strings.wav")
    receipt = json.loads((studio.folders.outbox / "strings" / "strings.receipt.json").read_text())
    assert receipt["style"] == "strings"

    studio.configure("nonsense = 1")
    studio.systemctl("reload", UNIT)
    studio.until(lambda: "The settings stay as they were" in studio.log("--unit", UNIT), "for the refusal")
    studio.drop(song, "still-strings.wav")
    studio.until_quiet()
    assert studio.main_pid == pid
    studio.configure()
    studio.systemctl("reload", UNIT)


def test_a_full_disk_pauses_the_work_until_there_is_room(studio: Studio, long: Path) -> None:
    """The outbox is a file system of 40 MB, too small for the result."""
    outbox = "/srv/backline/outbox"
    studio.systemctl("stop", UNIT)
    studio.configure()  # also where no test before has done it
    studio.machine.run("mount", "-t", "tmpfs", "-o", "size=40m,mode=2775,gid=backline", "tmpfs", outbox)
    studio.systemctl("start", UNIT)
    studio.drop(long, "full.wav")
    said = studio.until(lambda: studio.status().get("trouble"), "to say why the vocal waits")
    assert said.startswith("full.wav: ") and "free some space" in said
    studio.configure(space={"least_free_mb": 100, "resume_free_mb": 200})
    studio.systemctl("reload", UNIT)
    said = studio.until(lambda: studio.status().get("paused"), "for the work to pause")
    assert "resumes at 200 MB" in said
    told = lambda: studio.shown("StatusText")["StatusText"]  # noqa: E731
    studio.until(lambda: told().startswith("Paused: The outbox has"), "for systemd to know")
    assert results(studio.folders.outbox) == []
    studio.machine.run("mount", "-o", "remount,size=1g", outbox)
    studio.until(lambda: results(studio.folders.outbox), "for the work to go on")
    studio.until_quiet()
    studio.systemctl("stop", UNIT)
    keep = f"cp -a {outbox}/full /var/tmp/ && umount {outbox} && mv /var/tmp/full {outbox}/"
    studio.machine.run("sh", "-c", keep)
    studio.configure()
    studio.systemctl("start", UNIT)
    finished_once(studio, "full.wav")


def test_metrics_on_a_port(studio: Studio) -> None:
    drop_ins = "/etc/systemd/system/backline.service.d"
    studio.machine.run("cp", "/opt/backline/systemd/metrics-port.conf", drop_ins)
    studio.configure(metrics={"listen": "127.0.0.1:9477"})
    studio.systemctl("daemon-reload")
    studio.systemctl("restart", UNIT)
    read = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9477/metrics').read().decode())"
    scrape = lambda: studio.machine.run(studio.python[0], "-c", read, check=False)  # noqa: E731
    assert "backline_up 1.0" in studio.until(
        lambda: (t := scrape()) and "backline_up 1" in t and t, "to be up"
    )
    studio.machine.run("rm", f"{drop_ins}/metrics-port.conf")
    studio.configure()
    studio.systemctl("daemon-reload")
    studio.systemctl("restart", UNIT)


def test_settings_it_cannot_start_with_are_told_and_waited_out(studio: Studio, song: Path) -> None:
    studio.configure("nonsense = 1")
    studio.systemctl("restart", UNIT, check=False)
    studio.until(lambda: studio.restarts >= 4, "for further starts")
    assert "nonsense: unknown key" in studio.log("--unit", UNIT)
    critical = studio.log("--identifier=backline-failed", "--priority=crit")
    assert critical.count("Backline failed: exit-code.") == 1, "once an hour"
    studio.configure()
    studio.until(lambda: studio.shown("ActiveState")["ActiveState"] == "active", "to start by itself")
    studio.drop(song, "after-a-repair.wav")
    finished_once(studio, "after-a-repair.wav")


def test_a_service_that_is_given_up_is_told_too(studio: Studio) -> None:
    drop_in = studio.path("/etc/systemd/system/backline.service.d/once.conf")
    drop_in.write_text("[Service]\nRestart=no\n")
    studio.systemctl("daemon-reload")
    studio.kill("KILL", studio.main_pid)
    told = lambda: studio.log("--identifier=backline-failed", "--priority=crit")  # noqa: E731
    studio.until(lambda: "Backline failed: given-up." in told(), "for the announcement")
    assert studio.shown("ActiveState") == {"ActiveState": "failed"}
    drop_in.unlink()
    studio.systemctl("daemon-reload")
    studio.systemctl("start", UNIT)


def test_a_power_cut_in_the_middle_costs_nothing(studio: Studio, long: Path) -> None:
    studio.drop(long, "cut.wav")
    studio.until_rendering("cut.wav")
    studio.machine.cut_power()
    print(f"boot {studio.machine.boot():.1f} s")
    assert studio.wrong(quiet=False) == []
    finished_once(studio, "cut.wav")
    assert studio.shown("UnitFileState", "NRestarts") == {"UnitFileState": "enabled", "NRestarts": "0"}
