"""Which topic a citizen's words are about: a procedure, a vague family of them, a FAQ entry, or none.

No language model: words, pairs of words and runs of characters, folded, and words with their diacritics where
the writer used them. Two judges, whose opinions are added (chosen across writers, docs/evaluation.md):

- a linear classifier of low rank, taught by the ways people ask (`nlu_data/phrasings`), by official names and by
  what is about no topic at all, each with and without diacritics. It knows which words tell one from another;
- the nearest phrasing, which knows what nobody has asked for often enough to be learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any, Optional

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

from bot.catalogue.low_rank import LowRank, Recipe, keys, teach
from bot.spelling import Spelling
from bot.text import Abbreviations, fold, normalise

Matrix = Any  # scipy.sparse.csr_matrix and numpy.ndarray; scipy 1.10 ships no types
Array = Any

WORD_FOR_WORD = 0.95
"""Least probability of a topic that the text is a phrasing of, word for word."""
NEAREST = 6.0
"""What the cosine of the nearest phrasing (0–1) weighs beside the classifier's log-probability."""
SHARPNESS = 0.8
"""Below 1: the classifier is surer of itself than it may be about words by other writers."""
DOUBT = float(np.log(1e-12))
"""No judge finds anything less likely than this."""
DRESSED = 0.35
"""Share of the examples that are given somebody else's beginning, and share that are given another end."""
TOLD = 0.15
"""Share of the examples before which, and share after which, somebody tells a story."""
RECIPE = Recipe(rank=160, epochs=3, rate=6e-3, batch=400)
"""Few passes: with a dozen phrasings a topic, more of them learn the writer instead of the topic."""
JUDGES = 2
"""Classifiers whose opinions are averaged; taught side by side, one a core."""


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


class _Features:
    """Texts as rows of tf-idf weights, each of the three kinds of terms with norm 1 (or 0)."""

    def __init__(self) -> None:
        self._words = TfidfVectorizer(token_pattern=r"[^\s]+", ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        self._runs = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=3, sublinear_tf=True)
        self._accented = TfidfVectorizer(token_pattern=r"[^\s]+", min_df=2, sublinear_tf=True)

    def fit(self, texts: Sequence[str]) -> None:
        folded = [_bare(text) for text in texts]
        self._words.fit(folded)
        self._runs.fit(folded)
        self._accented.fit(texts)

    def of(self, texts: Sequence[str]) -> Matrix:
        folded = [_bare(text) for text in texts]
        parts = [self._words.transform(folded), self._runs.transform(folded), self._accented.transform(texts)]
        return sparse.hstack(parts).tocsr().astype(np.float32)

    def names(self) -> list[str]:
        """Of the columns."""
        kinds = zip("wca", (self._words, self._runs, self._accented))
        return [f"{kind}:{name}" for kind, one in kinds for name in one.get_feature_names_out()]


class Lessons:
    """What the judges are taught: the documents and their topics, as they are and as somebody else might say them."""

    def __init__(self, documents: Sequence[Document], abbreviations: Abbreviations, around: Around = Around()) -> None:
        self.abbreviations = abbreviations
        self.documents = sorted(documents, key=lambda document: document.topic)
        self.topics = sorted({document.topic for document in self.documents})
        number = {topic: i for i, topic in enumerate(self.topics)}
        self.owner = np.array([number[document.topic] for document in self.documents])
        """Each document's topic, as a position in `topics`."""
        texts = [_expand(document.text, abbreviations) for document in self.documents]
        self.folded = [fold(text) for text in texts]
        self.spelling = Spelling.of(texts, [*abbreviations.always, *abbreviations.chat])
        self.features = _Features()
        self.features.fit(texts)
        self.terms = self.features.of(texts)
        self._keys = keys(texts)
        self._examples = self.features.of(list(self._dressed(texts, around)))

    def _dressed(self, texts: Sequence[str], around: Around) -> Iterator[str]:
        """Every document twice, otherwise dressed, and without diacritics the second time."""
        # The texts are composed already, and so need their surroundings be only once.
        around = Around([normalise(text) for text in around.before], [normalise(text) for text in around.after])
        # What is drawn depends on the text alone: one more document changes nothing about the others.
        chances = [Random(int(key)) for key in self._keys]
        for spelling in (str, fold):
            for text, document, chance in zip(texts, self.documents, chances):
                yield self.abbreviations.expand(spelling(around.dress(text, document.topic, chance)))

    def parts(self, number: int) -> Array:
        """The documents shared out by their words alone: each document's part, 0 to `number` - 1."""
        return (self._keys % np.uint64(number)).astype(int)

    def teach(self, seed: int = 0, recipe: Recipe = RECIPE, kept: Optional[Array] = None) -> LowRank:
        """Teach one judge.

        Args:
            kept: a flag for each document: whether it is taught. None: all are.
        """
        some = np.flatnonzero(np.tile(np.ones(len(self.owner), bool) if kept is None else kept, 2))
        owner, key = np.tile(self.owner, 2)[some], np.concatenate([self._keys, self._keys + np.uint64(1)])[some]
        terms, topics = keys(self.features.names()), keys(self.topics)
        with threadpool_limits(1):
            return teach(self._examples[some], owner, terms, topics, key, recipe, seed)


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
        # Where judges that began differently disagree, their mean is less sure of itself.
        with ThreadPoolExecutor(JUDGES) as pool:
            self._judges = list(pool.map(lessons.teach, range(JUDGES)))

    def rank(self, text: str, gist: str = "") -> list[Match]:
        """What a text is about, likeliest first; the probabilities add up to 1.

        Args:
            gist: the text without what is understood otherwise ("mất bao lâu"); both are asked, and averaged.
        """
        query = self._expand(text)
        queries = [query, self._expand(gist)] if gist else [query]
        shares = softmax(self._score(self._features.of(queries)), axis=1).mean(axis=0)
        best = np.argsort(-shares)
        matches = [Match(self.topics[i], float(shares[i])) for i in best]
        said = self._said.get(fold(query), set())
        if len(said) == 1 and matches[0].probability < WORD_FOR_WORD:
            matches = _certain(next(iter(said)), matches)
        return matches

    def nearest(self, text: str, most: int = 5) -> list[tuple[str, str, float]]:
        """The documents likest to a text: topic, text, cosine (0–1), likest first."""
        cosines = (self._features.of([self._expand(text)]) @ self._inverted).toarray()[0] / 3
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


def _expand(text: str, abbreviations: Abbreviations) -> str:
    return abbreviations.expand(normalise(text))


def _bare(text: str) -> str:
    """Without diacritics, and with i for y: "đăng kí" and "đăng ký", "liệt sỹ" and "liệt sĩ" are one."""
    return fold(text).replace("y", "i")


def _certain(topic: str, matches: Sequence[Match]) -> list[Match]:
    """What staff wrote down for one topic alone is about that topic, whatever else it resembles."""
    others = [Match(m.topic, m.probability * (1 - WORD_FOR_WORD)) for m in matches if m.topic != topic]
    return [Match(topic, 1 - sum(match.probability for match in others)), *others]
