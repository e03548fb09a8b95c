"""An unreadable folder hides its own vocals only; vocals missing elsewhere count as gone."""

from __future__ import annotations

import pytest
from support.watch.intake_bench import PATIENCE_S, Bench

from appliance.watch.inbox import intake as intake_module
from appliance.watch.inbox.scan import Scan, Trouble, scan
from appliance.watch.settings.config import Config


@pytest.mark.parametrize(
    ("blind", "left"), [(b"closed/", ["closed/b.wav"]), (b"", ["a.wav", "closed/b.wav"])]
)
def test_a_vocal_that_went_is_gone_unless_it_may_be_hidden(
    watched: Config, monkeypatch: pytest.MonkeyPatch, blind: bytes, left: list[str]
) -> None:
    bench = Bench(watched)
    for name in ("a.wav", "closed/b.wav"):
        bench.put(name, name)
    bench.run(PATIENCE_S)
    assert sorted(bench.queue()) == ["a.wav", "closed/b.wav"]
    for name in bench.queue():
        (bench.inbox / name).unlink()

    def troubled(*words: object) -> Scan:
        return scan(*words)._replace(troubles=(Trouble(blind, 13), Trouble(b"deep/d/", 0)))

    monkeypatch.setattr(intake_module, "scan", troubled)
    bench.run(60.0)
    assert sorted(bench.queue()) == left
