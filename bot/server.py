"""The running bot: Rasa's agent with our actions in the same process, and its web server."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Dict, Optional

# First of all: skops (which Rasa's classifier loads) searches every module that is there, and TensorFlow
# brings thousands; the other way round costs 6 s at every start.
import skops.io  # noqa: F401  # isort: skip
from rasa.core.agent import Agent
from rasa.core.channels.channel import register
from rasa.core.run import close_resources, create_http_input_channels, load_agent_on_start
from rasa.core.utils import AvailableEndpoints, number_of_sanic_workers
from rasa.utils.endpoints import EndpointConfig
from rasa_sdk.executor import ActionExecutor
from sanic import Sanic

from bot.channels import page
from bot.settings import PROJECT_ROOT

CREDENTIALS = PROJECT_ROOT / "credentials.yml"
ENDPOINTS = PROJECT_ROOT / "endpoints.yml"


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


def serve(model: Path, port: int, host: str = "0.0.0.0") -> None:
    """Serve every channel of `credentials.yml`, and the page to try the bot, on one port, until stopped."""
    shared = endpoints()
    app = Sanic("hoi_mot_cua", configure_logging=False)
    register(create_http_input_channels(None, str(CREDENTIALS)), app, route="/webhooks/")
    app.blueprint(page.blueprint)
    app.register_listener(partial(load_agent_on_start, str(model), shared, None), "before_server_start")
    app.register_listener(close_resources, "after_server_stop")
    app.register_listener(lambda *_: print(f"Sẵn sàng: http://localhost:{port}", flush=True), "after_server_start")
    app.run(host=host, port=port, workers=number_of_sanic_workers(shared.lock_store), access_log=False)
