"""What the bot says in one turn, caught whole for a channel to draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

from rasa.core.channels.channel import OutputChannel


@dataclass(frozen=True)
class Reply:
    """One message of the bot."""

    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    """Title and payload of each."""
    payload: Mapping[str, Any] = field(default_factory=dict)
    """The contract of docs/architecture.md."""


class ReplyCatcher(OutputChannel):  # type: ignore[misc]
    """Rasa would send text, buttons and the custom payload as three messages; here they stay one."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self.replies: list[Reply] = []

    def name(self) -> str:
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        buttons = tuple((str(b["title"]), str(b["payload"])) for b in message.get("buttons") or [])
        self.replies.append(Reply(message.get("text") or "", buttons, message.get("custom") or {}))
