"""Takes what people say in the web chat, one thing after the other per session, and puts the answers into their log."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable
from datetime import datetime, timezone
from typing import Any

from bot.channels.replies import Reply
from bot.channels.turns import Turn, Turns
from bot.channels.web_links import without_unsafe
from bot.channels.web_log import Entry, Log, Logs, new_conversation
from bot.channels.web_shelf import Event
from bot.channels.web_state import Conversations
from bot.runtime import Runtime

logger = logging.getLogger(__name__)

LONGEST_TURN = 60.0
"""Seconds after which a turn counts as failed."""
MOST_PENDING = 10
"""Questions of one session that may wait."""
HERE = "Vị trí của tôi"
NEAREST = "Gần bạn nhất là trung tâm của {unit}. Nếu nhà bạn thuộc nơi khác, nhắn tên phường, xã giúp mình nhé."
OUTSIDE = "Vị trí này không ở Hà Nội; mình chỉ có dữ liệu của Hà Nội."
APOLOGY = "Xin lỗi bạn, mình gặp lỗi khi trả lời. Bạn thử lại giúp mình; nếu vẫn lỗi, gọi 1022 và đọc mã {reference}."

Waiting = dict[str, Any]
"""What the bot is to be asked: `{"text"}`, or `{"payload", "note"}` (said before the answer), or `{"note"}` alone."""


class Desk:
    """Answers the web's questions."""

    def __init__(self, turns: Turns, conversations: Conversations, logs: Logs, runtime: Runtime) -> None:
        self._turns = turns
        self._conversations = conversations
        self._logs = logs
        self._runtime = runtime
        self._tasks: set[asyncio.Task[None]] = set()

    def typed(self, log: Log, id: str, text: str) -> asyncio.Task[None]:
        return self._take(log, {"id": id, "text": text}, {"text": text})

    def tapped(self, log: Log, id: str, event: Event, title: str, payload: str) -> asyncio.Task[None]:
        """A button that `event` offered."""
        task = self._take(log, {"id": id, "text": title, "payload": payload}, {"payload": payload})
        log.mark(event, payload)
        return task

    def located(self, log: Log, id: str, lat: float, lon: float) -> asyncio.Task[None]:
        """Where somebody is (degrees); only the ward is kept."""
        unit = self._runtime.catalogue().places.nearest(lat, lon, self._runtime.settings.today)
        waiting: Waiting = {"note": OUTSIDE}
        if unit is not None:
            waiting = {"note": NEAREST.format(unit=unit.name), "payload": f'/inform_place{{"unit": "{unit.code}"}}'}
        return self._take(log, {"id": id, "text": HERE}, waiting)

    def recover(self) -> None:
        """Take up the questions that were noted before the last stop and never answered."""
        for log in self._logs.kept_waiting():
            for question in log.open_questions():
                self._answer_soon(log, question)

    async def finish(self, seconds: float) -> None:
        """Let the turns that are being taken come to their end."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    def _take(self, log: Log, body: dict[str, Any], waiting: Waiting) -> asyncio.Task[None]:
        """Note the question, then answer it: whoever was told that it came in will find it answered."""
        [question] = log.add(("user", body), waiting=waiting)
        return self._answer_soon(log, question)

    def _answer_soon(self, log: Log, question: Event) -> asyncio.Task[None]:
        log.pending += 1
        task = asyncio.get_running_loop().create_task(self._answer(log, question))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _answer(self, log: Log, question: Event) -> None:
        try:
            async with log.turn:
                if question in log.events:
                    log.wake()
                    await self._answer_now(log, question)
        finally:
            log.pending -= 1
            log.wake()

    async def _answer_now(self, log: Log, question: Event) -> None:
        slots = None
        try:
            conversation = await self._conversation(log)
            turn = await asyncio.wait_for(self._turn(log, conversation, question.waiting or {}), LONGEST_TURN)
            slots = await self._conversations.slots(conversation)
            entries: list[Entry] = [("bot", _body(question, turn.number, reply)) for reply in turn.replies]
            if not entries:
                raise RuntimeError("the bot said nothing")
        except Exception:  # whatever it is, the person is told, and the log has the number that they are told
            reference = secrets.token_hex(4).upper()
            logger.exception("Lỗi %s khi trả lời trên web", reference)
            entries = [("failed", {"id": question.body["id"], "text": APOLOGY.format(reference=reference)})]
        if question in log.events:  # not started over or deleted meanwhile
            log.add_anyway(*entries, answers=question, slots=slots)

    async def _conversation(self, log: Log) -> str:
        """Rasa's name for the conversation; a new one stands where the last one did, not too long ago."""
        if log.conversation and not self._is_old(log):
            return log.conversation
        slots = {} if self._is_old(log) else dict(log.slots)
        if log.unit:
            slots.setdefault("unit", log.unit)
        log.conversation = new_conversation()
        if slots:
            await self._conversations.put(log.conversation, slots)
        return log.conversation

    def _is_old(self, log: Log) -> bool:
        return log.slots_at is not None and datetime.now(timezone.utc) - log.slots_at > self._conversations.lasts

    async def _turn(self, log: Log, conversation: str, waiting: Waiting) -> Turn:
        before = [Reply(waiting["note"])] if "note" in waiting else []
        turn: Awaitable[Turn]
        if "text" in waiting:
            turn = self._turns.typed(conversation, waiting["text"], log.person)
        elif "payload" in waiting:
            turn = self._turns.tapped(conversation, waiting["payload"])
        else:
            return Turn(0, before)
        taken = await turn
        return Turn(taken.number, [*before, *taken.replies] if taken.replies else [])


def _body(question: Event, turn: int, reply: Reply) -> dict[str, Any]:
    buttons = [{"title": title, "payload": payload} for title, payload in reply.buttons]
    payload = without_unsafe(dict(reply.payload))
    said = {"id": question.body["id"], "turn": turn, "text": reply.text}
    return {**said, "buttons": buttons, "chosen": None, "payload": payload}
