"""A reason may quote hostile text: it cannot send control sequences to the terminal."""

from __future__ import annotations

from support.watch.intake_bench import PATIENCE_S, Bench

from appliance.watch.service.telling import job_facts
from appliance.watch.settings.config import Config


def test_a_quoted_key_cannot_clear_the_screen(watched: Config) -> None:
    bench = Bench(watched)
    bench.put("a.toml", '"\\u001b[2J\\u0007\\u202e" = 1')
    bench.put("a.wav")
    bench.run(PATIENCE_S)
    (job,) = bench.journal.in_state("rejecting")
    reason = job_facts(job)["reason"]
    assert reason.isprintable() and "\\x1b[2J\\x07\\u202e: unknown key" in reason
