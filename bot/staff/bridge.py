"""The console in the bot's process and on its port: Sanic hands on what it receives under `/staff`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import httpx
from sanic import Sanic
from sanic.compat import Header
from sanic.request import Request
from sanic.response import HTTPResponse, text
from starlette.types import ASGIApp

from bot.channels.proxies import client_of
from bot.staff.access import COOKIE, HEADERS, ROOT

LARGEST = 12 * 1024 * 1024
"""Bytes of a request's body."""
LARGEST_OF_STRANGERS = 64 * 1024
"""The same, of somebody who does not even have a cookie."""
_OURS = {"x-forwarded-for", "x-forwarded-proto", "content-length", "transfer-encoding", "connection"}


def mount(bot: Sanic, console: ASGIApp, proxies: Collection[str] = ()) -> None:
    """Serve a console beside a bot.

    Args:
        proxies: addresses whose X-Forwarded-For and X-Forwarded-Proto are believed.
    """

    async def handle(request: Request, path: str = "") -> HTTPResponse:
        body, most = bytearray(), LARGEST if COOKIE in request.cookies else LARGEST_OF_STRANGERS
        # Read here, not by Sanic, which would take 100 MB of anything from anybody.
        while (piece := await request.stream.read()) is not None:
            body += piece
            if len(body) > most:
                return text("Tệp quá lớn: tối đa 12 MB.", status=413, headers=dict(HEADERS))
        client, scheme = client_of(request, proxies)
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _OURS]
        # The Host header is passed on as a header, and has no say in which page is meant.
        target = f"{scheme}://console{request.path}" + (f"?{request.query_string}" if request.query_string else "")
        passed = httpx.Request(request.method, target, headers=headers, content=bytes(body))
        transport = httpx.ASGITransport(console, raise_app_exceptions=False, client=(client, 0))
        answer = await transport.handle_async_request(passed)
        return _response(answer.status_code, answer.headers.multi_items(), await answer.aread())

    for name, route in (("staff", ROOT), ("staff_pages", f"{ROOT}/<path:path>")):
        bot.add_route(handle, route, methods=["GET", "HEAD", "POST"], name=name, stream=True)


def _response(status: int, items: list[tuple[str, str]], body: bytes) -> HTTPResponse:
    headers: Any = Header()
    for name, value in items:
        if name.lower() != "content-length":
            headers.add(name, value)
    return HTTPResponse(body, status, headers, content_type="text/plain; charset=utf-8")
