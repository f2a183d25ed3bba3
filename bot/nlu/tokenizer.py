"""Tokens by underthesea, true to the citizen's text, with folded lemmas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Dict, List, Optional

from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot import phrasebook
from bot.runtime import runtime
from bot.text import NO_ABBREVIATIONS, Abbreviations, Span, fold, spans

NO_WORDS = "∅"
COPY = "unaccented_copy"
"""Key of a training message that was made from another one."""

_known: dict[str, list[Span]] = {}
"""Training examples only, never what people say; see `get_ready`."""


def get_ready(texts: Iterable[str]) -> None:
    """Take training examples apart in advance: a process that waits to train need not do so when it is asked."""
    _known.update((text, spans(text)) for text in texts)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class UndertheseaTokenizer(Tokenizer):  # type: ignore[misc]
    """Words by `underthesea.word_tokenize`.

    A token's `start` and `end` are offsets in the text as it was sent; its `text` is composed, in lower
    case, with short forms written out; its `lemma` is that text without diacritics, so that featurizers
    that use lemmas read accented and unaccented messages alike.
    """

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """`abbreviations`: path of a YAML file of short forms; empty for none; null for those of the phrasebook.
        `unaccented_copies`: also hand every example on without its diacritics, for classifiers that do not see to
        it themselves (docs/classifiers.md)."""
        return {
            "intent_tokenization_flag": False,
            "intent_split_symbol": "_",
            "token_pattern": None,
            "prefix_separator_symbol": None,
            "abbreviations": None,
            "unaccented_copies": False,
        }

    def __init__(self, config: Dict[str, Any]) -> None:
        super().__init__(config)
        self._abbreviations = _abbreviations(config.get("abbreviations"))
        # underthesea publishes its model before it has loaded it: concurrent first calls fail.
        spans("khởi động")

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> UndertheseaTokenizer:
        return cls(config)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        if self._config["unaccented_copies"]:
            training_data = training_data.merge(TrainingData(list(_unaccented(training_data.intent_examples))))
        return super().process_training_data(training_data)

    def tokenize(self, message: Message, attribute: str) -> List[Token]:
        tokens = []
        said = message.get(attribute)
        for span in _known.get(said) or spans(said):
            text = self._abbreviations.expand_word(span.text)
            tokens.append(Token(text, span.start, span.end, lemma=fold(text)))
        # Rasa's classifiers fail on a message without features; this one says that there are no words.
        return tokens or [Token(NO_WORDS, 0, 0, lemma=NO_WORDS)]


def _abbreviations(path: Optional[str]) -> Abbreviations:
    if path is None:
        return runtime().book.abbreviations
    return phrasebook.load_abbreviations(Path(path)) if path else NO_ABBREVIATIONS


def _unaccented(examples: Iterable[Message]) -> Iterator[Message]:
    for example in examples:
        bare = fold(example.get(TEXT))
        if bare != example.get(TEXT):
            yield Message({TEXT: bare, INTENT: example.get(INTENT), COPY: True})
