"""Which topic a citizen's words are about: a procedure, a vague family of them, a FAQ entry, or none.

Lexical search over the ways people ask (`nlu_data/phrasings`) and the official names, with no language model.
Each phrasing is a document of its topic. A query is compared with every document and with every topic's
vocabulary, on words and on characters, folded and (where the writer used diacritics) accented. The
comparisons are weighed by a conditional logit (McFadden 1974) whose few weights are learned by holding each
phrasing out in turn, so that its probabilities mean something.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from sklearn.feature_extraction.text import CountVectorizer

from bot.text import Abbreviations, fold, is_accented, normalise

Matrix = Any  # scipy.sparse.csr_matrix; scipy ships no types
Array = Any

CANDIDATES = 40
"""Topics that are weighed for one query; the rest have no chance."""


@dataclass(frozen=True)
class Document:
    """One way of asking for a topic."""

    topic: str
    text: str
    is_name: bool = False
    """An official name rather than people's words."""


@dataclass(frozen=True)
class Match:
    topic: str
    probability: float


class _View:
    """Documents seen through one kind of term (words, pairs of words, runs of characters)."""

    def __init__(self, vectorizer: CountVectorizer) -> None:
        self.vectorizer = vectorizer

    def fit(self, texts: Sequence[str], owner: Array, topics: int) -> None:
        counts = self.vectorizer.fit_transform(texts)
        counts.data[:] = 1
        frequency = np.asarray(counts.sum(axis=0)).ravel()
        self.idf = np.log((len(texts) + 1) / (frequency + 0.5)).astype(np.float32)
        self.documents = _unit(counts @ sparse.diags(self.idf))
        self.document_mass = np.maximum(np.asarray((counts @ sparse.diags(self.idf)).sum(axis=1)).ravel(), 1e-6)
        self.binary_idf = (counts @ sparse.diags(self.idf)).tocsr()
        members = sparse.csr_matrix((np.ones(len(texts)), (owner, np.arange(len(texts)))), shape=(topics, len(texts)))
        self.members = members
        self.size = np.asarray(members.sum(axis=1)).ravel()
        self.topic_counts = (members @ counts).tocsr()
        self.topic_sums = (members @ self.documents).tocsr()

    def query(self, texts: Sequence[str]) -> Matrix:
        found = self.vectorizer.transform(texts)
        found.data[:] = 1
        return (found @ sparse.diags(self.idf)).tocsr()


def _unit(matrix: Matrix) -> Matrix:
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(1 / np.maximum(norms, 1e-9)) @ matrix


class TopicIndex:
    def __init__(self, documents, abbreviations):
        self.abbreviations = abbreviations
        self.topics = sorted({d.topic for d in documents})
        pos = {t: i for i, t in enumerate(self.topics)}
        owner = np.array([pos[d.topic] for d in documents])
        self.owner = owner
        self.view = _View(CountVectorizer(analyzer="char_wb", ngram_range=(2, 4)))
        self.view.fit([self.prepare(d.text) for d in documents], owner, len(self.topics))

    def prepare(self, text):
        return fold(self.abbreviations.expand(normalise(text)))

    def rank(self, text, top=20):
        q = _unit(self.view.query([self.prepare(text)]))
        sims = np.asarray((self.view.documents @ q.T).todense()).ravel()
        best = np.zeros(len(self.topics))
        np.maximum.at(best, self.owner, sims)
        order = np.argsort(-best)[:top]
        p = np.exp(15 * best[order]); p /= p.sum()
        return [Match(self.topics[i], float(x)) for i, x in zip(order, p)]
