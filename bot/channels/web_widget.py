"""The files of the web component as browsers get them: small, cached, and open to every website.

The sources in `widget/` are what one reads and edits. The server joins them into one module and one stylesheet and
makes these small when it starts, so that nobody builds anything and a slow phone loads two files.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import minify  # type: ignore[import-untyped]
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, empty, raw

HERE = Path(__file__).parent / "widget"
MODULES = ("texts.js", "client.js", "view.js", "element.js")
"""Each needs only the ones before it."""
SCRIPT = "mot-cua-chat.js"
FRESH = "public, max-age=300, stale-while-revalidate=86400"
"""Five minutes after an update every visitor has it; until then it costs no request."""
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_MINIFIED_AS = {".js": "application/javascript", ".css": "text/css"}
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./[\w-]+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=class|function|const)", re.MULTILINE)


@dataclass(frozen=True)
class File:
    """What is sent for one address."""

    body: bytes
    zipped: bytes
    etag: str
    type: str


def files() -> dict[str, File]:
    """By name: the component's module and its stylesheets."""
    script = "".join(_EXPORT.sub("", _IMPORT.sub("", _read(name))) for name in MODULES)
    found = {path.name: _file(path.name, _read(path.name)) for path in sorted(HERE.glob("*.css"))}
    return {SCRIPT: _file(SCRIPT, script), **found}


def create() -> Blueprint:
    """The addresses under `/widget/`."""
    routes = Blueprint("widget", url_prefix="/widget")
    ready = files()

    @routes.get("/<name>")
    async def send(request: Request, name: str) -> HTTPResponse:
        file = ready.get(name)
        # A module is only run on another website where its server says that it may be.
        headers = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if file is None:
            return empty(status=404, headers=headers)
        headers |= {"Cache-Control": FRESH, "ETag": file.etag, "Vary": "Accept-Encoding"}
        if file.etag in request.headers.getone("if-none-match", ""):
            return empty(status=304, headers=headers)
        if "gzip" in request.headers.getone("accept-encoding", ""):
            return raw(file.zipped, headers={**headers, "Content-Encoding": "gzip"}, content_type=file.type)
        return raw(file.body, headers=headers, content_type=file.type)

    return routes


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _file(name: str, source: str) -> File:
    suffix = Path(name).suffix
    body = minify.string(_MINIFIED_AS[suffix], source).encode()
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
    return File(body, gzip.compress(body, 9, mtime=0), etag, TYPES[suffix])
