"""One step of teaching a `LowRank`, in compiled loops (numba). Imported only where something is taught."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from bot.catalogue.low_rank import FORGETS, FORGETS_SQUARES, TINY, Array, Matrix

_LOOP: Any = {"fastmath": True, "cache": True, "nogil": True}
_LONGEST_GAP = 200
"""Steps after which nothing is left of a momentum: 0.9 ** 200 is 7e-10."""
_FORGETS, _SQUARES, _TINY = np.float32(FORGETS), np.float32(FORGETS_SQUARES), np.float32(TINY)
_ONE = np.float32(1)
_FADE = FORGETS / FORGETS_SQUARES**0.5


class Teaching:
    """Weights that are being learned. The topics' are small and updated whole, the terms' where they are used."""

    def __init__(self, features: Matrix, owner: Array, inner: Array, outer: Array, rate: float) -> None:
        self._terms = (features.indptr, features.indices, features.data)
        self._owner = owner.astype(np.int64)
        self._inner, self._outer = inner, outer
        rank, topics = outer.shape
        self._biases = np.zeros(rank, np.float32), np.zeros(topics, np.float32)
        self._inner_means = np.zeros_like(inner), np.zeros_like(inner)
        self._means = [(np.zeros(p.size, np.float32), np.zeros(p.size, np.float32)) for p in (outer, *self._biases)]
        self._rate = rate
        self._rates = np.zeros(1)
        self._step = 0
        self._last = np.zeros(len(inner), np.int64)
        """The step at which a term's weights were last brought up to date."""
        self._place = np.full(len(inner), -1, np.int64)

    def step(self, rows: Array) -> None:
        """Learn from some examples."""
        self._step += 1
        self._rates = np.append(self._rates, self._rate_of(self._step))
        share = np.float32(1 / len(rows))
        hidden = np.empty((len(rows), self._outer.shape[0]), np.float32)
        _forward(*self._terms, rows, self._inner, *self._inner_means, self._last, self._step, self._rates, hidden)
        hidden += self._biases[0]
        blame = hidden @ self._outer
        blame += self._biases[1]
        blame -= blame.max(axis=1, keepdims=True)
        np.exp(blame, out=blame)
        _less_truth(blame, self._owner, rows)
        deltas = blame @ self._outer.T
        gradients = (hidden.T @ blame) * share, deltas.mean(axis=0), blame.mean(axis=0)
        rate = np.float32(self._rates[self._step])
        for weights, gradient, means in zip((self._outer, *self._biases), gradients, self._means):
            _adam(weights.reshape(-1), gradient.reshape(-1), *means, rate)
        _backward(*self._terms, rows, deltas, share, self._inner, *self._inner_means, self._place, rate)

    def weights(self) -> tuple[Array, Array, Array, Array]:
        _catch_up_all(self._inner, *self._inner_means, self._last, self._step + 1, self._rates)
        return self._inner, self._biases[0], self._outer, self._biases[1]

    def _rate_of(self, step: int) -> float:
        return float(self._rate * np.sqrt(1 - FORGETS_SQUARES**step) / (1 - FORGETS**step))


@njit(**_LOOP)
def _catch_up(term, inner, mean, square, last, step, rates):  # type: ignore[no-untyped-def]
    """What Adam would have done to a term from its last step to the one before this."""
    gap = step - 1 - last[term]
    if gap > 0 and last[term] > 0:
        total, left = 0.0, 1.0
        for i in range(1, min(gap, _LONGEST_GAP) + 1):
            left *= _FADE
            total += rates[last[term] + i] * left
        moved, kept, squares = np.float32(total), np.float32(FORGETS**gap), np.float32(FORGETS_SQUARES**gap)
        for j in range(inner.shape[1]):
            inner[term, j] -= moved * mean[term, j] / (np.sqrt(square[term, j]) + _TINY)
            mean[term, j] *= kept
            square[term, j] *= squares
    last[term] = step


@njit(**_LOOP)
def _catch_up_all(inner, mean, square, last, step, rates):  # type: ignore[no-untyped-def]
    for term in range(len(inner)):
        _catch_up(term, inner, mean, square, last, step, rates)


