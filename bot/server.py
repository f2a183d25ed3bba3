"""The running bot: Rasa's agent with our actions in the same process, and its web server."""

from __future__ import annotations

import uuid
from asyncio import AbstractEventLoop
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Dict, Optional

# First of all: skops (which Rasa's classifier loads) searches every module that is there, and TensorFlow
# brings thousands; the other way round costs 6 s at every start.
import skops.io  # noqa: F401  # isort: skip
from rasa.core.actions.action import RemoteAction
from rasa.core.agent import Agent
from rasa.core.brokers.broker import EventBroker
from rasa.core.channels.channel import InputChannel, register
from rasa.core.lock_store import LockStore
from rasa.core.run import close_resources, create_http_input_channels
from rasa.core.tracker_store import TrackerStore
from rasa.core.utils import AvailableEndpoints, number_of_sanic_workers
from rasa.utils.endpoints import EndpointConfig
from rasa_sdk.executor import ActionExecutor
from sanic import Sanic

from bot.channels import page, web_widget
from bot.channels.telegram import TelegramInput
from bot.channels.web import WebInput
from bot.journal import Journal
from bot.live import LiveAgent
from bot.memory import Memory, key_in
from bot.releases.serving import Serving
from bot.runtime import runtime
from bot.settings import PROJECT_ROOT
from bot.staff import app as staff
from bot.staff import bridge, workbench

CREDENTIALS = PROJECT_ROOT / "credentials.yml"
ENDPOINTS = PROJECT_ROOT / "endpoints.yml"

# Our actions are trusted code in this process. Rasa would check what they give against a schema, and that schema
# itself, in every turn, which takes a third of it.
RemoteAction._validate_action_result = lambda action, result: True


class InProcessActions(EndpointConfig):  # type: ignore[misc]
    """Runs custom actions where the bot runs.

    An action server of its own would cost a second process and an HTTP round trip per turn, and the
    actions need nothing but the catalogue, which the bot holds in memory anyway.
    """

    def __init__(self) -> None:
        super().__init__(url="in-process", enable_selective_domain=True)
        self._executor = ActionExecutor()
        self._executor.register_package("actions")

    async def request(
        self,
        method: str = "post",
        subpath: Optional[str] = None,
        content_type: Optional[str] = "application/json",
        compress: bool = False,
        **kwargs: Any,
    ) -> Optional[Any]:
        result: Optional[Dict[str, Any]] = await self._executor.run(kwargs["json"])
        return result


def endpoints() -> AvailableEndpoints:
    """`endpoints.yml` (tracker store, lock store, model server) with our actions in process."""
    found = AvailableEndpoints.read_endpoints(str(ENDPOINTS))
    found.action = InProcessActions()
    return found


def load_agent(model: Path) -> Agent:
    """The bot without a web server, for the terminal and the evaluation."""
    return Agent.load(str(model), action_endpoint=InProcessActions())


class LocalBot:
    """The bot in this process, for the terminal, the evaluation and the tests."""

    def __init__(self, model: Path) -> None:
        self.agent = load_agent(model)

    async def say(self, text: str, conversation: str) -> list[dict[str, Any]]:
        return list(await self.agent.handle_text(text, sender_id=conversation) or [])

    async def payload(self, text: str, conversation: str = "") -> Optional[dict[str, Any]]:
        """What a channel draws from; in a conversation of its own unless one is named."""
        replies = await self.say(text, conversation or uuid.uuid4().hex)
        return next((reply["custom"] for reply in replies if reply.get("custom")), None)


def _people_channels() -> Iterator[InputChannel]:
    """The channels that remember people: their secrets and their database come from the settings."""
    current = runtime()
    key = key_in(current.settings.home / "person.key")
    memory = Memory(current.store.engine, key)
    journal = Journal(current.store.engine)
    if current.settings.telegram is not None:
        yield TelegramInput(current.settings.telegram, memory, journal, current, key)
    yield WebInput(memory, journal, current)


async def _start_answering(shared: AvailableEndpoints, app: Sanic, loop: AbstractEventLoop) -> None:
    """Load the published version, and whichever is published later."""
    broker = await EventBroker.create(shared.event_broker, loop=loop)
    app.ctx.agent = LiveAgent(
        generator=shared.nlg,
        tracker_store=TrackerStore.create(shared.tracker_store, event_broker=broker),
        lock_store=LockStore.create(shared.lock_store),
        action_endpoint=shared.action,
    )
    app.ctx.serving = Serving(app.ctx.agent, runtime())
    app.ctx.serving.start()
    app.add_task(app.ctx.serving.follow(), name="follow-releases")


def serve(port: int, host: str = "0.0.0.0") -> None:
    """Serve the published version (`bot.releases.starting`) on every channel, and the pages, until stopped."""
    shared = endpoints()
    app = Sanic("hoi_mot_cua", configure_logging=False)
    # Rasa's own server allows an hour, too: a stream of events is one long response.
    app.config.RESPONSE_TIMEOUT = 3600
    # The console's uploads are read by the console, with a limit of their own.
    app.config.REQUEST_MAX_SIZE = 512 * 1024
    channels = [*create_http_input_channels(None, str(CREDENTIALS)), *_people_channels()]
    register(channels, app, route="/webhooks/")
    app.blueprint([page.create(web) for web in channels if isinstance(web, WebInput)])
    app.blueprint(page.static())
    app.blueprint(web_widget.create())
    console = staff.create(runtime(), app)
    bridge.mount(app, console, runtime().settings.proxies)
    app.register_listener(partial(_start_answering, shared), "before_server_start")
    app.register_listener(lambda *_: workbench.warm(console), "after_server_start")
    app.register_listener(close_resources, "after_server_stop")
    app.register_listener(lambda *_: print(f"Sẵn sàng: http://localhost:{port}", flush=True), "after_server_start")
    app.run(host=host, port=port, workers=number_of_sanic_workers(shared.lock_store), access_log=False)
