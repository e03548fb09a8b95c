"""The text of ``reason.txt``, which tells a musician why a vocal was not rendered and what to do."""

from __future__ import annotations

import textwrap
import time

from appliance.watch.reports.logs import plain

_WIDTH = 78

_REJECTED = (
    "Follow the advice above. Then drop a new recording into the inbox. If this one is as it should be, move "
    "it back there with the files beside it."
)
_QUARANTINED = (
    "The file was set aside so that other files can be rendered. Export it again as WAV or FLAC and drop it "
    "into the inbox. If the new file is set aside too, show this text to the administrator of this computer: "
    "the service's log has details, and 'backline requeue' retries the file once it is back in the inbox."
)


def reason_text(title: str, sentence: str, reference: str, now_s: float, *, quarantined: bool) -> str:
    """The text of ``reason.txt``.

    ``title`` is the vocal's name, ``sentence`` the reason, ``reference`` the job's reference
    (:func:`reference_of`) and ``now_s`` the time in unix seconds.
    """
    heading = "This recording was set aside." if quarantined else "This recording could not be used."
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(now_s))
    return "\n\n".join(
        (
            heading,
            f"File:  {plain(title)}\nWhen:  {when}",
            f"Why:\n{_wrapped(sentence)}",
            f"What to do:\n{_wrapped(_QUARANTINED if quarantined else _REJECTED)}",
            f"Reference: {reference}\n",
        )
    )


def reference_of(job: int, queued_s: float, key: str) -> str:
    """A name for one run of one job. A vocal that is dropped again gets a new one."""
    return f"{job}-{round(queued_s * 1000):x}-{key[:16]}"


def _wrapped(sentence: str) -> str:
    lines = textwrap.wrap(plain(sentence), _WIDTH - 2, break_long_words=True, break_on_hyphens=False)
    return textwrap.indent("\n".join(lines), "  ")
