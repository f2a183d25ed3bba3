"""The console over real HTTP, through the bridge: a Sanic server in a thread, on a catalogue of its own."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional

import httpx
import pytest
import sqlalchemy as sa
from sanic import Sanic
from starlette.applications import Starlette

from bot import phrasebook
from bot.catalogue import database
from bot.catalogue.store import Store
from bot.phrasebook import Phrasebook
from bot.runtime import Runtime
from bot.settings import settings
from bot.staff import app as staff_app
from bot.staff import bridge
from bot.staff.accounts import Accounts, Role

PASSWORD = "một câu dễ nhớ"


@pytest.fixture(scope="session")
def book() -> Phrasebook:
    return phrasebook.load()


@pytest.fixture
def own_engine(engine: sa.engine.Engine, tmp_path: Path) -> Iterator[sa.engine.Engine]:
    """A copy of the shipped catalogue that a test may change."""
    shutil.copy(str(engine.url.database), tmp_path / "own.sqlite")
    found = database.connect(f"sqlite:///{tmp_path / 'own.sqlite'}")
    yield found
    found.dispose()


@pytest.fixture
def own_data(tmp_path: Path) -> Path:
    """A small `nlu_data/` that a test may change: all of the FAQ, some of the rest."""
    folder = tmp_path / "nlu_data"
    some = {"ho-tich.yml", "cu-tru.yml", "can-cuoc-dinh-danh.yml", "xuat-nhap-canh.yml", "giam-ngheo.yml"}
    shutil.copytree(phrasebook.NLU_DATA, folder, ignore=lambda path, names: ["phrasings", ".lock"])
    (folder / "phrasings").mkdir()
    for name in some:
        shutil.copy(phrasebook.NLU_DATA / "phrasings" / name, folder / "phrasings" / name)
    # Long files cost each test a second.
    for path, lines in ((folder / "missing.yml", 60), (folder / "intents" / "out_of_scope.yml", 120)):
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:lines]))
    return folder


@pytest.fixture
def staff_runtime(own_engine: sa.engine.Engine, book: Phrasebook, tmp_path: Path) -> Runtime:
    """What the console runs on; a test file may override it."""
    return Runtime(replace(settings(), home=tmp_path), Store(own_engine), lambda: book)


@dataclass
class Console:
    """A running console, and people to use it."""

    app: Starlette
    url: str
    accounts: Accounts
    _clients: list[httpx.Client] = field(default_factory=list)

    def visitor(self, **options: Any) -> Visitor:
        """Somebody who is not logged in."""
        client = httpx.Client(base_url=self.url, timeout=30, **options)
        self._clients.append(client)
        return Visitor(client)

    def person(self, role: Role | str = Role.EDITOR, name: str = "") -> Visitor:
        """Somebody who is logged in."""
        name = name or f"thu.{Role(role).value}"
        if self.accounts.named(name) is None:
            self.accounts.add(name, Role(role), f"Người {Role(role).label}", PASSWORD, must_change=False)
        found = self.visitor()
        assert found.log_in(name).status_code == 303
        return found

    def close(self) -> None:
        for client in self._clients:
            client.close()


@dataclass
class Visitor:
    client: httpx.Client
    token: str = ""

    def get(self, path: str, **options: Any) -> httpx.Response:
        """A page; `path` with `/staff`."""
        answer = self.client.get(path, **options)
        found = re.search(r'name="csrf" value="(\w+)"', answer.text)
        self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, data: Optional[dict[str, Any]] = None, **options: Any) -> httpx.Response:
        """A form, with the token of the page seen last."""
        return self.client.post(path, data={"csrf": self.token, **(data or {})}, **options)

    def log_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        self.get("/staff/login")
        answer = self.post("/staff/login", {"name": name, "password": password})
        if answer.status_code == 303:
            self.get("/staff")
        return answer


def serve(app: Sanic) -> tuple[str, Callable[[], None]]:
    """Run a Sanic application in a thread; gives its address, and what stops it."""
    # Sanic rewrites its own methods when a server starts; in test mode it keeps what a second one is made from.
    Sanic.test_mode = True
    loop, ready = asyncio.new_event_loop(), threading.Event()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    stop = asyncio.Event()

    async def run() -> None:
        server = await app.create_server(sock=listening, return_asyncio_server=True, access_log=False)
        await server.startup()
        await server.start_serving()
        ready.set()
        await stop.wait()
        server.close()
        await server.wait_closed()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(30)

    def end() -> None:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)

    return f"http://127.0.0.1:{listening.getsockname()[1]}", end


@pytest.fixture
def console(staff_runtime: Runtime, request: pytest.FixtureRequest) -> Iterator[Console]:
    bot = Sanic(f"console_{id(request)}_{threading.get_ident()}", configure_logging=False, register=False)
    app = staff_app.create(staff_runtime, bot)
    bridge.mount(bot, app, staff_runtime.settings.proxies)
    url, stop = serve(bot)
    found = Console(app, url, app.state.accounts)
    yield found
    found.close()
    stop()
