"""Links a message to a topic: a procedure of the catalogue, a vague family, a FAQ entry, or none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, Dict, List, Optional

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.catalogue import register
from bot.catalogue.places import Found
from bot.catalogue.search import Around, Document, Lessons, TopicIndex
from bot.catalogue.store import Catalogue
from bot.memory import MASKED
from bot.nlu import kept
from bot.nlu.place_linker import DAY, PLACE
from bot.nlu.tokenizer import COPY
from bot.phrasebook import Phrasebook
from bot.runtime import Runtime, runtime
from bot.understanding import (
    FAQ,
    FOLLOW_UP,
    MISSING,
    OUT_OF_SCOPE,
    PROCEDURE,
    SMALL_TALK,
    VAGUE,
    Listener,
    Understanding,
    decide,
    topic_id,
)

FILE = "topics.pickle"
PASSING = 2
"""Words beside a document's number from which on the question is about something else."""
LESSONS: ContextVar[Optional[Callable[[], Lessons]]] = ContextVar("lessons", default=None)
"""Gives the lessons where somebody else prepares them (`bot.releases.study`)."""
SHOWN = 6
TOPICS = "topics"
"""Key of a message: its likeliest topics with their probabilities, for whoever asks why."""
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
        self._listener = Listener(runtime().book)

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
            return cls(model_storage, resource, kept.load(folder / FILE))

    @property
    def index(self) -> Optional[TopicIndex]:
        return self._index

    def train(self, training_data: TrainingData) -> Resource:
        current = runtime()
        examples = [(m.get(TEXT), m.get(INTENT)) for m in training_data.intent_examples if not m.get(COPY)]
        # Trained on somebody else's intents (to compare classifiers), the classifier keeps the last word.
        if any(intent.startswith("ask_") for _, intent in examples):
            prepared = LESSONS.get()
            self._index = TopicIndex.of(prepared() if prepared else lessons_of(current, examples))
        with self._model_storage.write_to(self._resource) as folder:
            kept.save(self._index, folder / FILE)
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
        decision = register.find(text, runtime().catalogue().decisions)
        if decision is not None and self._is_about(decision, text):
            topic, numbers = decision.written, decision.numbers
            _set(message, Understanding("ask_decision", "decision", topic, numbers, confidence=1.0))
            return
        place = message.get(PLACE) or {"found": Found.NOTHING.value, "start": 0, "end": 0}
        rest = _without(text, place, message.get(DAY), vars(decision) if decision else None)
        rest = index.spelling.mend(self._listener.meant(MASKED.sub(" ", rest)))
        intents = [(one["name"], one["confidence"]) for one in message.get(INTENT_RANKING_KEY) or ()]
        named, day = place["found"] != Found.NOTHING.value, message.get(DAY) is not None
        says = self._listener.hear(text, rest, named, day, intents)
        intent = intents[0][0] if intents else ""
        matches = index.rank(rest or text, self._listener.facets.gist(rest), self._listener.core(rest))
        message.set(TOPICS, [[m.topic, round(m.probability, 4)] for m in matches[:SHOWN]], add_to_output=True)
        _set(message, decide(matches, intent, says, runtime().book))

    def _is_about(self, decision: register.Named, text: str) -> bool:
        """Whether a document itself is asked about, and it is not only named in passing."""
        return self._listener.is_document_alone(_without(text, vars(decision)), PASSING)


def _set(message: Message, found: Understanding) -> None:
    message.set(UNDERSTANDING, found.as_dict(), add_to_output=True)
    message.set(INTENT, {"name": found.intent, "confidence": found.confidence}, add_to_output=True)


def _without(text: str, *spans: Optional[Dict[str, Any]]) -> str:
    """The text without what was understood elsewhere: the place, the day."""
    for span in sorted(filter(None, spans), key=lambda span: -int(span["start"])):
        text = text[: span["start"]] + " " + text[span["end"] :]
    return text.strip()


def lessons_of(current: Runtime, examples: Iterable[tuple[str, str]]) -> Lessons:
    """What the index is taught.

    Args:
        examples: text and intent of Rasa's training examples.
    """
    found = [*documents(current.book, current.catalogue()), *_without_topic(examples)]
    said = current.book.around
    return Lessons(found, current.book.abbreviations, Around(said.openings, said.phrasings, said.stories))


def documents(book: Phrasebook, catalogue: Catalogue) -> Iterator[Document]:
    """Every way of asking that the index is made from."""
    for code, procedure in catalogue.local_procedures().items():
        topic = topic_id(PROCEDURE, code)
        yield Document(topic, str(procedure.name))
        entry = book.entries.get(code)
        for text in [entry.name, *entry.phrasings] if entry else ():
            yield Document(topic, str(text))
    for number, vague in enumerate(book.vague):
        yield from (Document(topic_id(VAGUE, str(number)), text) for text in vague.phrasings)
    for name, missing in book.missing.items():
        yield from (Document(topic_id(MISSING, name), text) for text in [missing.name, *missing.phrasings])
    for name, faq in book.faq.items():
        yield from (Document(topic_id(FAQ, name), text) for text in [faq.question, *faq.phrasings])
    yield from (Document(FOLLOW_UP, text) for text in book.around.phrasings)


def _without_topic(examples: Iterable[tuple[str, str]]) -> Iterator[Document]:
    for text, intent in examples:
        if not intent.startswith("ask_"):
            yield Document(OUT_OF_SCOPE if intent == "out_of_scope" else SMALL_TALK, text)
