"""Which topic a citizen's words are about: a procedure, a vague family of them, a FAQ entry, or none.

No language model: words, pairs of words and runs of characters, folded, and words with their diacritics where
the writer used them. Two judges, whose opinions are added (chosen across writers, docs/evaluation.md):

- a linear classifier of low rank, taught by the ways people ask (`nlu_data/phrasings`), by official names and by
  what is about no topic at all, each with and without diacritics. It knows which words tell one from another;
- the nearest phrasing, which knows what nobody has asked for often enough to be learned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from bot.catalogue.low_rank import LowRank, Recipe, keys, teach
from bot.spelling import Spelling
from bot.text import Abbreviations, fold, normalise

Matrix = Any  # scipy.sparse.csr_matrix and numpy.ndarray; scipy 1.10 ships no types
Array = Any

UNLIKELY = 1e-6
"""Topics less probable than this are not named at all; thousands of them are nothing together."""
WORD_FOR_WORD = 0.95
"""Least probability of a topic that the text is a phrasing of, word for word."""
NEAREST = 6.5
"""What the cosine of the nearest phrasing (0–1) weighs beside the classifier's log-probability."""
SHARPNESS = 0.7
"""Below 1: the classifier is surer of itself than it may be about words by other writers."""
DOUBT = float(np.log(1e-12))
"""No judge finds anything less likely than this."""
DRESSED = 0.35
"""Share of the examples that are given somebody else's beginning, and share that are given another end."""
TOLD = 0.15
"""Share of the examples before which, and share after which, somebody tells a story."""
RECIPE = Recipe(rank=64, epochs=2, rate=1.4e-2, batch=512)
"""Few passes: with a dozen phrasings a topic, more of them learn the writer instead of the topic."""
PARTS = 4
"""Of the documents. There are as many classifiers, each taught without one part: together they know everything, and
each can be asked in good faith about what it never saw (`bot.catalogue.held_out`)."""
SIDE_BY_SIDE = 2
"""Judges that are taught at the same time, one a core."""


@dataclass(frozen=True)
class Document:
    """One way of asking for a topic. A topic's id is `kind:name`; `none:…` is about no topic of ours."""

    topic: str
    text: str


@dataclass(frozen=True)
class Around:
    """What people put before and after the thing itself ("chào ad", "mất bao lâu"): taught to be passed over."""

    before: Sequence[str] = ()
    after: Sequence[str] = ()
    stories: Sequence[str] = ()

    def changed(self, change: Callable[[str], str]) -> Around:
        """The same, otherwise written."""
        return Around(*([change(text) for text in said] for said in (self.before, self.after, self.stories)))

    def dress(self, text: str, topic: str, chance: Random) -> str:
        """The text as somebody else might begin and end it."""
        parts = [text]
        if self.before and chance.random() < DRESSED:
            parts.insert(0, chance.choice(self.before))
        if self.after and not topic.startswith("none:out") and chance.random() < DRESSED:
            parts.append(chance.choice(self.after))
        if self.stories and chance.random() < TOLD:
            parts.insert(0, chance.choice(self.stories))
        if self.stories and chance.random() < TOLD:
            parts.append(chance.choice(self.stories))
        return " ".join(parts)


@dataclass(frozen=True)
class Match:
    topic: str
    probability: float


class _Terms:
    """The terms of one kind that documents share, and what each weighs (tf-idf)."""

    def __init__(self, fewest: int, **how: Any) -> None:
        """
        Args:
            fewest: documents that must hold a term for it to be one.
            how: `CountVectorizer`'s arguments.
        """
        self._fewest, self._how = fewest, how

    def fit_transform(self, rows: Matrix, units: Sequence[str]) -> Matrix:
        """Learn from `units`, of which each row of `rows` holds so and so many; gives the rows in terms."""
        every = CountVectorizer(**self._how)
        counts = (rows @ every.fit_transform(units)).tocsr()
        shared = np.bincount(counts.indices, minlength=counts.shape[1]) >= self._fewest
        self.names = every.get_feature_names_out()[shared].tolist()
        self._vectorizer = CountVectorizer(**self._how, vocabulary={name: at for at, name in enumerate(self.names)})
        self._weights = TfidfTransformer(norm=None, sublinear_tf=True)
        return self._weights.fit_transform(counts[:, np.flatnonzero(shared)])

    def transform(self, rows: Matrix, units: Sequence[str]) -> Matrix:
        return self._weights.transform((rows @ self._vectorizer.transform(units)).tocsr())


