"""The reference of an order: fetched from the inbox into the work folder, and read there.

A recording passes the confined decoder, as a vocal does. A MIDI file is read in this process, by a reader in
plain Python; the intake limits its size.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from appliance.composing.reference import MIDI_ENDINGS
from appliance.composing.wishes import Wishes
from appliance.errors import InputError
from appliance.rendering.engine import Engine
from appliance.rendering.reference import manner_wishes
from appliance.watch.disk.folders import opened
from appliance.watch.engine.decoding import Limits, decode
from appliance.watch.engine.failures import ChangedError, DecoderDiedError
from appliance.watch.engine.messages import Order
from appliance.watch.engine.proof import prove_readable

_LARGEST_MIDI_BYTES = 2 << 20


def fetch_reference(order: Order, wishes: Wishes, place: Path, limits: Limits) -> Path | None:
    """Put the reference that ``wishes`` name into the work folder ``place``; None if they name none.

    Raises:
        ChangedError: it is gone, or not the one that was queued.
        BacklineError: it cannot be decoded, as :func:`appliance.watch.engine.decoding.decode` says.
        OSError: the disk cannot read or write it.
    """
    if not wishes.like_sha256 or wishes.like is not None:
        return None
    name, sha256 = wishes.like_name, wishes.like_sha256
    folder = place / "reference"
    folder.mkdir()
    try:
        with opened(Path(order.inbox), os.fsencode(order.reference)) as source:
            if order.reference.lower().endswith(MIDI_ENDINGS):
                data = os.pread(source, _LARGEST_MIDI_BYTES, 0)
                found, target = hashlib.sha256(data).hexdigest(), folder / "reference.mid"
                target.write_bytes(data)
            else:
                target = folder / "reference.wav"
                try:
                    found = decode(source, name, target, limits).sha256
                except (InputError, DecoderDiedError):
                    prove_readable(source, sha256, name)
                    raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ChangedError(f"{name} is no longer in the inbox.") from error
    if found != sha256:
        raise ChangedError(f"{name} changed after it was queued.")
    return target


def with_reference(engine: Engine, wishes: Wishes, fetched: Path | None) -> Wishes:
    """``wishes`` with the manner of the reference that was fetched. Raises UsageError if it shows none."""
    if fetched is None:
        return wishes
    return wishes.model_copy(update=manner_wishes(engine, fetched, wishes.like_name))
