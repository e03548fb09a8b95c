"""Writes an image as one file, without a container engine.

The file is a tar in the layout of the OCI image format (image-layout.md, config.md and manifest.md of its
specification, version 1.0), with one more file, ``manifest.json``: the list in which ``docker load`` of any
version looks for an image. Both point to the same configuration and layers.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bundle.carriers.image.base import PLACE, USER_ID, base_entries
from bundle.carriers.image.layers import Layer, tree_entries, write_layer
from bundle.release import Release

_OCI = "application/vnd.oci.image"
_SECOND_NS = 1_000_000_000

HEALTH = {
    "Test": ["CMD", "/usr/bin/backline", "status"],
    "Interval": 60 * _SECOND_NS,
    "Timeout": 30 * _SECOND_NS,
    "StartPeriod": 300 * _SECOND_NS,
    "Retries": 3,
}
"""The health check, which docker reads. The command fails if the service does not answer."""

STOP_S = 90
"""How long a stop may take, as TimeoutStopSec= of the unit: a job of less than a minute ends first."""

HOME = "/var/lib/backline"
VOLUMES = ("/srv/backline", HOME, "/var/cache/backline")


def image_name(version: str) -> str:
    """Name of the file."""
    return f"backline-{version}-linux-x86_64.image.tar"


def write_image(release: Release, dist: Path, time_s: int) -> Path:
    """Write the image of ``release`` to ``dist``; ``time_s``, seconds since 1970, dates all of it.

    Raises :class:`BundleError` if a part of the base is missing.
    """
    dist.mkdir(parents=True, exist_ok=True)
    file = dist / image_name(release.version)
    with tempfile.TemporaryDirectory(dir=dist, prefix=".image-") as folder:
        aside = Path(folder)
        layers = [
            write_layer(aside / "base", base_entries(release.tree, aside, time_s), time_s),
            write_layer(aside / "release", tree_entries(release.tree, PLACE), time_s),
        ]
        written = aside / file.name
        with tarfile.open(written, "w", format=tarfile.GNU_FORMAT) as tar:
            _write(tar, layers, release.version, time_s)
        written.replace(file)
    return file


def _write(tar: tarfile.TarFile, layers: list[Layer], version: str, time_s: int) -> None:
    config = _json(_config(layers, version, time_s))
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": _descriptor(f"{_OCI}.config.v1+json", config),
            "layers": [
                {
                    "mediaType": f"{_OCI}.layer.v1.tar+gzip",
                    "digest": f"sha256:{layer.sha256}",
                    "size": layer.size_bytes,
                }
                for layer in layers
            ],
        }
    )
    described = _descriptor(f"{_OCI}.manifest.v1+json", manifest)
    described["annotations"] = {"org.opencontainers.image.ref.name": f"backline:{version}"}
    loaded = {
        "Config": _blob(config),
        "RepoTags": [f"backline:{version}"],
        "Layers": [f"blobs/sha256/{layer.sha256}" for layer in layers],
    }
    texts = {
        _blob(config): config,
        _blob(manifest): manifest,
        "index.json": _json({"schemaVersion": 2, "manifests": [described]}),
        "manifest.json": _json([loaded]),
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
    }
    for name in ("blobs", "blobs/sha256"):
        entry = _entry(name, time_s)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(entry)
    for layer in layers:
        entry = _entry(f"blobs/sha256/{layer.sha256}", time_s)
        entry.size = layer.size_bytes
        with layer.file.open("rb") as content:
            tar.addfile(entry, content)
    for name, text in sorted(texts.items()):
        entry = _entry(name, time_s)
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))


def _config(layers: list[Layer], version: str, time_s: int) -> dict[str, Any]:
    created = datetime.fromtimestamp(time_s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "created": created,
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "User": f"{USER_ID}:{USER_ID}",
            "Env": [
                "PATH=/usr/bin",
                "LANG=C.UTF-8",
                f"HOME={HOME}",
                f"BACKLINE_KEYS=/{PLACE}/keys",
                f"BACKLINE_PACK=/{PLACE}/packs/reference",
            ],
            "Entrypoint": ["/usr/bin/backline"],
            "Cmd": ["watch"],
            "WorkingDir": HOME,
            "Volumes": {volume: {} for volume in VOLUMES},
            "StopSignal": "SIGTERM",
            "StopTimeout": STOP_S,
            "Healthcheck": HEALTH,
            "Labels": {
                "org.opencontainers.image.title": "Backline",
                "org.opencontainers.image.version": version,
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.tar_sha256}" for layer in layers]},
        "history": [
            {"created": created, "created_by": "Backline: C library and folders"},
            {"created": created, "created_by": f"Backline: release {version}"},
        ],
    }


def _entry(name: str, time_s: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.mtime = 0o644, time_s
    return entry


def _descriptor(kind: str, text: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": f"sha256:{hashlib.sha256(text).hexdigest()}", "size": len(text)}


def _blob(text: bytes) -> str:
    return f"blobs/sha256/{hashlib.sha256(text).hexdigest()}"


def _json(facts: object) -> bytes:
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
