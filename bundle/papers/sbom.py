"""The bill of materials of a release, as CycloneDX 1.5 in JSON.

Written directly, as it is one list: the library for it would bring five packages of its own. The tests hold
the document to the schema that its makers publish (https://cyclonedx.org/docs/1.5/json/).
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bundle.papers.licences import folder_name
from bundle.papers.parts import Part


def bill_of_materials(whole: Part, parts: list[Part], time_s: int) -> dict[str, Any]:
    """The document about the release ``whole``, which consists of ``parts``; dated ``time_s``."""
    names = "\n".join(f"{part.name} {part.version} {part.sha256}" for part in [whole, *parts])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # From what is inside and not drawn, so that the same release has the same number.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, names)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(time_s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": _component(whole),
        },
        "components": [_component(part) for part in parts],
        "dependencies": [
            {"ref": _reference(whole), "dependsOn": [_reference(part) for part in parts]},
        ],
    }


def write_bill(file: Path, bill: dict[str, Any]) -> None:
    """Write ``bill`` to ``file``."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(bill, indent=1, ensure_ascii=False) + "\n")


def _reference(part: Part) -> str:
    return part.purl or f"{part.name}@{part.version}"


def _component(part: Part) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "type": part.kind,
        "bom-ref": _reference(part),
        "name": part.name,
        "version": part.version,
        "hashes": [{"alg": "SHA-256", "content": part.sha256}],
        "licenses": [{"expression": part.licence}],
        "properties": [
            {"name": "backline:licence_texts", "value": f"share/licences/{folder_name(part)}"},
            *({"name": name, "value": value} for name, value in sorted(part.properties.items())),
        ],
    }
    if part.purl:
        facts["purl"] = part.purl
    return facts
