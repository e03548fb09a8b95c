"""The settings of the watched folder, ``backline.toml``, with units, documentation and defaults.

Parsing is strict: an unknown key, a number in quotes or a folder inside another is an error when the service
starts or reloads. The docstring under each key is its documentation; ``backline config --show`` prints it
(:mod:`appliance.watch.settings.text`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from appliance.errors import UsageError
from appliance.files.refused_values import refusal, unknown_key
from appliance.files.toml import TomlError, parse_toml
from appliance.watch.settings.values import (
    AbsolutePath,
    FileMode,
    FolderMode,
    LoopbackAddress,
    OptionalPath,
    Seconds,
    Seed,
    SentinelName,
    Style,
    Takes,
    Words,
)

DEFAULT_PATH = Path("/etc/backline/backline.toml")
PATH_VARIABLE = "BACKLINE_CONFIG"


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Folders(_Section):
    """The folders. None may lie inside another. Changes need a restart of the service."""

    inbox: AbsolutePath = Path("/srv/backline/inbox")
    """Users drop vocals here, also in sub-folders."""
    outbox: AbsolutePath = Path("/srv/backline/outbox")
    """Results appear here, one folder per vocal. Unfinished files lie in its hidden folder .backline-work,
    so that a finished result moves into place in one step."""
    archive: AbsolutePath = Path("/srv/backline/archive")
    """Rendered vocals are moved here. On the file system of the inbox no copy is needed."""
    rejected: AbsolutePath = Path("/srv/backline/rejected")
    """Vocals that cannot be used are moved here, each with a file reason.txt."""
    state: AbsolutePath = Path("/var/lib/backline")
    """Journal, control socket and profiles. It must be on a local disk, because SQLite needs one."""

    @model_validator(mode="after")
    def _apart(self) -> Folders:
        named = [(name, getattr(self, name)) for name in type(self).model_fields]
        for i, (name, folder) in enumerate(named):
            for other_name, other in named[i + 1 :]:
                if folder == other or folder in other.parents or other in folder.parents:
                    raise ValueError(f"{name} and {other_name} must be two folders, not one inside the other")
        return self


class IntakeSettings(_Section):
    """When a vocal in the inbox is accepted."""

    settle_s: Annotated[float, Field(ge=0.05, le=86_400)] = 10.0
    """Seconds that size and times of a file and of its companions must stay unchanged."""
    scan_s: Annotated[float, Field(ge=0.02, le=3600)] = 5.0
    """Seconds between two scans of the inbox."""
    patience_s: Annotated[float, Field(ge=0, le=7 * 86_400)] = 600.0
    """Seconds after its last change until a settled file that does not decode, or has gaps, is rejected.
    Until then it is regarded as an unfinished copy."""
    silent_tail_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    """Seconds that a file which ends in digital silence must stay unchanged: a copy that reserves its space
    first looks the same. If the file system cannot tell the two apart, patience_s applies."""
    require_done_marker: bool = False
    """Whether a vocal is accepted only once NAME.wav.done or NAME.done lies beside it."""
    sentinel: SentinelName = ".backline"
    """Name of the file in the inbox that proves that the share is mounted. Without it the service touches
    nothing."""
    create_sentinel: bool = False
    """Whether to create a missing sentinel in an inbox that is not empty. An empty inbox gets one at the
    first start."""
    max_depth: Annotated[int, Field(ge=0, le=64)] = 8
    """Number of sub-folder levels that are scanned; deeper ones are reported."""
    ignore: Words = ()
    """Further names to ignore, as patterns such as "*.bak". Hidden files and temporary names of browsers,
    editors, rsync and file servers are always ignored."""


class Work(_Section):
    """How vocals are rendered. A sidecar (backline.toml in a sub-folder, or NAME.toml) overrides these."""

    pack: AbsolutePath = Path("/opt/backline/packs/active")
    """Folder of the pack, or a link to it. The link is followed before each vocal; 'backline pack use' sets
    the default one."""
    style: Style = "piano"
    """What the band plays and how."""
    takes: Takes = 1
    """Number of different accompaniments."""
    seed: Seed = 0
    """Seed of the first take; the same seed gives the same music."""
    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """Number of attempts for a vocal that crashes its engine or takes too long; then it is quarantined."""
    retry_base_s: Seconds = 30.0
    """Seconds before the first retry after a temporary error; each further wait is twice as long."""
    retry_most_s: Seconds = 3600.0
    """Longest wait before a retry, in seconds."""
    timeout_factor: Annotated[float, Field(gt=0, le=1000)] = 6.0
    """A job may take this many times the length of its audio..."""
    timeout_least_s: Seconds = 600.0
    """... plus this many seconds."""
    drain_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """Seconds that a stopping service waits for its running job; an unfinished job is rendered again
    later."""
    queue_limit: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Number of vocals in the queue; further ones stay in the inbox until there is room."""
    decode_memory_mb: Annotated[int, Field(ge=64, le=65_536)] = 1024
    """Memory limit of the process that decodes recordings, in MB."""
    decode_seconds: Annotated[int, Field(ge=1, le=86_400)] = 900
    """CPU time limit for decoding a recording, in seconds."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """CPU threads for the networks; 0 means all."""
    tune: bool = True
    """Whether the service measures the fastest graph settings for a new CPU, pack or version. It takes about
    a minute while nothing is rendered. An existing profile is used either way."""


class Publish(_Section):
    """Permissions of results, and what happens to rendered vocals."""

    archive_sources: bool = True
    """Whether a rendered vocal moves to the archive. If not, it stays in the inbox and is not rendered
    again."""
    file_mode: FileMode = "0664"
    """Permissions of published files."""
    folder_mode: FolderMode = "2775"
    """Permissions of published folders; the 2 makes new files inherit the group."""
    group: str = ""
    """Group of published files; empty means the service's own group."""


