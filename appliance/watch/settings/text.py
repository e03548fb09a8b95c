"""Print settings as commented TOML, for ``backline config --show``."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from pydantic import BaseModel

from appliance.watch.settings.config import Config

_WIDTH = 100


def config_text(config: Config) -> str:
    """``config`` as the text of a ``backline.toml``, with documentation above each key."""
    parts = []
    for name in Config.model_fields:
        section: BaseModel = getattr(config, name)
        lines = [*_comment(type(section).__doc__ or ""), f"[{name}]"]
        for key, field in type(section).model_fields.items():
            lines += [*_comment(field.description or ""), f"{key} = {_value(getattr(section, key))}"]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(" ".join(text.split()), _WIDTH - 2)]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str | Path):
        # A JSON string is a valid TOML basic string, except for the control character 0x7f.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    raise TypeError(f"no TOML for {value!r}")
