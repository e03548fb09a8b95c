"""Speaks words on a monotone by espeak-ng, with the times of their phonemes.

The shared library is used, not the program, because only the library reports phoneme times. It keeps its
state in globals: a process can run one :func:`speak` at a time.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.errors import MachineError

SPEECH_RATE_HZ = 22_050
SPEECH_F0_HZ = 150
"""Pitch of the monotone: low enough for WORLD to resolve formants, high enough for short windows."""

ESPEAK_VOICES = {"de": "de", "en": "en", "fr": "fr", "it": "it", "es": "es", "?": "la"}
"""espeak-ng voice by the song's language; for unknown languages Latin, which has the plainest vowels."""

_SPEED_WPM = 120
_MISSING = (
    "The singer needs espeak-ng, which is not installed; install the package espeak-ng "
    "(Debian and Ubuntu: apt install espeak-ng)."
)
# Values of speak_lib.h.
_SYNCHRONOUS, _PHONEME_EVENTS, _IPA, _DONT_EXIT = 2, 1, 2, 0x8000
_RATE, _PITCH_RANGE, _CHARS_UTF8, _PHONEME, _END_OF_LIST = 1, 4, 1, 7, 0


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_uint64),  # a union: for a phoneme its IPA name in up to eight bytes
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True)
class Phoneme:
    """A phoneme with its IPA ``name`` ('' is a pause), from sample ``start`` to sample ``end``."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """Speech: ``samples`` (S,) from -1 to 1 at :data:`SPEECH_RATE_HZ`, and its ``phonemes`` in order."""

    samples: NDArray[np.float64]
    phonemes: tuple[Phoneme, ...]


class _Espeak:
    """The espeak-ng library, loaded once per process."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1"
        try:
            self._library: Any = ctypes.CDLL(name)
            rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _IPA | _DONT_EXIT)
        except OSError as error:
            raise MachineError(_MISSING) from error
        if rate != SPEECH_RATE_HZ:
            raise MachineError(f"espeak-ng does not start ({rate}); reinstall the package espeak-ng-data.")
        self._sound: list[bytes] = []
        self._marks: list[tuple[int, str]] = []
        self._callback = _Callback(self._receive)  # keep a reference: the library stores only the address
        self._library.espeak_SetSynthCallback(self._callback)
        self._voice = ""

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if count > 0 and samples:
            self._sound.append(ctypes.string_at(samples, 2 * count))
        i = 0
        while events[i].type != _END_OF_LIST:
            if events[i].type == _PHONEME:
                raw = int(events[i].name).to_bytes(8, "little").split(b"\0")[0]
                self._marks.append((events[i].sample, raw.decode("utf-8", "ignore")))
            i += 1
        return 0

    def speak(self, text: str, voice: str, monotone: bool) -> Utterance:
        if voice != self._voice:
            if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise MachineError(f"espeak-ng has no voice {voice}; install espeak-ng-data 1.51 or later.")
            self._voice = voice
            self._library.espeak_SetParameter(_RATE, _SPEED_WPM, 0)
        self._sound.clear()
        self._marks.clear()
        self._library.espeak_SetParameter(_PITCH_RANGE, 0 if monotone else 50, 0)
        if monotone and hasattr(self._library, "espeak_ng_SetConstF0"):
            self._library.espeak_ng_SetConstF0(SPEECH_F0_HZ)  # the library resets it after every utterance
        encoded = text.encode() + b"\0"
        self._library.espeak_Synth(encoded, len(encoded), 0, 1, 0, _CHARS_UTF8, None, None)
        self._library.espeak_Synchronize()
        samples = np.frombuffer(b"".join(self._sound), "<i2").astype(np.float64) / 32768.0
        ends = [at for at, _ in self._marks[1:]] + [len(samples)]
        marks = zip(self._marks, ends, strict=True)
        return Utterance(samples, tuple(Phoneme(name, at, end) for (at, name), end in marks if end > at))


@lru_cache(maxsize=1)
def _espeak() -> _Espeak:
    return _Espeak()


def speak(text: str, language: str, variant: str, monotone: bool = True) -> Utterance:
    """Speak ``text``, by default on a monotone of about :data:`SPEECH_F0_HZ`.

    ``language`` is a song's language code, ``variant`` one of :func:`train.singer.voices.voices`.

    Raises:
        MachineError: espeak-ng or the voice is not installed.
    """
    return _espeak().speak(text, f"{ESPEAK_VOICES.get(language, 'la')}+{variant}", monotone)
