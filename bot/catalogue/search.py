"""Which topic a citizen's words are about: a procedure, a vague family of them, a FAQ entry, or none.

Lexical search over the ways people ask (`nlu_data/phrasings`) and the official names, with no language model.
Each phrasing is a document of its topic. A topic's score for a query is how near its nearest document is, and
how much of the query its vocabulary covers, on words and on runs of characters, folded and (where the writer
used diacritics) accented. A softmax makes the scores into probabilities; its sharpness is learned by looking
for phrasings without themselves, so that the probabilities mean something. What is about no topic is kept out
by a gate of its own: how well the best topic fits says little of a question about the weather.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from bot.text import Abbreviations, fold, is_accented, normalise

Matrix = Any  # scipy.sparse.csr_matrix and numpy.ndarray; scipy 1.10 ships no types
Array = Any

CANDIDATES = 10
"""Topics among which the probability is shared out: thousands that do not fit must not add up to something."""
WORD_FOR_WORD = 0.95
"""Least probability of a topic that the text is a phrasing of, word for word."""
HELD_OUT = 5000
"""Phrasings that sharpness and gate are learned on."""
COVERED = 0.5
"""What covered vocabulary weighs beside the nearest phrasing."""
SIZE_PENALTY = 0.3
"""A topic with many phrasings is near to any query by chance: this much off per e-fold of phrasings. This and
`COVERED` were chosen by looking for one writer's phrasings in an index of another's (docs/evaluation.md)."""
_CHUNK = 250


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

    Documents are ordered by topic, so that the best document of each topic is one `reduceat`; matrices have
    their terms in rows, so that a query touches only the rows of its own terms.
    """

    def __init__(self, vectorizer: CountVectorizer, texts: Sequence[str], owner: Array) -> None:
        self._vectorizer = vectorizer
        counts = vectorizer.fit_transform(texts).astype(np.float32)
        counts.data[:] = 1
        frequency = np.asarray(counts.sum(axis=0)).ravel()
        self._idf = np.log((len(texts) + 1) / (frequency + 0.5)).astype(np.float32)
        weighted = counts @ sparse.diags(self._idf)
        self._units = (sparse.diags(1 / np.maximum(_norms(weighted), 1e-6)) @ weighted).T.tocsr()
        topics = int(owner[-1]) + 1
        self._starts = np.searchsorted(owner, np.arange(topics))
        members = sparse.csr_matrix((np.ones(len(texts), np.float32), (owner, np.arange(len(texts)))))
        self._counts = (members @ counts).tocsr()
        # A term that one phrasing alone uses counts half: it may be there by chance.
        self._vocabulary = _mapped(self._counts.T.tocsr(), _known)

    def compare(self, texts: Sequence[str], held: _Held | None = None) -> Array:
        """Shape (queries, topics, 2): cosine of the nearest document; share of the query (by idf) covered."""
        query = self._vectorizer.transform(texts).astype(np.float32)
        query.data[:] = 1
        weighted = (query @ sparse.diags(self._idf)).tocsr()
        strange = np.array([self._strange(text) for text in texts]) * float(self._idf.max())
        mass = np.maximum(np.asarray(weighted.sum(axis=1)).ravel() + strange, 1e-6)[:, None]
        norm = np.sqrt(_norms(weighted) ** 2 + strange * float(self._idf.max()))
        cosine = _dense(weighted @ self._units) / np.maximum(norm, 1e-6)[:, None]
        covered = _dense(weighted @ self._vocabulary)
        if held is not None:
            cosine[np.arange(len(texts)), held.documents] = 0
            for i, owner in enumerate(held.owners):
                terms = query.indices[query.indptr[i] : query.indptr[i + 1]]
                others = np.asarray(self._counts[owner, terms].todense()).ravel() - 1
                covered[i, owner] = float((self._idf[terms] * _known(np.maximum(others, 0))).sum())
        nearest = np.maximum.reduceat(cosine, self._starts, axis=1)
        return np.stack([nearest, covered / mass], axis=2)

    def _strange(self, text: str) -> int:
        """How many words of a text nobody ever used: they are part of what it says, though no topic knows them."""
        if self._vectorizer.analyzer != "word":
            return 0
        return sum(word not in self._vectorizer.vocabulary_ for word in text.split())


def _known(counts: Array) -> Array:
    return np.minimum(counts, 2) / 2


def _mapped(matrix: Matrix, change: Callable[[Array], Array]) -> Matrix:
    changed = matrix.copy()
    changed.data = change(changed.data).astype(np.float32)
    return changed


