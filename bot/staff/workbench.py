"""What the sections about content share: the editor, the checks, and finding entries by words."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import cast

from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.requests import Request

from bot.editing.checks import Checker, Sayings, said
from bot.editing.editor import KINDS, Editor, Item
from bot.editing.links import Links
from bot.runtime import Runtime
from bot.text import fold, words

LIKE = 55.0
"""Likeness (0–100) of phrasings from which an entry is worth suggesting."""


@dataclass(frozen=True)
class Suggestion:
    """An entry that a question may belong to."""

    item: Item
    because: str = ""
    """The phrasing that is like the question."""


class Workbench:
    """One for each running console."""

    def __init__(self, runtime: Runtime, links: Links) -> None:
        self.runtime = runtime
        self.editor = Editor(runtime.settings.nlu_data)
        self.links = links
        self._sayings = Sayings(runtime.book.abbreviations)
        self._texts: dict[str, tuple[str, str]] = {}
        self._lock = Lock()

    def checker(self) -> Checker:
        snapshot = self.editor.snapshot()
        return Checker(snapshot, self.sayings(), self.codes(), self.runtime.settings.today, self.links)

    def sayings(self) -> Sayings:
        with self._lock:
            return self._sayings.use(self.editor.snapshot())

    def codes(self) -> dict[str, str]:
        """The procedures of the catalogue: code → official name."""
        return {code: str(procedure.name) for code, procedure in self.runtime.catalogue().procedures.items()}

    def short_name(self, code: str) -> str:
        """What a procedure is called in the phrasebook, or else in the catalogue."""
        item = self.editor.snapshot().named(KINDS["procedure"], code)
        procedure = self.runtime.catalogue().procedures.get(code)
        return item.title if item else str(procedure.name) if procedure else code

    def search(self, items: Iterable[Item], query: str) -> list[Item]:
        """The entries in which each word of a query occurs, accents or not; those named so come first.

        The beginning of a word is enough, as one types; whole words count more, next to each other most.
        """
        wanted = words_of(query)
        if not wanted:
            return list(items)
        found = []
        for item in items:
            title, text = self._text(item)
            if all(word in text for word in wanted):
                whole = title.split()
                told = " ".join(wanted) in title, sum(word in whole for word in wanted), sum(w in title for w in wanted)
                found.append((told, item))
        return [item for _, item in sorted(found, key=lambda pair: pair[0], reverse=True)]

    def suggest(
        self, question: str, first: Sequence[Item] = (), last: Sequence[str] = (), most: int = 6
    ) -> list[Suggestion]:
        """Entries that a question may belong to, likeliest first.

        Args:
            first: what the bot itself thinks of.
            last: procedures that were answered, and were wrong.
        """
        snapshot = self.editor.snapshot()
        found = {item.id: Suggestion(item) for item in first}
        for twin in self.sayings().twins(question, least=LIKE, most=60):
            if twin.other is not None:
                known = found.get(twin.other.id)
                if known is None or not known.because:
                    found[twin.other.id] = Suggestion(twin.other, twin.text)
        for item in self.search((item for item in snapshot.items if not item.retired), question)[:most]:
            found.setdefault(item.id, Suggestion(item))
        ordered = sorted(found.values(), key=lambda each: each.item.key in last)
        return ordered[:most]

    def _text(self, item: Item) -> tuple[str, str]:
        """An entry's title and all its text, folded."""
        key = f"{item.id} {item.version}"
        if key not in self._texts:
            values = item.values
            told = [item.key, item.title, *said(item)]
            told += [str(values.get(name) or "") for name in ("answer", "owner", "field", "keyword")]
            told += [str(code) for code in values.get("choices", ())]
            told += [f"{each.get('title')} {each.get('url')}" for each in values.get("sources", ())]
            self._texts[key] = (" ".join([fold(item.key), *words_of(item.title)]), fold(" ".join(told)))
        return self._texts[key]


def words_of(query: str) -> list[str]:
    return words(fold(query))


_MAKING = Lock()


def workbench(request: Request) -> Workbench:
    """The console's workbench, made on first use."""
    return _workbench(request.app.state)


def warm(console: Starlette) -> threading.Thread:
    """Read the files before anybody comes, which takes seconds: in a thread, which is given."""
    thread = threading.Thread(target=lambda: _workbench(console.state).sayings(), name="warm-workbench", daemon=True)
    thread.start()
    return thread


def _workbench(state: State) -> Workbench:
    with _MAKING:
        if not hasattr(state, "workbench"):
            state.workbench = Workbench(state.runtime, getattr(state, "links", None) or Links())
    return cast(Workbench, state.workbench)
