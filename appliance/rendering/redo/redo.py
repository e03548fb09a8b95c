"""The steps of a redo: from a receipt to the files and the receipt of a new version of the take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import PackError
from appliance.files.write_errors import writing
from appliance.music.midi import write_midi
from appliance.rendering.engine import Engine
from appliance.rendering.hearing import tracked
from appliance.rendering.job import HeardVocal, Levels, PlayedTake, RenderJob
from appliance.rendering.publication import Publication
from appliance.rendering.receipt import Receipt, make_receipt
from appliance.rendering.redo.change import Change, change_of
from appliance.rendering.redo.notes import RedoneNotes, changed_notes, everything_anew
from appliance.rendering.redo.parent import Parent, read_parent
from appliance.rendering.redo.request import RedoRequest
from appliance.rendering.redo.sound import RedoneSound
from appliance.rendering.redo.source import vocal_of
from appliance.rendering.render import BYTES_PER_SAMPLE, check_pack_can, hash_files
from appliance.rendering.sound_files import write_sound_files
from appliance.rendering.stopwatch import DENOISING, Stopwatch
from appliance.system.threads import aside, short_turns

_OF_THE_PARENT = ("job", "take", "takes", "key", "tuning", "tempo", "beats_s", "downbeats", "beats_text")
"""Facts of the receipt that a redo does not change."""


@short_turns()
def redo(
    engine: Engine,
    receipt: Path,
    request: RedoRequest,
    version: str,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Receipt:
    """Make and publish a new version of the take of ``receipt``; returns its receipt.

    Raises:
        BacklineError: the request makes no sense for this take, or the pack, the vocal or a file of the take
            is gone or has changed. Unfinished files have been removed.
    """
    parent = read_parent(receipt)
    _check_pack(engine, parent)
    check_pack_can(engine.pack, parent.wishes)
    change = change_of(request, parent)
    if not request.of_everything:
        parent.check_files()
    watch = Stopwatch(on_progress)
    path = vocal_of(parent, request.vocal)
    sung = tracked(path, parent.wishes, watch)
    with aside(sung.level) as level, watch.stage("compose"):
        if request.of_everything:
            notes = everything_anew(
                engine, parent, change.seed, sung, lambda share: watch.advance(DENOISING * share)
            )
        else:
            notes = changed_notes(engine, parent, change, sung)
            watch.advance(DENOISING)
        vocal = sung.heard(level.result())
    job = RenderJob(path, request.out or receipt.parent, notes.wishes)
    made = _Redone(parent, request, change, job, vocal, notes).publish(engine, version, watch)
    on_progress(1.0)
    return made


@dataclass(frozen=True, slots=True)
class _Redone:
    """A take that is composed anew, ready to be played: what it comes from, what was asked, what is new."""

    parent: Parent
    request: RedoRequest
    change: Change
    job: RenderJob
    vocal: HeardVocal
    notes: RedoneNotes

    def publish(self, engine: Engine, version: str, watch: Stopwatch) -> Receipt:
        """Play it and publish its files; returns its receipt."""
        wishes, score = self.notes.wishes, self.notes.score
        with Publication(self.job.out, self.parent.first_name) as publication:
            publication.need_bytes(self.vocal.info.output_samples * BYTES_PER_SAMPLE)
            levels = self._play(engine, publication, watch)
            grid = self.parent.grid if self.notes.parent is None else self.notes.parent.tempo_map
            sounds = engine.pack.manifest.sounds[wishes.style]
            write_midi(publication.path("mid"), score, grid, sounds, self.vocal.band_cents)
            path = publication.path("receipt.json")
            files = hash_files(publication.folder / "files")
            played = PlayedTake(self.parent.facts["take"], levels, files, watch.seconds)
            made = make_receipt(engine, self.job, self.vocal, self.notes.take, played, version)
            receipt = Receipt(self._facts(made.facts))
            with writing(path):
                receipt.write(path)
        return receipt

    def _play(self, engine: Engine, publication: Publication, watch: Stopwatch) -> Levels:
        """Write the sound files: all anew, or what is new joined to what stays."""
        if self.notes.parent is None:
            return write_sound_files(
                engine, self.notes.wishes, self.vocal, self.notes.score, publication, watch
            )
        sound = RedoneSound(engine, self.parent, self.change, self.vocal, publication, watch)
        return sound.write(self.notes.parent.score, self.notes.score)

    def _facts(self, made: dict[str, Any]) -> dict[str, Any]:
        """The facts of the new version: what stays is as the parent's receipt says."""
        parent, change = self.parent, self.change
        stays = {name: parent.facts[name] for name in _OF_THE_PARENT if name in parent.facts}
        redone = {
            "parent": {"receipt": parent.path.name, "sha256": parent.sha256},
            "name": parent.first_name,
            "request": self.request.facts(),
            "groups": list(change.groups),
            "span_s": None if change.span is None else [change.span.start_s, change.span.end_s],
        }
        vocal = {**parent.facts["vocal"], "place": made["vocal"]["place"]}
        asked = {**parent.facts.get("asked", made["asked"]), "seed": change.seed}
        return {**made, **stays, "vocal": vocal, "asked": asked, "redo": redone}


def _check_pack(engine: Engine, parent: Parent) -> None:
    """Raise PackError unless the pack is the one of the parent."""
    asked, pack = parent.facts["pack"], engine.pack
    if asked["sha256"] != pack.sha256:
        raise PackError(
            f"{pack.folder} is not the pack that played this take, which is {asked['name']} "
            f"{asked['version']} ({str(asked['sha256'])[:12]}); give that one with --pack."
        )