class Space(_Section):
    """When a full disk pauses the work. It resumes by itself."""

    least_free_mb: Annotated[int, Field(ge=0)] = 2048
    """The work pauses below this free space in the outbox, in MB."""
    resume_free_mb: Annotated[int, Field(ge=0)] = 3072
    """The work resumes at this free space, in MB."""

    @model_validator(mode="after")
    def _ordered(self) -> Space:
        if self.resume_free_mb < self.least_free_mb:
            raise ValueError("resume_free_mb must not be less than least_free_mb")
        return self


class MetricsSettings(_Section):
    """Metrics for Prometheus, on this computer only."""

    listen: LoopbackAddress = ""
    """Loopback address and port, such as "127.0.0.1:9477"; empty means off."""
    textfile: OptionalPath = ""
    """File for node_exporter's textfile collector, with a name that ends in .prom; empty means off."""


class HookSettings(_Section):
    """Commands to run after an event, without a shell and for at most 60 s. BACKLINE_* variables describe the
    event. Empty means no command."""

    done: str = ""
    """After a result was published."""
    rejected: str = ""
    """After a vocal was rejected."""
    paused: str = ""
    """After the work was paused."""
    failed: str = ""
    """After the service ended unexpectedly. systemd runs this command (backline-failed@.service), outside of
    the service's sandbox."""


class Config(_Section):
    """The content of ``backline.toml``."""

    folders: Folders = Folders()
    intake: IntakeSettings = IntakeSettings()
    work: Work = Work()
    publish: Publish = Publish()
    space: Space = Space()
    metrics: MetricsSettings = MetricsSettings()
    hooks: HookSettings = HookSettings()

    @staticmethod
    def read(path: Path | None = None) -> Config:
        """Read the settings from ``path``, or ``$BACKLINE_CONFIG``, or :data:`DEFAULT_PATH`.

        Only the last may be missing; then every setting has its default. Raises UsageError if the file is
        missing, unreadable or invalid; its sentence names the key.
        """
        return _parsed(config_path(path), optional=path is None and not os.environ.get(PATH_VARIABLE))

    def reloaded(self, path: Path | None = None) -> Config:
        """Read the settings again for a running service. Raises UsageError as :meth:`read` does, and if
        ``folders`` have changed."""
        new = Config.read(path)
        if new.folders != self.folders:
            raise UsageError(
                f"{config_path(path)}: [folders] cannot change while the service runs; "
                "run 'systemctl restart backline'."
            )
        return new


def config_path(path: Path | None = None) -> Path:
    """The file that :meth:`Config.read` reads."""
    return path or Path(os.environ.get(PATH_VARIABLE) or DEFAULT_PATH)


def _parsed(path: Path, *, optional: bool) -> Config:
    try:
        return Config.model_validate(parse_toml(path.read_bytes().decode("utf-8-sig")))
    except FileNotFoundError as error:
        if optional:
            return Config()
        raise UsageError(
            f"{path} does not exist; 'backline config --show' prints a file to start with."
        ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text; save it as UTF-8.") from error
    except TomlError as error:
        raise UsageError(f"{path}, {error}.") from error
    except ValidationError as error:
        raise UsageError(f"{path}: {refusal(error, _unknown)}.") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, a list of lists of lists
        raise UsageError(
            f"{path} holds a value that no setting needs; compare 'backline config --show'."
        ) from error


def _unknown(place: str) -> str:
    """What is said of an unknown key, which may stand in the wrong section."""
    section, _, key = place.rpartition(".")
    sections = {name: list(type(default).model_fields) for name, default in Config()}
    if home := [name for name, keys in sections.items() if key in keys and name != section]:
        return f"unknown key; {key} belongs into the section [{home[0]}]"
    return unknown_key(key, sections.get(section, sections), "see 'backline config --show'")
