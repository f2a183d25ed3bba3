"""A second process beside a training, for what needs no Rasa: lessons, judges, and the phrasings held out in turn.

Each of the two keeps a core busy; together they take little more than half the time.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context, parent_process
from pathlib import Path

from bot.catalogue.held_out import HeldOut, held_out
from bot.catalogue.search import Lessons, get_ready
from bot.phrasebook import BadPhrasebook
from bot.runtime import runtime
from bot.training import examples

_kept: list[Lessons] = []
"""Of the process: what it learned last, until it is asked about it."""


class Study:
    """The process, which starts with the first thing that it is given to do."""

    def __init__(self) -> None:
        # Not forked: TensorFlow's and OpenBLAS's threads would be missing.
        self._pool = ProcessPoolExecutor(1, get_context("spawn"), _begin)

    def get_ready(self) -> None:
        """Load what takes long to load, and read the documents of the files as they are."""
        self._pool.submit(_get_ready)

    def learn(self, folder: Path) -> tuple[Future[Lessons], Future[list[HeldOut]]]:
        """What a folder's phrasings teach, and then how each of them fares when it is held out.

        The lessons come with their judges, and cannot be taught from again.
        """
        return self._pool.submit(_learn, folder), self._pool.submit(_ask)

    def close(self) -> None:
        """Do nothing more; what is being done is waited for."""
        self._pool.shutdown(cancel_futures=True)


def _begin() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _get_ready() -> None:
    from bot.nlu.topic_linker import documents

    current = runtime()
    catalogue = current.catalogue()
    # Whoever opened the page may be about to mend a broken file.
    with suppress(BadPhrasebook):
        get_ready(documents(current.book, catalogue))


def _learn(folder: Path) -> Lessons:
    from bot.nlu.topic_linker import lessons_of

    lessons = lessons_of(runtime().with_data(folder), examples(folder))
    _ = lessons.judges
    _kept[:] = [lessons]
    return lessons


def _ask() -> list[HeldOut]:
    return held_out(_kept.pop())
