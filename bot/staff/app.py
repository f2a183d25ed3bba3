"""The console as one Starlette application; its paths begin with `/staff`."""

from __future__ import annotations

from typing import Any, Optional

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.runtime import Runtime
from bot.staff import login, pages, publishing, sections
from bot.staff.access import ROOT, Guard
from bot.staff.accounts import Accounts
from bot.staff.sessions import Sessions


def create(runtime: Runtime, bot: Optional[Any] = None) -> Starlette:
    """The console on a runtime's database.

    Args:
        bot: the Sanic application that answers citizens; None: nothing can be asked of it.
    """
    sessions = Sessions(runtime.store.engine)
    routes = [Route("/", home), *login.routes]
    for section in sections.modules():
        routes += section.routes
    app = Starlette(
        routes=[
            Route(ROOT, home),
            Mount(f"{ROOT}/static", StaticFiles(directory=pages.FOLDER / "static")),
            Mount(ROOT, routes=routes),
        ],
        middleware=[Middleware(Guard, sessions=sessions)],
        exception_handlers={HTTPException: pages.http_problem, Exception: pages.failure},
    )
    app.state.runtime = runtime
    app.state.engine = runtime.store.engine
    app.state.accounts = Accounts(runtime.store.engine)
    app.state.sessions = sessions
    app.state.bot = bot
    return app


def home(request: Request) -> Response:
    publishing.prepare(request)
    return pages.page(request, "home.html")
