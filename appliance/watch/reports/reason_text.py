"""``reason.txt``: why a vocal was not rendered, and what to do, for the musician who finds it."""

from __future__ import annotations

import textwrap
import time

from appliance.watch.reports.logs import plain

_WIDTH = 78

_REJECTED = "Do what is said above and drop the new file into the inbox. This copy can be deleted."
_QUARANTINED = (
    "The file was set aside so that the others can go on. Export it again as WAV or FLAC and drop it into "
    "the inbox. If the new file ends here as well, show this text to whoever looks after this computer: the "
    "service's log says more, and 'backline requeue' tries the file again once it is back in the inbox."
)


def reason_text(title: str, sentence: str, reference: str, now_s: float, *, quarantined: bool) -> str:
    """The text. ``title`` is the vocal's name, ``reference`` what makes this text that of one job."""
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
    """Names one life of one job: a vocal that is dropped again is rejected anew."""
    return f"{job}-{round(queued_s * 1000):x}-{key[:16]}"


def _wrapped(sentence: str) -> str:
    lines = textwrap.wrap(plain(sentence), _WIDTH - 2, break_long_words=True, break_on_hyphens=False)
    return textwrap.indent("\n".join(lines), "  ")
