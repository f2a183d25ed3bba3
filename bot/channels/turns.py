"""One turn, the same in every channel that remembers: asked of the bot, counted, and kept where the person agreed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Mapping

from rasa.core.channels.channel import UserMessage

from bot.channels.replies import Reply, ReplyCatcher
from bot.journal import Journal
from bot.memory import Memory


@dataclass(frozen=True)
class Turn:
    """What the bot answered, and the number under which the journal has it."""

    number: int
    replies: list[Reply]


class Turns:
    """Takes the turns of one channel."""

    def __init__(
        self,
        on_new_message: Callable[[UserMessage], Awaitable[Any]],
        channel: str,
        memory: Memory,
        journal: Journal,
    ) -> None:
        self._on_new_message = on_new_message
        self._channel = channel
        self._memory = memory
        self._journal = journal

    async def typed(self, conversation: str, text: str, person: str) -> Turn:
        """A question in words. A typed "/intent" is text like any other: only buttons carry payloads."""
        turn = await self._taken(conversation, text.lstrip("/ "), typed=True)
        self._memory.note(self._channel, person, turn.number, text, _gist(turn.replies))
        return turn

    async def tapped(self, conversation: str, payload: str) -> Turn:
        """A button's payload."""
        return await self._taken(conversation, payload, typed=False)

    async def _taken(self, conversation: str, text: str, typed: bool) -> Turn:
        started = time.perf_counter()
        catcher = ReplyCatcher(self._channel)
        await self._on_new_message(UserMessage(text, catcher, conversation, input_channel=self._channel))
        seconds = time.perf_counter() - started
        number = self._journal.turn(self._channel, conversation, typed, _first(catcher.replies), seconds)
        return Turn(number, catcher.replies)


def _first(replies: list[Reply]) -> Mapping[str, Any]:
    return next((reply.payload for reply in replies if reply.payload), {})


def _gist(replies: list[Reply]) -> dict[str, Any]:
    payload = _first(replies)
    return {key: payload.get(key) for key in ("kind", "procedure", "choices", "unit", "confidence") if payload.get(key)}
