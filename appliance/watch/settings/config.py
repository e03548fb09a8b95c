"""Settings of the watched folder: ``backline.toml``, every key with its unit, its reason and its default.

Strict on purpose: an unknown key, a number in quotes or a folder inside another is an error when the
service starts or is reloaded, never a surprise at night. The sentence under each key is its documentation;
``backline config --show`` prints them (:mod:`appliance.watch.settings.text`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from appliance.errors import UsageError
from appliance.music.score import STYLES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DEFAULT_PATH = Path("/etc/backline/backline.toml")
PATH_VARIABLE = "BACKLINE_CONFIG"


def _path(value: object) -> object:
    """A folder or file by its whole name: what is relative would depend on where the service starts."""
    if not isinstance(value, str | Path):
        return value
    path = Path(value)
    if not path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{str(value)!r} must be a whole path that begins with / and has no ..")
    return path


def _style(value: str) -> str:
    if value not in STYLES:
        raise ValueError(f"there is no style '{value}'; choose one of {', '.join(STYLES)}")
    return value


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


WholePath = Annotated[Path, BeforeValidator(_path)]
Seconds = Annotated[float, Field(gt=0, le=7 * 86_400)]
Words = Annotated[tuple[str, ...], BeforeValidator(_tuple)]
Style = Annotated[str, AfterValidator(_style)]
Takes = Annotated[int, Field(ge=1, le=99)]
Seed = Annotated[int, Field(ge=0, le=2**53)]
Mode = Annotated[str, Field(pattern=r"^[0-7]{3,4}$")]


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Folders(_Section):
    """Where things are. None may lie inside another, and none can change while the service runs."""

    inbox: WholePath = Path("/srv/backline/inbox")
    """Vocals are dropped here, also in sub-folders."""
    outbox: WholePath = Path("/srv/backline/outbox")
    """Results appear here, a folder for each vocal. Working files lie in its hidden folder
    .backline-work, so that a finished result moves into place in one step."""
    archive: WholePath = Path("/srv/backline/archive")
    """Rendered vocals are moved here; on the inbox's file system this costs nothing."""
    rejected: WholePath = Path("/srv/backline/rejected")
    """Vocals that cannot be used are moved here, each with a reason.txt."""
    state: WholePath = Path("/var/lib/backline")
    """Journal, socket, and what was measured on this processor. A local disk: SQLite must not lie on a
    network share."""

    @model_validator(mode="after")
    def _apart(self) -> Folders:
        named = [(name, getattr(self, name)) for name in type(self).model_fields]
        for i, (name, folder) in enumerate(named):
            for other_name, other in named[i + 1 :]:
                if folder == other or folder in other.parents or other in folder.parents:
                    raise ValueError(f"{name} and {other_name} must be apart, not one inside the other")
        return self


class IntakeSettings(_Section):
    """When a vocal is taken from the inbox."""

    settle_s: Annotated[float, Field(ge=0.05, le=86_400)] = 10.0
    """Seconds that size and times of a file, and of what lies beside it, must stand still."""
    scan_s: Annotated[float, Field(ge=0.02, le=3600)] = 5.0
    """Seconds between two looks at the inbox."""
    patience_s: Annotated[float, Field(ge=0, le=7 * 86_400)] = 600.0
    """Seconds since its last change during which a file that stands still but does not decode, or has
    gaps, is taken for a copy that will go on. Afterwards it is rejected with a reason."""
    silent_tail_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    """Seconds that a file which ends in digital silence must stand still, as a copy that reserved its
    space first looks the same. Where the file system cannot tell the two apart, patience_s counts."""
    require_done_marker: bool = False
    """Whether a vocal is taken only once NAME.wav.done or NAME.done lies beside it."""
    sentinel: Annotated[str, Field(pattern=r"^\.?[A-Za-z0-9_][A-Za-z0-9._-]{0,100}$")] = ".backline"
    """Name of the file in the inbox that proves that the share is there. Without it nothing is touched."""
    create_sentinel: bool = False
    """Whether the sentinel is made when it is missing and the inbox is not empty. An empty inbox gets one
    at the first start."""
    max_depth: Annotated[int, Field(ge=0, le=64)] = 8
    """How deep sub-folders are looked into; deeper ones are reported."""
    ignore: Words = ()
    """Further names to ignore, as patterns such as "*.bak". Temporary names of browsers, editors, rsync
    and file servers, and all hidden files, are ignored anyway."""


