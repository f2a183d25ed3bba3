from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from bot.releases.job import AUTOMATIC, SILENT, Busy, Jobs, Stopped


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 8, 0, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now


def test_one_at_a_time_on_one_database(either: sa.engine.Engine) -> None:
    here, there = Jobs(either), Jobs(either)
    job = here.start("lan")
    with pytest.raises(Busy):
        there.start("minh")
    here.beat(job.id, "teach", 0.5)
    seen = there.latest()
    assert seen and (seen.who, seen.phase, seen.is_running) == ("lan", "teach", True)
    here.end(job.id, "done", release=7)
    assert there.start("minh").id != job.id


def test_progress_only_grows(either: sa.engine.Engine) -> None:
    jobs, job = Jobs(either), Jobs(either).start("lan")
    seen = []
    for phase, share in [
        ("start", 0.0),
        ("teach", 0.0),
        ("teach", 1.0),
        ("fixed", 0.2),
        ("held_out", 0.5),
        ("keep", 0),
    ]:
        jobs.beat(job.id, phase, share)
        seen.append(jobs.get(job.id).done)
    assert seen == sorted(seen) and seen[0] >= 0 and seen[-1] <= 1


def test_a_cancelled_job_is_told_so_at_its_next_beat(either: sa.engine.Engine) -> None:
    jobs, job = Jobs(either), Jobs(either).start("lan")
    assert jobs.cancel(job.id)
    with pytest.raises(Stopped):
        jobs.beat(job.id, "teach", 0.1)
    jobs.end(job.id, "cancelled")
    assert not jobs.cancel(job.id) and jobs.get(job.id).state == "cancelled"
    assert not jobs.end(job.id, "done"), "what has ended stays as it ended"


def test_a_job_whose_process_died_is_over_and_says_so(either: sa.engine.Engine) -> None:
    clock = Clock()
    jobs = Jobs(either, clock)
    job = jobs.start("lan")
    clock.now += SILENT + timedelta(seconds=1)
    seen = jobs.latest()
    assert seen and seen.is_running, "a busy machine takes its time to start"
    jobs.beat(job.id, "teach", 0.1)
    clock.now += SILENT + timedelta(seconds=1)
    seen = jobs.latest()
    assert seen and seen.state == "failed" and "dừng giữa chừng" in seen.problem
    jobs.start("minh")
    with pytest.raises(Stopped):
        jobs.beat(job.id, "teach", 0.9)


def test_what_nobody_asked_for_gives_way(either: sa.engine.Engine) -> None:
    jobs = Jobs(either)
    measuring = jobs.start(AUTOMATIC, release=1)
    asked = jobs.start_before_others("lan")
    assert jobs.get(measuring.id).state == "cancelled" and jobs.get(asked.id).is_running
    with pytest.raises(Busy):
        jobs.start_before_others("minh")
