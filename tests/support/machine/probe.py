"""Run as a hook, so inside the service's sandbox and as its user: tries what must be impossible there.

Writes what it found, as JSON, to the file named by its argument. Standard library of the machine alone.
"""

import ctypes
import json
import os
import socket
import sys
import time
from pathlib import Path

PLACES = (
    *("/", "/etc", "/opt/backline", "/home", "/root", "/usr", "/var", "/run", "/run/lock"),
    *("/dev", "/dev/shm", "/dev/mqueue", "/sys/kernel", "/proc/sys/kernel"),
)

RUN_FROM = ("/srv/backline/inbox", "/var/lib/backline", "/var/cache/backline")


def tried(what, *words):
    """How it ended: "done", or the name of what kept it from it."""
    try:
        what(*words)
    except OSError as error:
        return type(error).__name__
    return "done"


def write(folder):
    path = Path(folder, "backline-was-here")
    path.write_text("x")
    path.unlink()


def run_from(folder):
    path = Path(folder, "backline-program")
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    try:
        os.spawnv(os.P_WAIT, str(path), [str(path)]) and os.execv(str(path), [str(path)])
    finally:
        path.unlink()


def landlock():
    """What asking the kernel for Landlock's version says: an error's number, or 0."""
    library = ctypes.CDLL(None, use_errno=True)
    return 0 if library.syscall(444, None, 0, 1) > 0 else ctypes.get_errno()


def kernel_log():
    """What syslog(2) says to SYSLOG_ACTION_READ_ALL: an error's number, or 0."""
    library = ctypes.CDLL(None, use_errno=True)
    return 0 if library.syscall(103, 3, ctypes.create_string_buffer(64), 64) >= 0 else ctypes.get_errno()


def main():
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    interfaces = [line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]]
    found = {
        "user": os.getuid(),
        "capabilities": int(status["CapEff"], 16),
        "no_new_privileges": status["NoNewPrivs"],
        "system_calls_filtered": status["Seccomp"],
        "write": {folder: tried(write, folder) for folder in PLACES},
        "write_inbox": tried(write, "/srv/backline/inbox"),
        "write_state": tried(write, "/var/lib/backline"),
        "run_from": {folder: tried(run_from, folder) for folder in RUN_FROM},
        "internet": tried(socket.socket, socket.AF_INET, socket.SOCK_STREAM),
        "netlink": tried(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW),
        "interfaces": interfaces,
        "set_group_id": tried(os.mkdir, "/var/lib/backline/sgid", 0o2777),
        "landlock": landlock(),
        "become_root": tried(os.setuid, 0),
        "host_name": tried(socket.sethostname, "other"),
        "clock": tried(time.clock_settime, time.CLOCK_REALTIME, time.time()),
        "kernel_log": kernel_log(),
        "other_processes": [p.name for p in Path("/proc").glob("[0-9]*") if p.stat().st_uid == 0],
        "devices": [name for name in ("sda", "vda", "mem", "kmsg", "tty1") if Path("/dev", name).exists()],
    }
    Path(sys.argv[1]).write_text(json.dumps(found))


main()
