"""Finds the vocal of a receipt: where the receipt says, or beside it, and by its hash."""

from __future__ import annotations

from pathlib import Path

from appliance.errors import InputError
from appliance.files.hashes import file_sha256
from appliance.rendering.redo.parent import Parent


def vocal_of(parent: Parent, given: Path | None) -> Path:
    """The recording that was rendered, with the very bytes that were; ``given`` is where the user says.

    Raises:
        InputError: it is not there, or has changed since.
    """
    vocal = parent.facts["vocal"]
    name, sha256 = str(vocal["name"]), vocal["sha256"]
    folder = parent.path.parent
    places: list[Path] = [folder / str(vocal["place"])] if vocal.get("place") else []
    places = [given] if given is not None else [*places, folder / name, folder.parent / name, Path(name)]
    found = [place for place in dict.fromkeys(places) if place.is_file()]
    for place in found:
        if _sha256(place) == sha256:
            return place
    if found:
        raise InputError(
            f"{found[0]} is not the recording that was rendered, or has changed since; "
            "give that one with --vocal, or render this one anew."
        )
    looked = " and ".join(dict.fromkeys(map(str, places)))
    raise InputError(f"{name}, which was rendered, is not found ({looked}); give it with --vocal.")


def _sha256(place: Path) -> str:
    try:
        return file_sha256(place)
    except OSError as error:
        raise InputError(f"{place} cannot be read: {error.strerror}.") from error
