"""A linear classifier of low rank: terms → a narrow layer → softmax over thousands of topics, taught by Adam.

The same as scikit-learn's `MLPClassifier` with one linear layer, six times faster: of the terms' weights only those
that a batch holds are touched, and what Adam's momentum would have done to the others meanwhile is made up for in
one step. And steady: what is drawn at random is drawn by the name of a term, topic or example, so that one more
phrasing among thousands leaves everything else as it was.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_softmax

Matrix = Any  # scipy.sparse.csr_matrix and numpy.ndarray
Array = Any

PORTION = 1024
"""After so many examples a step is cut short; the noise of a small step does good."""
FORGETS, FORGETS_SQUARES, TINY = 0.9, 0.999, 1e-8
"""Adam's constants, as in scikit-learn."""


@dataclass(frozen=True)
class LowRank:
    """The taught classifier."""

    inner: Array
    """(terms, rank)"""
    inner_bias: Array
    outer: Array
    """(rank, topics)"""
    outer_bias: Array

    def log_probabilities(self, features: Matrix) -> Array:
        """Shape (texts, topics)."""
        hidden = np.asarray(features @ self.inner) + self.inner_bias
        return log_softmax(hidden @ self.outer + self.outer_bias, axis=1)

    def __getstate__(self) -> dict[str, Array]:
        """Kept with half the digits, in half the room: three of them are more than an opinion is worth."""
        return {name: weights.astype(np.float16) for name, weights in vars(self).items()}

    def __setstate__(self, state: dict[str, Array]) -> None:
        for name, weights in state.items():
            object.__setattr__(self, name, weights.astype(np.float32))


@dataclass(frozen=True)
class Recipe:
    rank: int
    epochs: int
    rate: float
    """Adam's learning rate."""
    batch: int = 200
    """Examples of one step."""


def keys(names: Iterable[str]) -> Array:
    """A number for each name, always the same."""
    return np.fromiter((zlib.crc32(name.encode()) for name in names), np.uint64)


def teach(
    features: Matrix, owner: Array, terms: Array, topics: Array, examples: Array, recipe: Recipe, seed: int
) -> LowRank:
    """Teach a classifier.

    Args:
        features: csr matrix (examples, terms), float32.
        owner: each example's topic, as a position in `topics`.
        terms, topics, examples: their `keys`.
        seed: of everything drawn at random.
    """
    from bot.catalogue.low_rank_steps import Teaching

    bound = np.sqrt(6 / (len(terms) + recipe.rank)), np.sqrt(6 / (recipe.rank + len(topics)))
    teaching = Teaching(
        features,
        owner,
        _spread(terms, recipe.rank, seed) * np.float32(bound[0]),
        _spread(topics, recipe.rank, seed + 1).T.copy() * np.float32(bound[1]),
        recipe.rate,
    )
    for epoch in range(recipe.epochs):
        order = np.argsort(_mixed(examples + np.uint64(1_000_003 * (seed + 1) + epoch)), kind="stable")
        for start in range(0, len(order), PORTION):
            portion = order[start : start + PORTION]
            for first in range(0, len(portion), recipe.batch):
                teaching.step(portion[first : first + recipe.batch])
    return LowRank(*teaching.weights())


def _spread(keys: Array, width: int, seed: int) -> Array:
    """Numbers between -1 and 1, a row for each key; shape (keys, width), float32."""
    rows = _mixed(keys + np.uint64(seed << 33))[:, None]
    drawn = _mixed(rows + np.arange(1, width + 1, dtype=np.uint64)[None, :])
    return ((drawn >> np.uint64(40)).astype(np.float32) / np.float32(1 << 23)) - np.float32(1)


def _mixed(numbers: Array) -> Array:
    """Each number thoroughly stirred (splitmix64)."""
    with np.errstate(over="ignore"):
        numbers = (numbers + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
        numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return numbers ^ (numbers >> np.uint64(31))
