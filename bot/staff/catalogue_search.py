"""Procedures by a clerk's words: with or without diacritics, by code, or by how citizens call the thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from rapidfuzz import fuzz, process

from bot.catalogue.store import Catalogue
from bot.phrasebook import Phrasebook
from bot.text import fold

LEAST = 75
"""Likeness (0–100) from which a misspelt query finds something."""
MOST_ALIKE = 20


@dataclass(frozen=True)
class Found:
    codes: list[str]
    """Best first."""
    alike: bool = False
    """None has all the words: these are only like the query."""


@dataclass(frozen=True)
class _Index:
    """Every procedure's name, and everything that it can be found by, folded."""

    catalogue: Catalogue
    book: Phrasebook
    names: dict[str, str]
    everything: dict[str, str]


_kept: Optional[_Index] = None


def search(catalogue: Catalogue, book: Phrasebook, query: str) -> Found:
    """All procedures that have every word of a query, in their name, code, field or phrasings; all for no words."""
    words = fold(query).split()
    index = _index(catalogue, book)
    if not words:
        # The portal writes some names with a full stop in front.
        return Found(sorted(index.names, key=lambda code: (code not in book.entries, index.names[code].lstrip(" .-"))))
    if query.strip() in catalogue.procedures:
        return Found([query.strip()])
    ranked = []
    for code, everything in index.everything.items():
        if all(f" {word}" in everything for word in words):
            name = f" {index.names[code]}"
            ranked.append((_rank(words, name, everything), code not in book.entries, len(name), code))
    if ranked:
        return Found([code for *_, code in sorted(ranked)])
    wanted, scorer = " ".join(words), fuzz.token_set_ratio
    close = process.extract(wanted, index.names, scorer=scorer, limit=MOST_ALIKE, score_cutoff=LEAST)
    return Found([code for _, _, code in close], alike=True)


def _index(catalogue: Catalogue, book: Phrasebook) -> _Index:
    """Made once for each catalogue: folding takes longer than searching."""
    global _kept
    found = _kept
    if found is None or found.catalogue is not catalogue or found.book is not book:
        short = book.short_names
        names = {code: fold(f"{row.name} {short.get(code, '')}") for code, row in catalogue.procedures.items()}
        everything = {code: f" {names[code]} ; {_rest(catalogue, book, code)}" for code in names}
        found = _kept = _Index(catalogue, book, names, everything)
    return found


def _rest(catalogue: Catalogue, book: Phrasebook, code: str) -> str:
    said = " ; ".join(book.entries[code].phrasings) if code in book.entries else ""
    return fold(f"{code} ; {catalogue.procedures[code].field} ; {said}")


def _rank(words: list[str], name: str, everything: str) -> int:
    """The name begins with the words, has them side by side, people say them so, the name has them all, or the rest."""
    together = f" {' '.join(words)}"
    tests = (name.startswith(together), together in name, together in everything, all(f" {w}" in name for w in words))
    return tests.index(True) if True in tests else len(tests)
