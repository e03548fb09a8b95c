"""``release.json`` can be read by the service, whatever the umask of the build."""

from __future__ import annotations

import os
from pathlib import Path

from appliance.releases.layout import MANIFEST_NAME
from bundle.papers.manifest import write_manifest


def test_everybody_may_read_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    before = os.umask(0o077)
    try:
        write_manifest(tmp_path, "1.0", (2, 28), "3.11.2")
    finally:
        os.umask(before)
    assert (tmp_path / MANIFEST_NAME).stat().st_mode & 0o777 == 0o644
