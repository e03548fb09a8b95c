"""Recovery: unfinished jobs after a crash."""

from __future__ import annotations

from support.watch.intake_bench import Bench

from appliance.watch.journal.recovery import backoff_s, recover


def test_recovery(bench: Bench) -> None:
    for number in range(3):
        bench.put(f"{number}.wav", f"{number}")
    bench.run(20.0)
    jobs = bench.journal.in_state("waiting")
    bench.journal.start(jobs[0].id)
    bench.journal.start(jobs[1].id)
    work = bench.config.work
    recovered = recover(bench.journal, lambda job: job.id == jobs[1].id, bench.now_s, work)
    assert [j.id for j in recovered.published] == [jobs[1].id] == [j.id for j in recovered.unfinished]
    (again,) = recovered.interrupted
    assert (again.state, again.attempts, again.interruptions) == ("waiting", 0, 1)
    assert bench.journal.next_due(bench.now_s) == again  # it keeps its place
    for _ in range(3):
        bench.journal.start(again.id)
        recover(bench.journal, lambda _: False, bench.now_s, work)
    assert bench.journal.next_due(bench.now_s).id == jobs[2].id  # type: ignore[union-attr]
    assert bench.journal.in_state("waiting")[-1].next_try_s == bench.now_s + work.retry_base_s
    assert [backoff_s(n, work) for n in (1, 2, 3, 100, 10**6)] == [30.0, 60.0, 120.0, 3600.0, 3600.0]
