"""The Debian package: it contains the signed ``.run`` and runs it, so both install the same way."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from appliance.signatures.minisign import signature_of
from bundle.release import Release
from bundle.tools.programs import output, program

SCRIPTS = Path(__file__).with_name("debian")

CONTROL = """\
Package: backline
Version: {version}
Architecture: amd64
Maintainer: Backline <root@localhost>
Installed-Size: {kilobytes}
Depends: libc6 (>= {glibc})
Section: sound
Priority: optional
Description: offline accompaniment for solo vocal recordings
 Watches a folder for solo vocal recordings and writes a full accompaniment for
 each. Ships everything it needs, including the Python interpreter, and installs
 a signed release below /opt/backline that can be rolled back.
"""


def write_deb(release: Release, run_file: Path, dist: Path, time_s: int) -> Path:
    """Write ``backline_VERSION_amd64.deb`` to ``dist``, with ``run_file`` and its signature inside.

    ``time_s``, seconds since 1970, dates its entries.
    """
    file = dist / f"backline_{release.version}_amd64.deb"
    with tempfile.TemporaryDirectory(dir=dist, prefix=".deb-") as aside:
        root = Path(aside) / "root"
        share = root / "usr" / "share" / "backline"
        share.mkdir(parents=True)
        for source in (run_file, signature_of(run_file)):
            shutil.copyfile(source, share / source.name)
        control = root / "DEBIAN"
        control.mkdir()
        kilobytes = sum(path.stat().st_size for path in share.iterdir()) // 1024
        glibc = ".".join(map(str, release.glibc))
        text = CONTROL.format(version=release.version, kilobytes=kilobytes, glibc=glibc)
        (control / "control").write_text(text)
        for script in sorted(SCRIPTS.iterdir()):
            (control / script.name).write_text(script.read_text().replace("@NAME@", run_file.name))
            (control / script.name).chmod(0o755)
        for path in (root, *root.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
        # The .run is compressed already.
        written = Path(aside) / file.name
        output(
            *(program("dpkg-deb"), "--root-owner-group", "-Znone", "--build", root, written),
            SOURCE_DATE_EPOCH=str(time_s),
        )
        written.replace(file)
    return file