class _Features:
    """Texts as rows of tf-idf weights, each of the three kinds of terms with norm 1 (or 0).

    A term lies within one word, or is two of them; so each different word is taken apart but once.
    """

    def __init__(self) -> None:
        whole: dict[str, Any] = {"token_pattern": r".+", "lowercase": False}
        self._words, self._pairs, self._accented = _Terms(2, **whole), _Terms(2, **whole), _Terms(2, **whole)
        self._runs = _Terms(3, analyzer="char_wb", ngram_range=(3, 5), lowercase=False)

    def fit_transform(self, texts: Sequence[str]) -> Matrix:
        return self._rows(texts, _Terms.fit_transform)

    def transform(self, texts: Sequence[str]) -> Matrix:
        return self._rows(texts, _Terms.transform)

    def _rows(self, texts: Sequence[str], take: Callable[..., Matrix]) -> Matrix:
        written, bare, pairs = _words_and_pairs(texts)
        words = sparse.hstack([take(self._words, *bare), take(self._pairs, *pairs)])
        kinds = words, take(self._runs, *bare), take(self._accented, *written)
        # In half the digits, as the judges' weights are: of two precisions the smaller matrix is copied for a product.
        return sparse.hstack([normalize(part) for part in kinds]).tocsr().astype(np.float32)

    def names(self) -> list[str]:
        """Of the columns."""
        kinds = zip("wpca", (self._words, self._pairs, self._runs, self._accented))
        return [f"{kind}:{name}" for kind, terms in kinds for name in terms.names]


_Counted = tuple[Matrix, list[str]]
"""How often each row holds each of some different units, and those units."""


def _words_and_pairs(texts: Sequence[str]) -> tuple[_Counted, _Counted, _Counted]:
    """The words of texts as they are written, the same bare, and bare pairs of neighbours."""
    rows = [text.lower().split() for text in texts]
    counts, written = _counted(rows)
    bare = {word: _bare(word) for word in written}
    pairs = ([f"{bare[one]} {bare[other]}" for one, other in pairwise(row)] for row in rows)
    return (counts, written), (counts, list(bare.values())), _counted(pairs)


def _counted(rows: Iterable[Sequence[str]]) -> _Counted:
    different: dict[str, int] = {}
    columns, ends = [], [0]
    for row in rows:
        columns += [different.setdefault(unit, len(different)) for unit in row]
        ends.append(len(columns))
    counts = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, ends), (len(ends) - 1, len(different)))
    counts.sum_duplicates()
    return counts, list(different)


class Lessons:
    """What the judges are taught: the documents and their topics, as they are and as somebody else might say them."""

    def __init__(self, documents: Sequence[Document], abbreviations: Abbreviations, around: Around = Around()) -> None:
        self.abbreviations = abbreviations
        self.documents = sorted(documents, key=lambda document: document.topic)
        self.topics = sorted({document.topic for document in self.documents})
        number = {topic: i for i, topic in enumerate(self.topics)}
        self.owner = np.array([number[document.topic] for document in self.documents])
        """Each document's topic, as a position in `topics`."""
        texts = [self._written(document.text) for document in self.documents]
        self.folded = [fold(text) for text in texts]
        self.spelling = Spelling.of(texts, [*abbreviations.always, *abbreviations.chat])
        self.features = _Features()
        self.terms = self.features.fit_transform(texts)
        self._keys = keys(texts)
        self._examples = self.features.transform(list(self._dressed(texts, around)))

    def __getstate__(self) -> dict[str, Any]:
        """Without the examples, most of its size: it travels between processes when the judges are taught."""
        return {name: value for name, value in vars(self).items() if name != "_examples"}

    def _dressed(self, texts: Sequence[str], around: Around) -> Iterator[str]:
        """Every document twice, otherwise dressed, and without diacritics the second time."""
        # What is drawn depends on the text alone: one more document changes nothing about the others.
        chances = [Random(int(key)) for key in self._keys]
        bare = [self._bare(document.text) for document in self.documents]
        for spelt, spell in ((texts, self._written), (bare, self._bare)):
            said = around.changed(spell)
            for document, text, chance in zip(self.documents, spelt, chances):
                yield said.dress(text, document.topic, chance)

    def _written(self, text: str) -> str:
        return self.abbreviations.expand(_normalised(text))

    def _bare(self, text: str) -> str:
        return self.abbreviations.expand(fold(_normalised(text)))

    @cached_property
    def parts(self) -> Array:
        """The documents shared out by their words alone: each document's part, 0 to `PARTS` - 1."""
        return (self._keys % np.uint64(PARTS)).astype(int)

    @cached_property
    def judges(self) -> list[LowRank]:
        """A judge for each part, who was not taught that part."""
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            return list(pool.map(self._teach, range(PARTS)))

    def _teach(self, part: int) -> LowRank:
        some = np.flatnonzero(np.tile(self.parts != part, 2))
        owner, key = np.tile(self.owner, 2)[some], np.concatenate([self._keys, self._keys + np.uint64(1)])[some]
        terms, topics = keys(self.features.names()), keys(self.topics)
        with threadpool_limits(1):
            return teach(self._examples[some], owner, terms, topics, key, RECIPE, part)


