"""A plain page to try the bot, at `/`. It talks to the REST channel and shows what it is told as text."""

from pathlib import Path

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, file

STATIC = Path(__file__).parent / "static"

blueprint = Blueprint("page")
blueprint.static("/static", str(STATIC))


@blueprint.get("/")
async def home(request: Request) -> HTTPResponse:
    return await file(STATIC / "page.html", headers={"Content-Security-Policy": "default-src 'self'"})
