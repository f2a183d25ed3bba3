"""What a running bot shares: settings, the catalogue, the phrasebook. Made once, on first use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

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
    book: Phrasebook

    def catalogue(self) -> Catalogue:
        return self.store.current()

    def writer(self) -> Writer:
        return Writer(self.catalogue(), self.book.short_names)


@lru_cache(maxsize=1)
def runtime() -> Runtime:
    """The runtime of this process; the catalogue holds at least the shipped facts."""
    current = settings()
    engine = database.connect(current.database_url)
    importer.load_shipped(engine)
    return Runtime(current, Store(engine), phrasebook.load())
