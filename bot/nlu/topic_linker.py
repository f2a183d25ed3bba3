"""Links a message to a topic: a procedure of the catalogue, a vague family, a FAQ entry, or none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Dict, List, Optional

import joblib
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.catalogue.places import Found
from bot.catalogue.search import Document, TopicIndex
from bot.catalogue.store import Catalogue
from bot.nlu.place_linker import PLACE
from bot.nlu.tokenizer import COPY
from bot.phrasebook import Phrasebook
from bot.runtime import runtime
from bot.text import Phrases, words
from bot.understanding import (
    FAQ,
    FOLLOW_UP,
    MISSING,
    OUT_OF_SCOPE,
    PROCEDURE,
    SMALL_TALK,
    VAGUE,
    Facets,
    decide,
    ordinal,
    topic_id,
)

UNDERSTANDING = "understanding"
"""Key of a message: the `Understanding` of its text, as a dict."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class TopicLinker(GraphComponent):  # type: ignore[misc]
    """Searches the phrasebook and the catalogue's names; has the last word on the intent.

    Expects the place linker and an intent classifier before it in the pipeline.
    """

    def __init__(self, model_storage: ModelStorage, resource: Resource, index: Optional[TopicIndex] = None) -> None:
        self._model_storage = model_storage
        self._resource = resource
        self._index = index
        book = runtime().book
        self._facets = Facets(book.cues, book.abbreviations)

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TopicLinker:
        return cls(model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TopicLinker:
        with model_storage.read_from(resource) as folder:
            return cls(model_storage, resource, joblib.load(folder / "topics.joblib"))

    def train(self, training_data: TrainingData) -> Resource:
        current = runtime()
        examples = [(m.get(TEXT), m.get(INTENT)) for m in training_data.intent_examples if not m.get(COPY)]
        # Trained on somebody else's intents (to compare classifiers), the classifier keeps the last word.
        if any(intent.startswith("ask_") for _, intent in examples):
            found = [*documents(current.book, current.catalogue()), *_without_topic(examples)]
            self._index = TopicIndex(found, current.book.abbreviations)
        with self._model_storage.write_to(self._resource) as folder:
            joblib.dump(self._index, folder / "topics.joblib")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            if message.get(TEXT) and self._index is not None:
                self._link(message, self._index)
        return messages

    def _link(self, message: Message, index: TopicIndex) -> None:
        text = message.get(TEXT)
        place = message.get(PLACE) or {"found": Found.NOTHING.value, "start": 0, "end": 0}
        rest = (text[: place["start"]] + " " + text[place["end"] :]).strip()
        named = place["found"] != Found.NOTHING.value
        found = decide(
            index.rank(rest or text),
            (message.get(INTENT) or {}).get("name") or "",
            self._facets.find(text),
            runtime().book,
            ordinal(text),
            named and len(_content(rest)) == 0,
        )
        message.set(UNDERSTANDING, found.as_dict(), add_to_output=True)
        message.set(INTENT, {"name": found.intent, "confidence": found.confidence}, add_to_output=True)


_PLACE_WORDS = Phrases.of(
    [
        "ở",
        "tại",
        "con",
        "còn",
        "thì",
        "sao",
        "thế",
        "nào",
        "thuộc",
        "nhà",
        "em",
        "mình",
        "tôi",
        "tớ",
        "cháu",
        "tui",
        "bên",
        "khu",
        "vực",
        "phường",
        "xã",
        "quận",
        "huyện",
        "thị",
        "trấn",
        "cũ",
        "mới",
        "hà",
        "nội",
        "hn",
        "p",
        "q",
        "px",
        "ạ",
        "nhé",
        "nha",
        "đây",
        "là",
        "à",
        "vậy",
        "nếu",
    ]
)


def _content(text: str) -> list[str]:
    """The words that say more than "in this place, please"."""
    said = words(text)
    filler = {position for position, _ in _PLACE_WORDS.find(said)}
    return [word for position, word in enumerate(said) if position not in filler]


def documents(book: Phrasebook, catalogue: Catalogue) -> Iterator[Document]:
    """Every way of asking that the index is made from."""
    for code, procedure in catalogue.local_procedures().items():
        topic = topic_id(PROCEDURE, code)
        yield Document(topic, str(procedure.name), is_name=True)
        entry = book.entries.get(code)
        for text in [entry.name, *entry.phrasings] if entry else ():
            yield Document(topic, str(text))
    for number, vague in enumerate(book.vague):
        yield from (Document(topic_id(VAGUE, str(number)), text) for text in vague.phrasings)
    for name, missing in book.missing.items():
        yield from (Document(topic_id(MISSING, name), text) for text in [missing.name, *missing.phrasings])
    for name, faq in book.faq.items():
        yield from (Document(topic_id(FAQ, name), text) for text in [faq.question, *faq.phrasings])
    yield from (Document(FOLLOW_UP, text) for text in book.follow_ups)


def _without_topic(examples: Iterable[tuple[str, str]]) -> Iterator[Document]:
    for text, intent in examples:
        if not intent.startswith("ask_"):
            yield Document(OUT_OF_SCOPE if intent == "out_of_scope" else SMALL_TALK, text)
