"""The bot that answers citizens: one agent whose model is exchanged while it runs.

What belongs together goes together: a `Processor` holds a model and the phrasebook that it was made from, and each
turn also keeps the catalogue that it began with. A turn in flight ends with what it began with; the next one, of the
same conversation too, has the new.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.core.processor import MessageProcessor
from rasa.shared.core.trackers import DialogueStateTracker

from bot.runtime import Runtime, using


class Processor(MessageProcessor):  # type: ignore[misc]
    """Rasa's, with the runtime of its model."""

    def __init__(self, model: Path, mine: Runtime, release: int = 0, **parts: Any) -> None:
        self.mine = mine
        self.release = release
        """Number of the published version; 0: none."""
        with using(mine):
            super().__init__(model_path=str(model), **parts)

    async def handle_message(self, message: UserMessage) -> Optional[list[dict[str, Any]]]:
        with using(self.mine.for_one_turn()):
            return await super().handle_message(message)  # type: ignore[no-any-return]

    async def parse_message(
        self, message: UserMessage, tracker: Optional[DialogueStateTracker] = None, only_output_properties: bool = True
    ) -> dict[str, Any]:
        mine = self.mine.for_one_turn()
        with using(mine):
            return await super().parse_message(message, tracker, only_output_properties)  # type: ignore[no-any-return]


class LiveAgent(Agent):  # type: ignore[misc]
    """Rasa's, whose model can be exchanged at any time. Conversations and their locks stay."""

    processor: Optional[Processor]

    def made(self, model: Path, mine: Runtime, release: int = 0) -> Processor:
        """A processor for a model, not yet in use; takes seconds, may be called in a thread.

        Raises:
            Exception: the model cannot be loaded; nothing has changed.
        """
        return Processor(
            model,
            mine,
            release,
            tracker_store=self.tracker_store,
            lock_store=self.lock_store,
            action_endpoint=self.action_endpoint,
            generator=self.nlg,
        )

    def put(self, processor: Processor) -> None:
        """Use a processor from the next turn on. One assignment: no turn sees half of each."""
        self.domain = processor.domain
        self.tracker_store.domain = processor.domain
        self.processor = processor

    @property
    def release(self) -> int:
        return self.processor.release if self.processor else 0
