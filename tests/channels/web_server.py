"""The whole bot, run in a process of its own: to be stopped, killed and started again, slowed down and broken.

`python -m tests.channels.web_server` runs it as `motcua run` does; a file `slow` in its home makes each turn take
two seconds, a question with the word "BROKEN" fails, and "REPLY {…}" is answered with what stands there.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

import httpx

BASE = "/webhooks/web"
SLOW = 2.0
BROKEN = "BROKEN"
REPLY = "REPLY "


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One installation: a home, a port, and what runs there."""

    def __init__(self, home: Path, models: Path, **env: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._env = {**os.environ, "MOTCUA_HOME": str(home), "PORT": str(self.port), **env}
        self._process: Optional[subprocess.Popen[str]] = None
        home.mkdir(exist_ok=True)
        (home / "models").symlink_to(models)

    def start(self) -> Server:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.channels.web_server"],
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(240):
            try:
                httpx.get(self.url + BASE + "/")
                return self
            except httpx.TransportError:
                assert self._process.poll() is None, self._process.stdout and self._process.stdout.read()
                time.sleep(0.25)
        raise AssertionError("the server did not come up")

    def stop(self) -> str:
        """Gives what was printed."""
        return self._end(signal.SIGTERM)

    def kill(self) -> str:
        return self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _end(self, how: int) -> str:
        assert self._process is not None
        self._process.send_signal(how)
        output, _ = self._process.communicate(timeout=30)
        self._process = None
        return output

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @contextmanager
    def slow(self) -> Iterator[None]:
        (self.home / "slow").touch()
        try:
            yield
        finally:
            (self.home / "slow").unlink()


class Person:
    """A browser with a token, as the component uses it."""

    def __init__(self, server: Server, token: str = "", origin: Optional[str] = None) -> None:
        self.server = server
        self._origin = {"Origin": origin} if origin else {}
        self.opened = self.call("POST", "session", {"token": token} if token else {}).json()
        self.token = self.opened["token"]

    def call(self, method: str, path: str, body: Any = None, **params: Any) -> httpx.Response:
        headers = dict(self._origin)
        if getattr(self, "token", ""):
            headers["Authorization"] = f"Bearer {self.token}"
        # A client of its own for each call: no cookies are carried along.
        return httpx.request(
            method, f"{self.server.url}{BASE}/{path}", json=body, params=params, headers=headers, timeout=40
        )

    def send(self, id: str = "", **what: Any) -> httpx.Response:
        return self.call("POST", "messages", {"id": id or uuid.uuid4().hex, **what})

    def events(self, after: int = 0, wait: float = 0) -> list[dict[str, Any]]:
        return list(self.call("GET", "events", after=after, wait=wait).raise_for_status().json()["events"])

    def ask(self, **what: Any) -> list[dict[str, Any]]:
        """Send something and wait for the answer; gives the bot's events."""
        id = uuid.uuid4().hex
        sent = self.send(id, **what)
        assert sent.status_code == 202, sent.text
        return self.answers_to(id)

    def answers_to(self, id: str) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = [event for event in self.events() if event.get("id") == id and event["type"] != "user"]
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError("no answer")


def main() -> None:
    from bot.channels.replies import Reply
    from bot.channels.turns import Turn, Turns
    from bot.cli import main as motcua
    from bot.settings import settings

    taken = Turns._taken
    slow = settings().home / "slow"

    async def hindered(self: Turns, conversation: str, text: str, typed: bool) -> Turn:
        if slow.exists():
            await asyncio.sleep(SLOW)
        if BROKEN in text:
            raise RuntimeError("broken on purpose")
        turn = await taken(self, conversation, text, typed)
        return Turn(turn.number, [Reply(**json.loads(text[len(REPLY) :]))]) if text.startswith(REPLY) else turn

    Turns._taken = hindered  # type: ignore[method-assign]
    sys.argv = ["motcua", "run"]
    motcua()


if __name__ == "__main__":
    main()
