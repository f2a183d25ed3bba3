"""What a running bot shares: settings, the catalogue, the phrasebook.

A process has one runtime, made on first use; a turn may have its own (`using`), so that it ends with the model, the
phrasebook and the catalogue that it began with, whatever is published meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Optional

from bot import phrasebook
from bot.catalogue import database, importer
from bot.catalogue.answers import Writer
from bot.catalogue.store import Catalogue, Store
from bot.phrasebook import Phrasebook
from bot.settings import Settings, settings


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    store: Store
    read_book: Callable[[], Phrasebook]
    """Read when first needed: whoever brings data of his own is not kept from it by a broken file."""
    pinned: Optional[Catalogue] = None
    """The catalogue of one turn; None: always the newest."""

    @property
    def book(self) -> Phrasebook:
        """What staff wrote.

        Raises:
            BadPhrasebook: see `phrasebook.load`.
        """
        return self.read_book()

    def catalogue(self) -> Catalogue:
        return self.pinned or self.store.current()

    def writer(self) -> Writer:
        return Writer(self.catalogue(), self.book.short_names)

    def for_one_turn(self) -> Runtime:
        """The same, with the catalogue as it is now."""
        return replace(self, pinned=self.store.current())

    def with_data(self, folder: Path) -> Runtime:
        """The same, with the phrasebook of another folder.

        Raises:
            BadPhrasebook: see `phrasebook.load`.
        """
        book = phrasebook.load(folder)
        return replace(self, read_book=lambda: book)


_MINE: ContextVar[Optional[Runtime]] = ContextVar("runtime", default=None)


def runtime() -> Runtime:
    """The runtime of this turn, or else of this process."""
    return _MINE.get() or _shared()


@contextmanager
def using(mine: Runtime) -> Iterator[None]:
    """Let `runtime()` be this one for whatever is called from here."""
    token = _MINE.set(mine)
    try:
        yield
    finally:
        _MINE.reset(token)


@lru_cache(maxsize=1)
def _shared() -> Runtime:
    """The runtime of this process; the catalogue holds at least the shipped facts."""
    current = settings()
    engine = database.connect(current.database_url)
    importer.load_shipped(engine)
    return Runtime(current, Store(engine), lru_cache(maxsize=1)(partial(phrasebook.load, current.nlu_data)))
