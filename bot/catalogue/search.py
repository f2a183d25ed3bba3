"""Which topic a citizen's words are about: a procedure, a vague family of them, a FAQ entry, or none.

Lexical search over the ways people ask (`nlu_data/phrasings`) and the official names, with no language model.
Each phrasing is a document of its topic. A query is compared with every document and with every topic's
vocabulary, on words and on runs of characters, folded and (where the writer used diacritics) accented. The
comparisons are weighed by a conditional logit (McFadden 1974), whose few weights are learned by holding
phrasings out in turn: so its probabilities mean something, and a new phrasing counts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from sklearn.feature_extraction.text import CountVectorizer

from bot.text import Abbreviations, fold, is_accented, normalise

Matrix = Any  # scipy.sparse.csr_matrix and numpy.ndarray; scipy 1.10 ships no types
Array = Any

CANDIDATES = 40
"""Topics that are weighed for one query; the rest have no chance."""
HELD_OUT = 4000
"""Phrasings that the weights are learned on."""
_CHUNK = 250
_SMOOTHING = 0.1


@dataclass(frozen=True)
class Document:
    """One way of asking for a topic. A topic's id is `kind:name`."""

    topic: str
    text: str
    is_name: bool = False
    """An official name rather than people's words."""


@dataclass(frozen=True)
class Match:
    topic: str
    probability: float


@dataclass(frozen=True)
class _Held:
    """Queries that are documents themselves: what they would be without their own document."""

    documents: Array
    owners: Array


class _View:
    """Documents seen through one kind of term (words, pairs of words, runs of characters).

    Documents are ordered by topic, so that the best document of each topic is one `reduceat`.
    """

    def __init__(self, vectorizer: CountVectorizer, texts: Sequence[str], starts: Array, owner: Array) -> None:
        self.vectorizer = vectorizer
        counts = vectorizer.fit_transform(texts).astype(np.float32)
        counts.data[:] = 1
        frequency = np.asarray(counts.sum(axis=0)).ravel()
        self.idf = np.log((len(texts) + 1) / (frequency + 0.5)).astype(np.float32)
        self._starts = starts
        weighted = (counts @ sparse.diags(self.idf)).tocsr()
        self._mass = np.maximum(np.asarray(weighted.sum(axis=1)).ravel(), 1e-6)
        self._norm = np.maximum(_norms(weighted), 1e-6)
        # Terms in rows: a query then touches only the rows of its own terms.
        self._documents = weighted.T.tocsr()
        self._units = (sparse.diags(1 / self._norm) @ weighted).T.tocsr()
        members = sparse.csr_matrix(
            (np.ones(len(texts), np.float32), (owner, np.arange(len(texts)))), shape=(len(starts), len(texts))
        )
        self._counts = (members @ counts).tocsr()
        by_term = self._counts.T.tocsr()
        self._vocabulary = _mapped(by_term, lambda found: np.minimum(found, 2) / 2)
        self._likelihood = _mapped(by_term, lambda found: np.log1p(found / _SMOOTHING))
        self._total = np.log(np.asarray(self._counts.sum(axis=1)).ravel() + _SMOOTHING * counts.shape[1])

    def compare(self, texts: Sequence[str], held: _Held | None = None) -> Array:
        """Shape (queries, topics, 5): best document by cosine, by share of it said, by share of the query
        said; share of the query in the topic's vocabulary; naive Bayes likelihood per term."""
        query = self.vectorizer.transform(texts).astype(np.float32)
        query.data[:] = 1
        idf_query = (query @ sparse.diags(self.idf)).tocsr()
        norm = np.maximum(_norms(idf_query), 1e-6)[:, None]
        mass = np.maximum(np.asarray(idf_query.sum(axis=1)).ravel(), 1e-6)[:, None]
        terms = np.maximum(np.asarray(query.sum(axis=1)).ravel(), 1)[:, None]
        cosine = _dense(idf_query @ self._units) / norm
        shared = _dense(query @ self._documents)
        said, asked = shared / self._mass[None, :], shared / mass
        if held is not None:
            for matrix in (cosine, said, asked):
                matrix[np.arange(len(texts)), held.documents] = 0
        covered = _dense(idf_query @ self._vocabulary)
        likelihood = _dense(query @ self._likelihood)
        if held is not None:
            self._without_own(query, idf_query, held, covered, likelihood)
        return np.stack(
            [
                np.maximum.reduceat(cosine, self._starts, axis=1),
                np.maximum.reduceat(said * np.minimum(1, asked * 3), self._starts, axis=1),
                np.maximum.reduceat(asked, self._starts, axis=1),
                covered / mass,
                likelihood / terms - self._total[None, :],
            ],
            axis=2,
        ).astype(np.float32)

    def _without_own(self, query: Matrix, idf_query: Matrix, held: _Held, covered: Array, likelihood: Array) -> None:
        """Take a held-out document's own terms out of its topic's vocabulary."""
        for i, owner in enumerate(held.owners):
            terms = query.indices[query.indptr[i] : query.indptr[i + 1]]
            own = np.asarray(self._counts[owner, terms].todense()).ravel()
            less = np.maximum(own - 1, 0)
            covered[i, owner] = float((self.idf[terms] * np.minimum(less, 2) / 2).sum())
            likelihood[i, owner] = float(np.log1p(less / _SMOOTHING).sum())


