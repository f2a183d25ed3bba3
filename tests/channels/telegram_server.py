"""The whole bot in a process of its own, beside a stand-in Telegram: what the tests of the channel start and break."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from tests.channels.bot_api import BotApi, Chat, Message
from tests.channels.web_server import Server

TOKEN = "123456:TEST-token"
SECRET = "a-secret_for-the-webhook"
PATH = "/webhooks/telegram/webhook"
TABLES = ("message", "consent", "turn", "thumb", "inbox", "long_payload", "lease")


class TelegramServer(Server):
    """One installation of the bot; what it prints goes to a file."""

    def __enter__(self) -> TelegramServer:
        return self.start().wait_until_up()

    def __exit__(self, *exc: object) -> None:
        if self.is_running:
            self.kill()

    def __init__(self, home: Path, models: Path, api: BotApi, webhook: bool = False, **env: str) -> None:
        mode = {"TELEGRAM_WEBHOOK_URL": "https://bot.example.vn", "TELEGRAM_WEBHOOK_SECRET": SECRET} if webhook else {}
        token = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_BASE_URL": api.url}
        super().__init__(home, models, **{**token, **mode, **env})
        self.api = api
        if webhook:
            api.deliver_to = self.url
        self.module = "tests.channels.web_server"
        """What is run."""
        self._log = home / "log.txt"

    @property
    def log(self) -> str:
        """Everything printed and logged since the first start."""
        return self._log.read_text(encoding="utf-8")

    def start(self) -> TelegramServer:
        with self._log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module], env=self._env, stdout=log, stderr=log, text=True
            )
        deadline = time.monotonic() + 400
        while not self.answers():
            assert self._process.poll() is None and time.monotonic() < deadline, self.log
            time.sleep(0.1)
        return self

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/webhooks/web/", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def is_up(self) -> bool:
        """Fetches and answers updates."""
        try:
            return bool(httpx.get(f"{self.url}/webhooks/telegram/", timeout=10).json()["running"])
        except httpx.TransportError:
            return False

    def wait_until_up(self, seconds: float = 240) -> TelegramServer:
        deadline = time.monotonic() + seconds
        while not self.is_up:
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)
        return self

    def _end(self, how: int) -> str:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(timeout=60)
        self._process = None
        return self.log

    def pause(self) -> None:
        """The process stands still, as on a machine that is out of breath."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    # -- what is kept

    def rows(self, table: str) -> list[Any]:
        with sqlite3.connect(self.home / "catalogue.sqlite") as connection:
            return connection.execute(f"select * from {table}").fetchall()

    def kept(self) -> str:
        """All that the database holds of people, as text."""
        return json.dumps([self.rows(table) for table in TABLES], default=str, ensure_ascii=False)

    def disk(self) -> bytes:
        """The database's files as they are, deleted rows included."""
        return b"".join(path.read_bytes() for path in self.home.glob("catalogue.sqlite*"))

    def wait_until_all_is_answered(self, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while any(row[2] is not None for row in self.rows("inbox")):
            assert time.monotonic() < deadline, self.api.so_far()
            time.sleep(0.05)


def ask(chat: Chat, text: str, n: int = 1, **more: Any) -> list[Message]:
    """Say something and wait for the answers."""
    chat.says(text, **more)
    return chat.wait_for_reply(n, settle=0.15)


def introduced(api: BotApi) -> Chat:
    """The chat of somebody who has seen what the bot says first."""
    chat = api.private()
    chat.says("/start")
    chat.wait_for_reply(2)
    return chat