class Work(_Section):
    """How vocals are rendered. A sidecar (backline.toml in a sub-folder, or NAME.toml) has the last word."""

    pack: WholePath = Path("/opt/backline/packs/active")
    """Folder of the pack, or a link to it. Where it leads is looked up before each vocal; the default is
    what 'backline pack use' sets."""
    style: Style = "piano"
    """Who plays and how."""
    takes: Takes = 1
    """How many different accompaniments."""
    seed: Seed = 0
    """The same seed gives the same music again."""
    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """How often a vocal is tried that kills its worker or takes too long, before it is quarantined."""
    retry_base_s: Seconds = 30.0
    """Seconds before the first new try after an error that may pass; each further wait is twice as long."""
    retry_most_s: Seconds = 3600.0
    """Seconds that a wait for a new try never exceeds."""
    timeout_factor: Annotated[float, Field(gt=0, le=1000)] = 6.0
    """A job may take this many times the length of its audio..."""
    timeout_least_s: Seconds = 600.0
    """... plus this many seconds."""
    drain_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """Seconds that a running job is given to finish when the service stops; else it is done again later."""
    queue_limit: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """How many vocals wait in the queue; more stay in the inbox until there is room."""
    decode_memory_mb: Annotated[int, Field(ge=64, le=65_536)] = 1024
    """Memory in MB that the reader of a recording may use."""
    decode_seconds: Annotated[int, Field(ge=1, le=86_400)] = 900
    """Processor seconds that the reader of a recording may use."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """Processor threads for the networks; 0 is all."""
    tune: bool = True
    """Whether a new processor, pack or version is measured for what is fastest there: a minute in all, while
    nothing is to be rendered. A profile that was measured before is followed either way."""


class Publish(_Section):
    """How results and finished vocals are left behind."""

    archive_sources: bool = True
    """Whether a rendered vocal moves to the archive; if not it stays in the inbox and is remembered."""
    file_mode: Mode = "0664"
    """Permissions of published files."""
    folder_mode: Mode = "2775"
    """Permissions of published folders; 2 in front hands the group on."""
    group: str = ""
    """Group of published files; empty leaves the service's own."""


class Space(_Section):
    """When a full disk pauses the work. It goes on by itself."""

    least_free_mb: Annotated[int, Field(ge=0)] = 2048
    """Less free space than this in the outbox, in MB, pauses the work."""
    resume_free_mb: Annotated[int, Field(ge=0)] = 3072
    """The work goes on from this much free space on, in MB."""

    @model_validator(mode="after")
    def _ordered(self) -> Space:
        if self.resume_free_mb < self.least_free_mb:
            raise ValueError("resume_free_mb must not be less than least_free_mb")
        return self


class MetricsSettings(_Section):
    """Numbers for Prometheus. Nothing else listens or speaks, and never beyond this computer."""

    listen: Annotated[str, Field(pattern=r"^$|^(127\.\d+\.\d+\.\d+|\[::1\]|localhost):\d{1,5}$")] = ""
    """Loopback address and port, such as "127.0.0.1:9477"; empty is off."""
    textfile: Literal[""] | WholePath = ""
    """File for node_exporter's textfile collector, its name ending in .prom; empty is off."""


class HookSettings(_Section):
    """Commands to run after an event: 60 s at most, no shell, facts in BACKLINE_* variables; empty: none."""

    done: str = ""
    """After a result has been published."""
    rejected: str = ""
    """After a vocal has been rejected."""
    paused: str = ""
    """After the work has paused."""
    failed: str = ""
    """After the service has ended unexpectedly. systemd runs it (backline-failed@.service), not the
    service, and so outside of the service's sandbox."""


class Config(_Section):
    """Everything in ``backline.toml``."""

    folders: Folders = Folders()
    intake: IntakeSettings = IntakeSettings()
    work: Work = Work()
    publish: Publish = Publish()
    space: Space = Space()
    metrics: MetricsSettings = MetricsSettings()
    hooks: HookSettings = HookSettings()

    @staticmethod
    def read(path: Path | None = None) -> Config:
        """The settings in ``path``, else in ``$BACKLINE_CONFIG``, else in :data:`DEFAULT_PATH`.

        Only the last may be missing: then every setting has its default. Raises UsageError, in one
        sentence that names the key, for anything that is not as it should be.
        """
        return _parsed(config_path(path), optional=path is None and not os.environ.get(PATH_VARIABLE))

    def reloaded(self, path: Path | None = None) -> Config:
        """What :meth:`read` finds now, for a running service. Raises UsageError if it cannot be used."""
        new = Config.read(path)
        if new.folders != self.folders:
            raise UsageError(
                f"{config_path(path)}: folders cannot change while the service runs; "
                "run 'systemctl restart backline'."
            )
        return new


def config_path(path: Path | None = None) -> Path:
    """Which file :meth:`Config.read` reads."""
    return path or Path(os.environ.get(PATH_VARIABLE) or DEFAULT_PATH)


def _parsed(path: Path, *, optional: bool) -> Config:
    try:
        return Config.model_validate(tomllib.loads(path.read_bytes().decode("utf-8-sig")))
    except FileNotFoundError as error:
        if optional:
            return Config()
        raise UsageError(
            f"{path} does not exist; 'backline config --show' prints one to begin with."
        ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}.") from error
    except ValidationError as error:
        raise UsageError(f"{path}: {sentence_of(error)}.") from error


def sentence_of(error: ValidationError) -> str:
    """What pydantic objects to, as one sentence without its full stop; first things first."""
    return "; ".join(_objection(detail) for detail in error.errors())


def _objection(detail: Any) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    said = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        said = "there is no such key; see 'backline config --show'"
    elif detail["type"] != "value_error":
        said = f"{said[:1].lower()}{said[1:]}, not {detail['input']!r}"[:300]
    return f"{place}: {said}" if place else said
