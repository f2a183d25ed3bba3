"""The process that makes a version: trains it, measures it, keeps it. `python -m bot.releases.trainer [--wait]`.

It runs beside the bot, which goes on answering, and tells how far it is by the database. With `--wait` it loads
everything that takes long to load, says "ready", and waits to be told the number of a job.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import Future
from contextvars import copy_context
from importlib import import_module
from pathlib import Path
from typing import Any, Optional

from sqlalchemy.exc import SQLAlchemyError

from bot.console import quiet

quiet()

# ruff: noqa: E402, I001
import bot.server  # noqa: F401 - before the rest: see there

from bot.catalogue.held_out import HeldOut
from bot.evaluation import fixed
from bot.nlu.topic_linker import LESSONS
from bot.phrasebook import BadPhrasebook
from bot.releases import measure, snapshot
from bot.releases.job import Job, Jobs, Stopped
from bot.releases.starting import usable_model
from bot.releases.store import Release, Releases
from bot.releases.study import Study
from bot.runtime import Runtime, runtime, using
from bot.server import LocalBot
from bot.text import spans
from bot.training import code_digest, data_digest, model_path, train

BEAT = 1.0
"""Seconds between signs of life."""
IDLE = 20 * 60
"""Seconds that a process waits for a job."""


class Progress:
    """Tells the database how far a job is, and ends the process when somebody cancels it."""

    def __init__(self, jobs: Jobs, job: int, folder: Path) -> None:
        self._jobs, self._job, self._folder = jobs, job, folder
        self._phase, self._share = "start", 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def tell(self, phase: str, share: float = 0.0) -> None:
        self._phase, self._share = phase, share

    def close(self) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        while True:
            try:
                self._jobs.beat(self._job, self._phase, self._share)
            except Stopped:
                self._jobs.end(self._job, "cancelled")
                shutil.rmtree(self._folder, ignore_errors=True)
                # Whatever is being computed cannot be told to stop; nothing of it is kept.
                os._exit(3)
            except SQLAlchemyError:
                # The database is busy: the next beat will do.
                pass
            if self._done.wait(BEAT):
                return


def run(number: int, study: Study) -> None:
    """Do a job; how it ended stands in the database."""
    current = runtime()
    jobs = Jobs(current.store.engine)
    job = jobs.get(number)
    folder = Path(tempfile.mkdtemp(prefix="motcua-training-"))
    progress = Progress(jobs, number, folder)
    try:
        made = _made(job, current, folder, progress, study)
        progress.close()
        jobs.end(number, "done", release=made)
    except (BadPhrasebook, LookupError) as error:
        jobs.end(number, "failed", str(error))
    except Exception as error:
        (current.settings.home / "training.log").write_text(traceback.format_exc(), encoding="utf-8")
        jobs.end(number, "failed", f"{type(error).__name__}: {error}. Chi tiết ở tệp training.log của máy chủ.")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(job: Job, current: Runtime, folder: Path, progress: Progress, study: Study) -> int:
    """Do what a job asks for; gives the number of the version that it was about."""
    releases = Releases(current.store.engine, current.settings.models)
    old = releases.get(job.release) if job.release else None
    if old is not None:
        return _mended(old, releases, current, folder, progress, study)
    started = time.monotonic()
    packed = snapshot.pack(current.settings.nlu_data)
    # From here on nobody's edits reach what is trained.
    draft = _Version(packed, current, folder / "draft", study)
    questions = fixed.read(draft.data)
    draft.train(progress)
    progress.tell("fixed")
    published = releases.published()
    measured: dict[str, Any] = {"fixed": draft.asked(questions)}
    if published:
        measured.update(
            before=published.id, fixed_before=_asked_of(releases, published, current, folder, questions, study)
        )
    measured["held_out"] = draft.held_out(progress)
    if published and not releases.measured(published.id).get("held_out"):
        _measure(published, releases, current, folder / "unmeasured", progress, study)
    progress.tell("keep")
    seconds = round(time.monotonic() - started, 1)
    digests = data_digest(draft.data), code_digest()
    return releases.add(draft.model, packed, job.who, *digests, seconds, measure.figures(measured), measured).id


def _mended(old: Release, releases: Releases, current: Runtime, folder: Path, progress: Progress, study: Study) -> int:
    """Make what an old version lacks: its model, or its figures."""
    if usable_model(releases, old) is None:
        version = _Version(releases.snapshot(old.id), current, folder / "old", study)
        version.train(progress)
        releases.replace_model(old.id, version.model, code_digest())
    else:
        _measure(old, releases, current, folder / "old", progress, study)
    return old.id


def _measure(
    one: Release, releases: Releases, current: Runtime, folder: Path, progress: Progress, study: Study
) -> None:
    """Measure a version for which nobody did so yet: the one that was shipped."""
    version = _Version(releases.snapshot(one.id), current, folder, study)
    measured = {**releases.measured(one.id), "held_out": version.held_out(progress, "published")}
    model = usable_model(releases, one)
    if model and not measured.get("fixed"):
        version.model = model
        measured["fixed"] = version.asked(fixed.read(version.data))
    releases.note_measured(one.id, measure.figures(measured), measured)


def _asked_of(
    releases: Releases,
    one: Release,
    current: Runtime,
    folder: Path,
    questions: tuple[fixed.Question, ...],
    study: Study,
) -> list[list[Any]]:
    """The questions, of the version that answers now; none if its model is not at hand."""
    model = usable_model(releases, one)
    if model is None:
        return []
    version = _Version(releases.snapshot(one.id), current, folder / "published", study)
    version.model = model
    return version.asked(questions)


class _Version:
    """A version in the making."""

    def __init__(self, packed: bytes, current: Runtime, folder: Path, study: Study) -> None:
        self.data = snapshot.unpack(packed, folder)
        self.mine = current.with_data(self.data)
        self.model = model_path(folder=self.data)
        self._study = study
        self._held_out: Optional[Future[list[HeldOut]]] = None

    def train(self, progress: Progress) -> None:
        progress.tell("teach")
        if self.model.exists():
            return
        lessons, self._held_out = self._study.learn(self.data)
        context = copy_context()
        context.run(LESSONS.set, lessons.result)
        context.run(train, self.model, folder=self.data)

    def asked(self, questions: tuple[fixed.Question, ...]) -> list[list[Any]]:
        with using(self.mine):
            return fixed.as_rows(asyncio.run(fixed.ask(LocalBot(self.model).payload, questions)))

    def held_out(self, progress: Progress, phase: str = "held_out") -> list[list[Any]]:
        progress.tell(phase)
        if self._held_out is None:
            lessons, self._held_out = self._study.learn(self.data)
            lessons.result()
        found = self._held_out.result()
        named = {
            topic: measure.lasting_name(topic, self.mine.book) for topic in {t for one in found for t in one.topics}
        }
        return [[named[one.topic], one.text, named[one.found], one.probability] for one in found]


def _warm_up(study: Study) -> None:
    """Load what takes long to load."""
    study.get_ready()
    import_module("rasa.model_training")
    spans("khởi động")
    runtime().catalogue()


def main(arguments: list[str]) -> Optional[int]:
    study = Study()
    if arguments == ["--wait"]:
        _warm_up(study)
        print("ready", flush=True)
        timer = threading.Timer(IDLE, os._exit, [0])
        timer.daemon = True
        timer.start()
        line = sys.stdin.readline().strip()
        timer.cancel()
        arguments = [line] if line else []
    if arguments:
        run(int(arguments[0]), study)
    study.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
