"""The bill of materials of a release: a CycloneDX 1.5 document in JSON."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot5

from bundle.papers.licences import folder_name
from bundle.papers.parts import Part


def bill_of_materials(whole: Part, parts: list[Part], time_s: int) -> Bom:
    """The document about the release ``whole``, which consists of ``parts``.

    ``time_s``, seconds since 1970, becomes its timestamp. The serial number is derived from names, versions
    and hashes, so the same release always has the same one.
    """
    names = "\n".join(f"{part.name} {part.version} {part.sha256}" for part in [whole, *parts])
    release, components = _component(whole), [_component(part) for part in parts]
    bill = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, names),
        metadata=BomMetaData(timestamp=datetime.fromtimestamp(time_s, timezone.utc), component=release),
        components=components,
    )
    bill.register_dependency(release, components)
    return bill


def write_bill(file: Path, bill: Bom) -> None:
    """Write ``bill`` to ``file``, and create its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(JsonV1Dot5(bill).output_as_string(indent=1) + "\n")


def _component(part: Part) -> Component:
    return Component(
        type=ComponentType(part.kind),
        bom_ref=str(part.purl or f"{part.name}@{part.version}"),
        name=part.name,
        version=part.version,
        purl=part.purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)],
        licenses=[LicenseExpression(part.licence)],
        properties=[
            Property(name="backline:licence_texts", value=f"share/licences/{folder_name(part)}"),
            *(Property(name=name, value=value) for name, value in part.properties.items()),
        ],
    )