def _mapped(matrix: Matrix, change: Callable[[Array], Array]) -> Matrix:
    changed = matrix.copy()
    changed.data = change(changed.data).astype(np.float32)
    return changed


def _norms(matrix: Matrix) -> Array:
    return np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())


def _dense(matrix: Matrix) -> Array:
    return np.asarray(matrix.todense(), dtype=np.float32)


class TopicIndex:
    """All topics, ready to be searched."""

    def __init__(self, documents: Sequence[Document], abbreviations: Abbreviations) -> None:
        """Index the documents and learn the weights (some 20 s for 30,000 phrasings on 2 cores)."""
        self._abbreviations = abbreviations
        ordered = sorted(documents, key=lambda document: document.topic)
        self.topics = sorted({document.topic for document in ordered})
        number = {topic: i for i, topic in enumerate(self.topics)}
        owner = np.array([number[document.topic] for document in ordered])
        starts = np.searchsorted(owner, np.arange(len(self.topics)))
        accented = [self._expand(document.text) for document in ordered]
        folded = [fold(text) for text in accented]
        self._words = _View(_words(), folded, starts, owner)
        self._runs = _View(_runs(), folded, starts, owner)
        self._accented = _View(_words(), accented, starts, owner)
        kinds = sorted({topic.partition(":")[0] for topic in self.topics})
        self._kind = np.array([[topic.startswith(f"{kind}:") for kind in kinds] for topic in self.topics], np.float32)
        self._weights = self._learn(ordered, accented, owner)

    def rank(self, text: str, top: int = 20) -> list[Match]:
        """The likeliest topics for a text, best first; probabilities over all candidates."""
        features, candidates = next(self._candidates([self._expand(text)], [is_accented(text)]))
        chances = softmax(features[0] @ self._weights)
        order = np.argsort(-chances)[:top]
        return [Match(self.topics[candidates[0][i]], float(chances[i])) for i in order]

    def _expand(self, text: str) -> str:
        return self._abbreviations.expand(normalise(text))

    def _candidates(
        self, texts: Sequence[str], accents: Sequence[bool], held: _Held | None = None
    ) -> Iterator[tuple[Array, Array]]:
        """In chunks: features (queries, candidates, weights) and topic numbers of the candidates."""
        for start in range(0, len(texts), _CHUNK):
            part = slice(start, start + _CHUNK)
            some = None if held is None else _Held(held.documents[part], held.owners[part])
            folded = [fold(text) for text in texts[part]]
            word, run = self._words.compare(folded, some), self._runs.compare(folded, some)
            own = self._accented.compare(texts[part], some)
            typed = np.asarray(accents[part], bool)[:, None, None]
            everything = np.concatenate([word, run, np.where(typed, own, word)], axis=2)
            rough = everything[:, :, 0] + everything[:, :, 5] + everything[:, :, 8]
            if some is not None:
                # The right topic is always weighed while learning, even where the rough look misses it.
                rough[np.arange(len(folded)), some.owners] += 10
            size = min(CANDIDATES, rough.shape[1])
            candidates = np.argpartition(-rough, size - 1, axis=1)[:, :size]
            chosen = np.take_along_axis(everything, candidates[:, :, None], axis=1)
            yield np.concatenate([chosen, self._kind[candidates]], axis=2), candidates

    def _learn(self, documents: Sequence[Document], accented: Sequence[str], owner: Array) -> Array:
        rng = np.random.default_rng(0)
        several = np.bincount(owner)[owner] > 2
        eligible = np.array([i for i, d in enumerate(documents) if not d.is_name and several[i]])
        if not len(eligible):
            return np.ones(15 + self._kind.shape[1], np.float32)
        picked = rng.permutation(eligible)[:HELD_OUT]
        bare = rng.random(len(picked)) < 0.4
        texts = [fold(accented[i]) if plain else accented[i] for i, plain in zip(picked, bare)]
        held = _Held(picked, owner[picked])
        parts = list(self._candidates(texts, [not plain for plain in bare], held))
        features = np.concatenate([part[0] for part in parts])
        right = np.concatenate([part[1] for part in parts]) == owner[picked][:, None]

        def loss(weights: Array) -> tuple[float, Array]:
            scores = features @ weights
            log = scores - logsumexp(scores, axis=1, keepdims=True)
            gradient = np.einsum("qc,qcw->w", np.exp(log) - right, features) / len(features)
            return -float(log[right].mean()) + 1e-4 * float(weights @ weights), gradient + 2e-4 * weights

        found = minimize(loss, np.ones(features.shape[2]), jac=True, method="L-BFGS-B")
        self.report = {
            "loss": float(found.fun),
            "held_out_hit": float((np.argmax(features @ found.x, 1) == np.argmax(right, 1)).mean()),
        }
        return found.x.astype(np.float32)


def _words() -> CountVectorizer:
    return CountVectorizer(analyzer="word", token_pattern=r"[^\s]+", ngram_range=(1, 2))


def _runs() -> CountVectorizer:
    return CountVectorizer(analyzer="char_wb", ngram_range=(2, 4))
