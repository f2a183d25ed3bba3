"""Finds the place that a message names, as an entity with the unit's code, and the day that it asks about."""

from __future__ import annotations

from typing import Any, Dict, List

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.catalogue.days import find_day
from bot.catalogue.places import Found, Mention
from bot.runtime import runtime

DAY = "day"
"""Key of a message: the day that it asks about, where that is not today."""
PLACE = "place"
"""Key of a message: the `Mention` of its text."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class PlaceLinker(GraphComponent):  # type: ignore[misc]
    """Reads the units of the running catalogue, so a change of names needs no training."""

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PlaceLinker:
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            text = message.get(TEXT)
            if text:
                self._link(message, text)
        return messages

    def process_training_data(self, training_data: Any) -> Any:
        return training_data

    def _link(self, message: Message, text: str) -> None:
        current = runtime()
        today = current.settings.today
        asked = find_day(text, today)
        if asked is not None:
            message.set(DAY, {"day": asked.day.isoformat(), "start": asked.start, "end": asked.end}, add_to_output=True)
        mention = current.catalogue().places.find(text, asked.day if asked else today)
        message.set(PLACE, _as_dict(mention), add_to_output=True)
        if mention.found is not Found.NOTHING:
            entity = {
                "entity": "place",
                "value": mention.units[0] if mention.found is Found.UNIT else mention.name,
                "start": mention.start,
                "end": mention.end,
                "extractor": type(self).__name__,
            }
            message.set(ENTITIES, [*message.get(ENTITIES, []), entity], add_to_output=True)


def _as_dict(mention: Mention) -> Dict[str, Any]:
    return {
        "found": mention.found.value,
        "units": list(mention.units),
        "name": mention.name,
        "start": mention.start,
        "end": mention.end,
        "is_district": mention.is_district,
        "named": list(mention.named),
        "aside": mention.aside,
    }