def _norms(matrix: Matrix) -> Array:
    return np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())


def _dense(matrix: Matrix) -> Array:
    return np.asarray(matrix.todense(), dtype=np.float32)


class TopicIndex:
    """All topics, ready to be searched, and the gate that tells what is about none of them."""

    def __init__(self, documents: Sequence[Document], abbreviations: Abbreviations) -> None:
        """Index the documents; learn sharpness and gate.

        Documents of a topic `none:…` are about no topic: they are not searched, they teach the gate.
        """
        self._abbreviations = abbreviations
        ordered = sorted((d for d in documents if not _is_none(d)), key=lambda document: document.topic)
        self.topics = sorted({document.topic for document in ordered})
        number = {topic: i for i, topic in enumerate(self.topics)}
        owner = np.array([number[document.topic] for document in ordered])
        self._penalty = SIZE_PENALTY * np.log1p(np.bincount(owner))
        accented = [self._expand(document.text) for document in ordered]
        folded = [fold(text) for text in accented]
        self._said: dict[str, set[str]] = {}
        for document, text in zip(ordered, folded):
            self._said.setdefault(text, set()).add(document.topic)
        self._words = _View(_words(), folded, owner)
        self._runs = _View(_runs(), folded, owner)
        self._accented = _View(_words(), accented, owner)
        held, texts = _hold_out(ordered, accented, owner)
        comparisons = self._compare(texts, held)
        self._sharpness = _sharpness(self._score(comparisons), held.owners)
        foreign = [d for d in documents if _is_none(d)]
        self._gate = self._learn_gate(texts, comparisons, foreign)

    def rank(self, text: str) -> list[Match]:
        """What a text is about, likeliest first; the probabilities of topics and of `none:…` add up to 1."""
        query = self._expand(text)
        said = self._said.get(fold(query), set())
        comparisons = self._compare([query])
        best, chances = self._chances(self._score(comparisons))
        gate = self._gate.shares([query], self._evidence(comparisons))[0]
        real = gate.pop(REAL)
        matches = [Match(self.topics[i], real * float(chance)) for i, chance in zip(best[0], chances[0])]
        matches += [Match(topic, share) for topic, share in gate.items()]
        if len(said) == 1:
            matches = _certain(said.pop(), matches)
        return sorted(matches, key=lambda match: -match.probability)

    def _expand(self, text: str) -> str:
        return self._abbreviations.expand(normalise(text))

    def _compare(self, texts: Sequence[str], held: _Held | None = None) -> Array:
        """Shape (queries, topics, 6): nearest and covered, by words, by runs, by words with their accents."""
        parts = [np.zeros((0, len(self.topics), 6), np.float32)]
        for start in range(0, len(texts), _CHUNK):
            part = slice(start, start + _CHUNK)
            some = None if held is None else _Held(held.documents[part], held.owners[part])
            folded = [fold(text) for text in texts[part]]
            words, runs = self._words.compare(folded, some), self._runs.compare(folded, some)
            typed = np.array([is_accented(text) for text in texts[part]])[:, None, None]
            accented = np.where(typed, self._accented.compare(texts[part], some), words)
            parts.append(np.concatenate([words, runs, accented], axis=2).astype(np.float32))
        return np.concatenate(parts)

    def _score(self, comparisons: Array) -> Array:
        nearest, covered = comparisons[:, :, 0::2].sum(axis=2), comparisons[:, :, 1::2].sum(axis=2)
        return nearest + COVERED * covered - self._penalty

    def _chances(self, scores: Array) -> tuple[Array, Array]:
        """The best topics per query, and how the probability is shared out among them."""
        size = min(CANDIDATES, scores.shape[1])
        best = np.argsort(-scores, axis=1)[:, :size]
        return best, softmax(self._sharpness * np.take_along_axis(scores, best, axis=1), axis=1)

    def _evidence(self, comparisons: Array) -> Array:
        """How well the best topics fit, per query: comparisons of the best one, its share, and the next one's."""
        best, chances = self._chances(self._score(comparisons))
        fit = np.take_along_axis(comparisons, best[:, :1, None], axis=1)[:, 0]
        two = np.pad(chances, ((0, 0), (0, 2)))[:, :2]
        return np.hstack([fit, comparisons.max(axis=1), two])

    def _learn_gate(self, texts: Sequence[str], comparisons: Array, others: Sequence[Document]) -> Gate:
        foreign = [self._expand(document.text) for document in others]
        bare = [fold(text) for text in foreign]
        evidence = [self._evidence(found) for found in (comparisons, self._compare(foreign), self._compare(bare))]
        labels = [REAL] * len(texts) + [document.topic for document in others] * 2
        return Gate([*texts, *foreign, *bare], np.concatenate(evidence), labels)


