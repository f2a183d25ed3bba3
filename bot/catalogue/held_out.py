"""Every document asked of an index that was taught without it, so as to tell what a new version learned and forgot.

Of the bot's judges (`bot.catalogue.search`) each was taught without one part of the documents; a document is judged by
the one that never saw it, and by the nearest of all other documents. What part it is in depends on its words alone: it
is the same in every version.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from bot.catalogue.low_rank import Array, Matrix
from bot.catalogue.search import DOUBT, SIDE_BY_SIDE, Lessons, weighed

COMMON = 4000
"""Documents with a term from which on it does not count for the nearest other document: such runs of letters tell
little apart, and take four fifths of the time."""
_CHUNK = 1000


@dataclass(frozen=True)
class HeldOut:
    """What became of one document."""

    topic: str
    """Where it belongs."""
    text: str
    found: str
    """The topic that was likeliest."""
    probability: float
    """Of the topic where it belongs."""

    @property
    def topics(self) -> tuple[str, str]:
        return self.topic, self.found

    @property
    def right(self) -> bool:
        return self.found == self.topic


def held_out(lessons: Lessons, tell: Callable[[float], None] = lambda share: None) -> list[HeldOut]:
    """Ask every document in turn.

    Args:
        tell: is told the share that is done, 0–1.
    """
    rows = np.arange(len(lessons.documents))
    chunks = [rows[at : at + _CHUNK] for at in range(0, len(rows), _CHUNK)]
    nearest = _Nearest(lessons)
    found: list[HeldOut] = []
    lessons.judges  # noqa: B018 - taught once, before they are asked from two threads
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for number, some in enumerate(pool.map(lambda rows: _judged(lessons, nearest, rows), chunks), 1):
            found += some
            tell(number / len(chunks))
    return found


def _judged(lessons: Lessons, nearest: _Nearest, rows: Array) -> list[HeldOut]:
    learned = np.empty((len(rows), len(lessons.topics)), np.float32)
    for part, judge in enumerate(lessons.judges):
        mine = lessons.parts[rows] == part
        if mine.any():
            learned[mine] = np.maximum(judge.log_probabilities(lessons.terms[rows[mine]]), DOUBT)
    shares = softmax(weighed(learned, nearest.of(rows)), axis=1)
    best = shares.argmax(axis=1)
    return [
        HeldOut(
            lessons.topics[lessons.owner[row]],
            lessons.documents[row].text,
            lessons.topics[best[at]],
            round(float(shares[at, lessons.owner[row]]), 4),
        )
        for at, row in enumerate(rows)
    ]


class _Nearest:
    """The cosine of the nearest other document of each topic."""

    def __init__(self, lessons: Lessons) -> None:
        holders = np.bincount(lessons.terms.indices, minlength=lessons.terms.shape[1])
        self._terms: Matrix = lessons.terms[:, np.flatnonzero(holders < COMMON)].tocsr()
        self._by_term: Matrix = self._terms.tocsc()
        self._owner, self._topics = lessons.owner, len(lessons.topics)

    def of(self, rows: Array) -> Array:
        """Shape (rows, topics)."""
        from bot.catalogue.low_rank_steps import nearest_of_others

        a, b = self._terms, self._by_term
        out = np.zeros((len(rows), self._topics), np.float32)
        nearest_of_others(
            a.indptr, a.indices, a.data, b.indptr, b.indices, b.data, self._owner.astype(np.int64), rows, out
        )
        return out / 3
