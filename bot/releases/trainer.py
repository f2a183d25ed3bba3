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
from contextlib import suppress
from contextvars import copy_context
from importlib import import_module
from pathlib import Path
from typing import Any, Optional

from rasa.shared.exceptions import RasaException
from sqlalchemy.exc import SQLAlchemyError

from bot.console import quiet

quiet()

# ruff: noqa: E402, I001
import bot.server  # noqa: F401 - before the rest: see there

from bot.catalogue.held_out import HeldOut
from bot.evaluation import fixed
from bot.nlu import tokenizer
from bot.nlu.topic_linker import LESSONS
from bot.phrasebook import BadPhrasebook
from bot.releases import measure, snapshot
from bot.releases.job import Job, Jobs, Stopped
from bot.releases.starting import usable_model
from bot.releases.store import Release, Releases
from bot.releases.study import Study
from bot.runtime import Runtime, runtime, using
from bot.server import LocalBot
from bot.training import code_digest, data_digest, examples, model_path, train

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


class Version:
    """A version in the making, or one that is measured."""

    def __init__(self, packed: bytes, current: Runtime, folder: Path, study: Study) -> None:
        self.data = snapshot.unpack(packed, folder)
        self.mine = current.with_data(self.data)
        self.model = model_path(folder=self.data)
        self._study = study
        self._bot: Optional[LocalBot] = None
        self._held_out: Optional[Future[list[HeldOut]]] = None

    def train(self, progress: Progress) -> None:
        progress.tell("teach")
        if self.model.exists():
            return
        lessons, self._held_out = self._study.learn(self.data)
        context = copy_context()
        context.run(LESSONS.set, lessons.result)
        context.run(train, self.model, folder=self.data)

    def load(self, model: Optional[Path] = None) -> LocalBot:
        """Get it ready to be asked, from its own model or from another file."""
        with using(self.mine):
            self._bot = LocalBot(model or self.model)
        return self._bot

    def asked(self, questions: tuple[fixed.Question, ...]) -> list[list[Any]]:
        bot = self._bot or self.load()
        with using(self.mine):
            return fixed.as_rows(asyncio.run(fixed.ask(bot.payload, questions)))

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


class Workshop:
    """What a training process works with, and has at hand before it is told what to do."""

    def __init__(self) -> None:
        self._current = runtime()
        self._releases = Releases(self._current.store.engine, self._current.settings.models)
        self._study = Study()
        self._published: Optional[tuple[int, Version]] = None
        """The version that answered when this process got ready, loaded."""

    def warm_up(self) -> None:
        """Load what takes long to load."""
        self._study.get_ready()
        import_module("rasa.model_training")
        self._current.catalogue()
        # Whoever opened the page may be about to mend a broken file.
        with suppress(BadPhrasebook, RasaException, OSError):
            tokenizer.get_ready(text for text, _ in examples(self._current.settings.nlu_data))
        published = self._releases.published()
        if published:
            with tempfile.TemporaryDirectory(prefix="motcua-published-") as folder:
                version = self._loaded(published, Path(folder) / "data")
            self._published = (published.id, version) if version else None

    def close(self) -> None:
        self._study.close()

    def run(self, number: int) -> None:
        """Do a job; how it ended stands in the database."""
        jobs = Jobs(self._current.store.engine)
        job = jobs.get(number)
        folder = Path(tempfile.mkdtemp(prefix="motcua-training-"))
        progress = Progress(jobs, number, folder)
        try:
            made = self._made(job, folder, progress)
            progress.close()
            jobs.end(number, "done", release=made)
        except (BadPhrasebook, LookupError) as error:
            jobs.end(number, "failed", str(error))
        except Exception as error:
            (self._current.settings.home / "training.log").write_text(traceback.format_exc(), encoding="utf-8")
            jobs.end(number, "failed", f"{type(error).__name__}: {error}. Chi tiết ở tệp training.log của máy chủ.")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _made(self, job: Job, folder: Path, progress: Progress) -> int:
        """Do what a job asks for; gives the number of the version that it was about."""
        old = self._releases.get(job.release) if job.release else None
        if old is not None:
            return self._mended(old, folder / "old", progress)
        started = time.monotonic()
        packed = snapshot.pack(self._current.settings.nlu_data)
        # From here on nobody's edits reach what is trained.
        draft = self._version(packed, folder / "draft")
        questions = fixed.read(draft.data)
        draft.train(progress)
        progress.tell("fixed")
        published = self._releases.published()
        measured: dict[str, Any] = {"fixed": draft.asked(questions)}
        if published:
            beside = self._asked_of(published, folder / "published", questions)
            measured.update(before=published.id, fixed_before=beside)
        measured["held_out"] = draft.held_out(progress)
        if published and not self._releases.measured(published.id).get("held_out"):
            self._measure(published, folder / "unmeasured", progress)
        progress.tell("keep")
        seconds = round(time.monotonic() - started, 1)
        digests = data_digest(draft.data), code_digest()
        kept = self._releases.add(draft.model, packed, job.who, *digests, seconds, measure.figures(measured), measured)
        return kept.id

    def _mended(self, old: Release, folder: Path, progress: Progress) -> int:
        """Make what an old version lacks: its model, or its figures."""
        if usable_model(self._releases, old) is None:
            version = self._version(self._releases.snapshot(old.id), folder)
            version.train(progress)
            self._releases.replace_model(old.id, version.model, code_digest())
        else:
            self._measure(old, folder, progress)
        return old.id

    def _measure(self, one: Release, folder: Path, progress: Progress) -> None:
        """Measure a version for which nobody did so yet: the one that was shipped."""
        version = self._version(self._releases.snapshot(one.id), folder)
        measured = {**self._releases.measured(one.id), "held_out": version.held_out(progress, "published")}
        model = usable_model(self._releases, one)
        if model and not measured.get("fixed"):
            version.load(model)
            measured["fixed"] = version.asked(fixed.read(version.data))
        self._releases.note_measured(one.id, measure.figures(measured), measured)

    def _asked_of(self, one: Release, folder: Path, questions: tuple[fixed.Question, ...]) -> list[list[Any]]:
        """The questions, of the version that answers now; none if its model is not at hand."""
        if self._published and self._published[0] == one.id:
            return self._published[1].asked(questions)
        version = self._loaded(one, folder)
        return version.asked(questions) if version else []

    def _loaded(self, one: Release, folder: Path) -> Optional[Version]:
        """A kept version, ready to be asked; None if its model is not at hand."""
        model = usable_model(self._releases, one)
        if model is None:
            return None
        version = self._version(self._releases.snapshot(one.id), folder)
        version.load(model)
        return version

    def _version(self, packed: bytes, folder: Path) -> Version:
        return Version(packed, self._current, folder, self._study)


def main(arguments: list[str]) -> Optional[int]:
    workshop = Workshop()
    if arguments == ["--wait"]:
        workshop.warm_up()
        print("ready", flush=True)
        timer = threading.Timer(IDLE, os._exit, [0])
        timer.daemon = True
        timer.start()
        line = sys.stdin.readline().strip()
        timer.cancel()
        arguments = [line] if line else []
    if arguments:
        workshop.run(int(arguments[0]))
    workshop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