def _certain(topic: str, matches: Sequence[Match]) -> list[Match]:
    """What staff wrote down for one topic alone is about that topic, whatever else it resembles."""
    others = [Match(m.topic, m.probability * (1 - WORD_FOR_WORD)) for m in matches if m.topic != topic]
    return [Match(topic, 1 - sum(match.probability for match in others)), *others]


def _hold_out(documents: Sequence[Document], accented: Sequence[str], owner: Array) -> tuple[_Held, list[str]]:
    """Phrasings to be looked for without themselves, two in five of them without diacritics."""
    rng = np.random.default_rng(0)
    several = np.bincount(owner)[owner] > 2
    eligible = np.array([i for i, d in enumerate(documents) if not d.is_name and several[i]], int)
    picked = rng.permutation(eligible)[:HELD_OUT]
    bare = rng.random(len(picked)) < 0.4
    return _Held(picked, owner[picked]), [fold(accented[i]) if plain else accented[i] for i, plain in zip(picked, bare)]


def _sharpness(scores: Array, right: Array) -> float:
    """The factor before the softmax that makes the right topics likeliest."""
    best = np.argsort(-scores, axis=1)[:, :CANDIDATES]
    among = best == right[:, None]
    scores = np.take_along_axis(scores, best, axis=1)
    if not among.any():
        return 1.0

    def loss(factor: float) -> float:
        return -float(log_softmax(factor * scores, axis=1)[among].mean())

    return float(minimize_scalar(loss, bounds=(0.5, 60), method="bounded").x)


REAL = "real"


class Gate:
    """Whether a text is about any topic at all, and what it is otherwise (out of scope, small talk…).

    A linear text classifier says how the words sound; how well the best topics fit says the rest. The second
    stage is taught by the first one's judgement of texts that it was not taught by.
    """

    def __init__(self, texts: Sequence[str], evidence: Array, labels: Sequence[str]) -> None:
        self.constant = labels[0] if len(set(labels)) < 2 else None
        if self.constant is not None:
            return
        kinds = np.array(labels)
        self._texts = make_pipeline(
            FeatureUnion([("words", _weighed(_words())), ("runs", _weighed(_runs()))]),
            LogisticRegression(C=20, class_weight="balanced", max_iter=300),
        )
        folded = [fold(text) for text in texts]
        sound = cross_val_predict(self._texts, folded, kinds, cv=3, method="predict_log_proba")
        self._texts.fit(folded, kinds)
        self._all = make_pipeline(
            StandardScaler(), LogisticRegression(C=1.0, class_weight=_weights(kinds), max_iter=1000)
        )
        self._all.fit(np.hstack([np.maximum(sound, -12), evidence]), kinds)

    def shares(self, texts: Sequence[str], evidence: Array) -> list[dict[str, float]]:
        """Probability of REAL and of every `none:…` topic, per text."""
        if self.constant is not None:
            return [{REAL: 1.0} for _ in texts]
        sound = np.maximum(self._texts.predict_log_proba([fold(text) for text in texts]), -12)
        shares = self._all.predict_proba(np.hstack([sound, evidence]))
        return [dict(zip(map(str, self._all.classes_), map(float, row))) for row in shares]


def _weights(labels: Array) -> dict[str, float]:
    """Near to counting every kind the same, whatever its number of examples: people ask about procedures far
    more often than about the weather, but not as much more often as there are examples of them."""
    kinds, counts = np.unique(labels, return_counts=True)
    return {str(kind): float((len(labels) / (len(kinds) * count)) ** 0.8) for kind, count in zip(kinds, counts)}


def _is_none(document: Document) -> bool:
    return document.topic.startswith("none:")


def _weighed(vectorizer: CountVectorizer) -> Pipeline:
    return make_pipeline(vectorizer, TfidfTransformer(sublinear_tf=True))


def _words() -> CountVectorizer:
    return CountVectorizer(analyzer="word", token_pattern=r"[^\s]+", ngram_range=(1, 2))


def _runs() -> CountVectorizer:
    return CountVectorizer(analyzer="char_wb", ngram_range=(2, 4))