@njit(**_LOOP)
def _forward(starts, terms, values, rows, inner, mean, square, last, step, rates, hidden):  # type: ignore[no-untyped-def]
    for i in range(len(rows)):
        hidden[i, :] = 0
        for k in range(starts[rows[i]], starts[rows[i] + 1]):
            value, term = values[k], terms[k]
            if last[term] < step:
                _catch_up(term, inner, mean, square, last, step, rates)
            for j in range(inner.shape[1]):
                hidden[i, j] += value * inner[term, j]


@njit(**_LOOP)
def _less_truth(blame, owner, rows):  # type: ignore[no-untyped-def]
    """Exponentials → probabilities, less 1 at the right topic: the error of each output."""
    for i in range(len(rows)):
        total = np.float32(0)
        for j in range(blame.shape[1]):
            total += blame[i, j]
        share = _ONE / total
        for j in range(blame.shape[1]):
            blame[i, j] *= share
        blame[i, owner[rows[i]]] -= _ONE


@njit(**_LOOP)
def _adam(weights, gradient, mean, square, rate):  # type: ignore[no-untyped-def]
    for i in range(len(weights)):
        mean[i] = _FORGETS * mean[i] + (_ONE - _FORGETS) * gradient[i]
        square[i] = _SQUARES * square[i] + (_ONE - _SQUARES) * gradient[i] * gradient[i]
        weights[i] -= rate * mean[i] / (np.sqrt(square[i]) + _TINY)


@njit(**_LOOP)
def _backward(starts, terms, values, rows, deltas, share, inner, mean, square, place, rate):  # type: ignore[no-untyped-def]
    """Term by term: the gradient from all rows that hold it, and Adam's step."""
    size = 0
    for row in rows:
        size += starts[row + 1] - starts[row]
    found, count, different = np.empty(size, np.int64), np.zeros(size + 1, np.int64), 0
    for row in rows:
        for k in range(starts[row], starts[row + 1]):
            if place[terms[k]] < 0:
                place[terms[k]] = different
                found[different] = terms[k]
                different += 1
            count[place[terms[k]] + 1] += 1
    for q in range(different):
        count[q + 1] += count[q]
    free, holder, value = count[:different].copy(), np.empty(size, np.int64), np.empty(size, np.float32)
    for i in range(len(rows)):
        for k in range(starts[rows[i]], starts[rows[i] + 1]):
            q = place[terms[k]]
            holder[free[q]], value[free[q]] = i, values[k] * share
            free[q] += 1
    gradient = np.empty(inner.shape[1], np.float32)
    for q in range(different):
        place[found[q]] = -1
        gradient[:] = 0
        for k in range(count[q], count[q + 1]):
            for j in range(len(gradient)):
                gradient[j] += value[k] * deltas[holder[k], j]
        term = found[q]
        for j in range(len(gradient)):
            mean[term, j] = _FORGETS * mean[term, j] + (_ONE - _FORGETS) * gradient[j]
            square[term, j] = _SQUARES * square[term, j] + (_ONE - _SQUARES) * gradient[j] * gradient[j]
            inner[term, j] -= rate * mean[term, j] / (np.sqrt(square[term, j]) + _TINY)


@njit(**_LOOP)
def nearest_of_others(starts, terms, values, heads, holders, weights, owner, rows, out):  # type: ignore[no-untyped-def]
    """For each of some documents: of each topic the greatest product with another document.

    `starts, terms, values` are the documents by rows, `heads, holders, weights` the same matrix by columns.
    """
    products = np.empty(len(owner), np.float32)
    for i in range(len(rows)):
        products[:] = 0
        for k in range(starts[rows[i]], starts[rows[i] + 1]):
            for at in range(heads[terms[k]], heads[terms[k] + 1]):
                products[holders[at]] += values[k] * weights[at]
        products[rows[i]] = 0
        for other in range(len(owner)):
            out[i, owner[other]] = max(out[i, owner[other]], products[other])
