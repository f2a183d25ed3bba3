"""How long it takes from an edit to the published version: train, measure, publish, as the console does it.

`python -m tests.benchmarks.publishing [times]` adds a general question to a copy of `nlu_data/`, has a warm process
train and measure it beside the published version, and publishes it. The server that answers citizens is not running.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bot.console import quiet

quiet()

from bot.catalogue import database, importer  # noqa: E402
from bot.catalogue.store import Store  # noqa: E402
from bot.phrasebook import NLU_DATA, load  # noqa: E402
from bot.releases import starting  # noqa: E402
from bot.releases.job import PHASES, Jobs  # noqa: E402
from bot.releases.store import Releases  # noqa: E402
from bot.releases.workers import Workers  # noqa: E402
from bot.runtime import Runtime  # noqa: E402
from bot.settings import settings  # noqa: E402

FAQ = """topic: Gửi xe
faq:
  gui-xe:
    question: Gửi xe ở điểm phục vụ có mất tiền không?
    phrasings: [phí gửi xe máy ở điểm phục vụ, gửi xe mất bao nhiêu, chỗ để xe lượt {number}]
    answer: Chưa có trong dữ liệu.
    sources: [{{title: Đo tốc độ, url: "https://example.org", as_of: 2026-11-24}}]
"""


def once(mine: Runtime, number: int) -> dict[str, float]:
    """Seconds of each phase, and of the whole."""
    jobs, releases = Jobs(mine.store.engine), Releases(mine.store.engine, mine.settings.models)
    workers = Workers(mine)
    workers.warm()
    time.sleep(30)  # somebody is writing; the process gets ready meanwhile
    start = time.monotonic()
    (mine.settings.nlu_data / "faq" / "gui-xe.yml").write_text(FAQ.format(number=number), encoding="utf-8")
    job = jobs.start("bench")
    workers.start(job.id)
    spent: dict[str, float] = {}
    phase, since = "start", start
    while (now := jobs.get(job.id)).is_running:
        if now.phase != phase:
            spent[phase] = time.monotonic() - since
            phase, since = now.phase, time.monotonic()
        time.sleep(0.1)
    assert now.release and now.state == "done", now.problem
    releases.publish(now.release, "bench", "publish")
    spent[phase] = time.monotonic() - since
    spent["whole"] = time.monotonic() - start
    return spent


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as home:
        data = Path(shutil.copytree(NLU_DATA, Path(home) / "nlu_data"))
        engine = database.connect(f"sqlite:///{home}/catalogue.sqlite")
        importer.load_shipped(engine)
        mine = Runtime(replace(settings(), home=Path(home), nlu_data=data), Store(engine), lambda: load(data))
        if settings().models.exists():
            shutil.copytree(settings().models, mine.settings.models)
        starting.ensure_published(mine)
        once(mine, 0)  # measures the first version, too
        runs = [once(mine, number) for number in range(1, times + 1)]
    for phase in [*PHASES, "whole"]:
        seconds = [run[phase] for run in runs if phase in run]
        if seconds:
            print(f"{phase}: {statistics.median(seconds):.1f} s ({min(seconds):.1f}–{max(seconds):.1f})", flush=True)


if __name__ == "__main__":
    main()
