"""Rasa's REST channel, with a clear error where the body cannot be used."""

from __future__ import annotations

from typing import Any, Awaitable, Callable

from rasa.core.channels.channel import UserMessage
from rasa.core.channels.rest import RestInput
from sanic import Blueprint
from sanic.exceptions import InvalidUsage
from sanic.request import Request
from sanic.response import HTTPResponse, json

LONGEST_MESSAGE = 1000
"""Characters of one message; more is refused with a word on it, not cut in silence."""


class CheckedRestInput(RestInput):  # type: ignore[misc]
    """`POST /webhooks/rest/webhook` with `{"sender": "…", "message": "…"}`."""

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = super().blueprint(on_new_message)

        @routes.middleware("request")
        async def check(request: Request) -> HTTPResponse | None:
            problem = _problem(request) if request.method == "POST" else None
            return json({"error": problem}, status=400, ensure_ascii=False) if problem else None

        return routes


def _problem(request: Request) -> str:
    """What is wrong with a request, in Vietnamese; empty if nothing is."""
    try:
        body = request.json
    except InvalidUsage:
        return "Nội dung gửi lên không phải JSON."
    if not isinstance(body, dict):
        return 'Cần một đối tượng JSON, ví dụ {"sender": "toi", "message": "xin chào"}.'
    message = body.get("message")
    if not isinstance(message, str) or not message.strip():
        return 'Thiếu "message": nội dung câu hỏi, dạng chữ.'
    if len(message) > LONGEST_MESSAGE:
        return f'"message" dài {len(message)} ký tự; tối đa {LONGEST_MESSAGE}, bạn rút gọn giúp mình.'
    if not isinstance(body.get("sender", "x"), str):
        return '"sender" phải là chữ.'
    return ""