class TopicIndex:
    """All topics, ready to be searched."""

    def __init__(self, documents: Sequence[Document], abbreviations: Abbreviations, around: Around = Around()) -> None:
        self._learn(Lessons(documents, abbreviations, around))

    @classmethod
    def of(cls, lessons: Lessons) -> TopicIndex:
        found = cls.__new__(cls)
        found._learn(lessons)
        return found

    def _learn(self, lessons: Lessons) -> None:
        self._abbreviations, self._features = lessons.abbreviations, lessons.features
        self.topics = lessons.topics
        # Turned once and for all: turned for each query, it costs many times as much as the product itself.
        self._inverted = lessons.terms.T.tocsr()
        self.spelling = lessons.spelling
        self._texts = [(document.topic, document.text) for document in lessons.documents]
        self._said: dict[str, set[str]] = {}
        for document, text in zip(lessons.documents, lessons.folded):
            self._said.setdefault(text, set()).add(document.topic)
        self._starts = np.searchsorted(lessons.owner, np.arange(len(self.topics)))
        # Where judges that learned from different documents disagree, their mean is less sure of itself.
        self._judges = lessons.judges

    def rank(self, text: str, gist: str = "", core: str = "") -> list[Match]:
        """What a text is about, likeliest first; the probabilities add up to 1, but for the `UNLIKELY` ones left out.

        Args:
            gist: the text without what is understood otherwise ("mất bao lâu"); both are asked, and averaged.
            core: what is left of it without words that mean nothing, too; it may be a phrasing word for word.
        """
        query = self._expand(text)
        queries = [query, self._expand(gist)] if gist else [query]
        shares = softmax(self._score(self._features.transform(queries)), axis=1).mean(axis=0)
        best = np.argsort(-shares)[: np.count_nonzero(shares >= UNLIKELY)]
        matches = [Match(self.topics[i], float(shares[i])) for i in best]
        said = self._said.get(fold(query)) or (self._said.get(fold(self._expand(core))) if core else None) or set()
        if len(said) == 1 and matches[0].probability < WORD_FOR_WORD:
            matches = _certain(next(iter(said)), matches)
        return matches

    def nearest(self, text: str, most: int = 5) -> list[tuple[str, str, float]]:
        """The documents likest to a text: topic, text, cosine (0–1), likest first."""
        cosines = (self._features.transform([self._expand(text)]) @ self._inverted).toarray()[0] / 3
        best = np.argsort(-cosines)[:most]
        return [(*self._texts[i], float(cosines[i])) for i in best if cosines[i] > 0]

    def _expand(self, text: str) -> str:
        return _expand(text, self._abbreviations)

    def _score(self, query: Matrix) -> Array:
        """Shape (queries, topics)."""
        learned = opinion(self._judges, query)
        cosines = (query @ self._inverted).toarray() / 3
        return weighed(learned, np.maximum.reduceat(cosines, self._starts, axis=1))


def opinion(judges: Sequence[LowRank], query: Matrix) -> Array:
    """Log-probabilities, the judges' mean; shape (queries, topics)."""
    return np.mean([np.maximum(one.log_probabilities(query), DOUBT) for one in judges], axis=0)


def weighed(learned: Array, nearest: Array) -> Array:
    """What both judges say together, in shares of a softmax.

    Args:
        learned: see `opinion`.
        nearest: the cosine of each topic's nearest phrasing, 0–1.
    """
    return SHARPNESS * learned + NEAREST * nearest


_normalised = lru_cache(maxsize=None)(normalise)
"""For documents only; see `get_ready`."""


def get_ready(documents: Iterable[Document]) -> None:
    """Read documents in advance: a process that waits to teach has most of them in hand before it is asked."""
    for document in documents:
        _normalised(document.text)


def _expand(text: str, abbreviations: Abbreviations) -> str:
    return abbreviations.expand(normalise(text))


def _bare(text: str) -> str:
    """Without diacritics, and with i for y: "đăng kí" and "đăng ký", "liệt sỹ" and "liệt sĩ" are one."""
    return fold(text).replace("y", "i")


def _certain(topic: str, matches: Sequence[Match]) -> list[Match]:
    """What staff wrote down for one topic alone is about that topic, whatever else it resembles."""
    others = [Match(m.topic, m.probability * (1 - WORD_FOR_WORD)) for m in matches if m.topic != topic]
    return [Match(topic, 1 - sum(match.probability for match in others)), *others]
