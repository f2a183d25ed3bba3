"""A linear support vector machine on the words of a message, and on the runs of their characters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.constants import TOKENS_NAMES
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.special import softmax
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.svm import LinearSVC

from bot.nlu import kept

FILE = "svm.pickle"
RANKING_LENGTH = 10
_NUMBER = re.compile(r"\b[0-9]+\b")
_WORD = r"[\w^$]+"
_WORDS: Dict[str, Any] = {"token_pattern": _WORD, "ngram_range": (1, 2)}
START, END = "^", "$"
"""Words that stand for the ends of a message: "lệ phí …" asks for a fee sooner than "… lệ phí …" does."""
APART = range(2, 5)
"""Words from the first of a pair to the second: "mất … tiền", "những … nào"."""


class Said(NamedTuple):
    """The words of a message, with blanks between them."""

    written: str
    bare: str
    """Without diacritics."""


def _written(said: Said) -> str:
    return f"{START} {said.written} {END}"


def _bare(said: Said) -> str:
    return f"{START} {said.bare} {END}"


def _runs(said: Said) -> str:
    return said.bare


def _apart(said: Said) -> List[str]:
    """Pairs of words with one to three others between them."""
    words = re.findall(_WORD, _bare(said))
    return [f"{word} … {other}" for gap in APART for word, other in zip(words, words[gap:])]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LinearSvmClassifier(GraphComponent, IntentClassifier):  # type: ignore[misc]
    """One-against-the-rest SVM on tf-idf weighted counts of words, pairs of words and runs of characters.

    Each kind of count weighs the same in a message, however long it is. A rare intent's examples weigh more than a
    frequent one's, by the square root of how much rarer it is.

    It counts by itself: Rasa's featurizers hang three matrices on each of thousands of messages, which takes longer
    than everything else together. Confidences are a softmax of the margins: they order the intents, and are no
    probabilities. Why this one: docs/classifiers.md.
    """

    @classmethod
    def required_components(cls) -> List[type]:
        return [Tokenizer]

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """`C`: inverse strength of regularisation; `sharpness`: of the softmax over margins; `unaccented_copies`: also
        learn every example without its diacritics, since a model that has never seen such text loses a quarter of
        its accuracy on it."""
        return {"C": 1.0, "sharpness": 4.0, "unaccented_copies": True}

    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: Optional[Pipeline] = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LinearSvmClassifier:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LinearSvmClassifier:
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, kept.load(folder / FILE))

    def train(self, training_data: TrainingData) -> Resource:
        examples = [(_said(message), message.get(INTENT)) for message in training_data.intent_examples]
        if self._config["unaccented_copies"]:
            examples += [(Said(said.bare, said.bare), intent) for said, intent in examples if said.written != said.bare]
        if len({intent for _, intent in examples}) > 1:
            said, intents = zip(*examples)
            self._model = _untaught(self._config["C"], _weights(intents))
            self._model.fit(said, intents)
        with self._model_storage.write_to(self._resource) as folder:
            kept.save(self._model, folder / FILE)
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            if self._model is not None and message.get(TOKENS_NAMES[TEXT]):
                self._classify(message, self._model)
        return messages

    def _classify(self, message: Message, model: Pipeline) -> None:
        margins = np.atleast_1d(model.decision_function([_said(message)])[0])
        if len(margins) == 1:
            margins = np.array([-margins[0], margins[0]])
        shares = softmax(self._config["sharpness"] * margins)
        ranking = [
            {"name": str(model.classes_[i]), "confidence": float(shares[i])}
            for i in np.argsort(-shares)[:RANKING_LENGTH]
        ]
        message.set(INTENT, ranking[0], add_to_output=True)
        message.set("intent_ranking", ranking, add_to_output=True)


def _said(message: Message) -> Said:
    tokens = message.get(TOKENS_NAMES[TEXT])
    return Said(*(_NUMBER.sub("__NUMBER__", " ".join(parts)) for parts in zip(*((t.text, t.lemma) for t in tokens))))


def _untaught(strength: float, weights: Dict[str, float]) -> Pipeline:
    kinds = (
        CountVectorizer(preprocessor=_written, **_WORDS),
        CountVectorizer(preprocessor=_bare, **_WORDS),
        CountVectorizer(preprocessor=_runs, analyzer="char_wb", ngram_range=(2, 4)),
        CountVectorizer(analyzer=_apart, min_df=2),
    )
    counts = make_union(*(make_pipeline(kind, TfidfTransformer(sublinear_tf=True)) for kind in kinds))
    return make_pipeline(counts, LinearSVC(C=strength, class_weight=weights))


def _weights(intents: Sequence[str]) -> Dict[str, float]:
    """What an example of each intent weighs, 1 for one of average frequency."""
    counts = Counter(intents)
    average = len(intents) / len(counts)
    return {intent: (average / count) ** 0.5 for intent, count in counts.items()}
