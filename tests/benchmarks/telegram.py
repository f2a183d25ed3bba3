"""500 Telegram chats at once: is every message answered, once, in order, and how soon?

`make bench` runs the whole bot in a process of its own beside the stand-in Bot API (in this one), on two cores, and
writes the table of docs/telegram.md. Every chat sends all its messages in one go, which is harder than life. Each row
is a fresh bot: polling and webhook, with Telegram's limit of 30 messages a second kept, and without it.
`python -m tests.benchmarks.telegram 2` has everybody send the first two messages only.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Optional

from bot.settings import PROJECT_ROOT
from tests.channels.bot_api import BotApi, Chat
from tests.channels.telegram_server import TOKEN, TelegramServer

CHATS = 500
SAYS = (
    ("Đăng ký thường trú ở phường Bạch Mai nộp ở đâu?", "Nơi giải quyết"),
    ("thế lệ phí bao nhiêu?", "hí, lệ phí|Lệ phí"),
    ("đăng ký kết hôn cần giấy tờ gì?", "Giấy tờ"),
    ("/help", "Ví dụ"),
)
"""What everybody says, and what the answer to it has, and the answers to the others have not."""
SILENCE = 60.0
"""Seconds without any new answer after which what is not answered counts as lost."""
DOC = PROJECT_ROOT / "docs" / "telegram.md"
BEGIN, END = "<!-- make bench -->", "<!-- end -->"
UNLIMITED = "TELEGRAM_BENCH_UNLIMITED"


@dataclass(frozen=True)
class Result:
    """One row of the table."""

    mode: str
    limited: bool
    load: float
    """The machine's load average (one minute) before the bot was started: what else ran on it."""
    lost: int
    """Messages without an answer."""
    twice: int
    disordered: int
    """Chats whose answers came in another order than their questions."""
    seconds: float
    """From the first question to the last answer."""
    waits: list[float]
    """Seconds from each question to its answer."""
    taken: list[float]
    """Seconds that each call of the webhook took; empty when polling."""

    def row(self) -> str:
        rate, shares = len(self.waits) / self.seconds, quantiles(self.waits, n=20)
        limit = "30/s, as Telegram asks" if self.limited else "none"
        hook = f"{median(self.taken) * 1000:.0f} / {quantiles(self.taken, n=20)[-1] * 1000:.0f}" if self.taken else "–"
        return (
            f"| {self.mode} | {limit} | {self.load:.1f} | {self.lost} | {self.twice} | {self.disordered} | "
            f"{rate:.1f} | {median(self.waits):.1f} | {shares[-1]:.1f} | {hook} |"
        )


def measure(mode: str, limited: bool, model: Path, messages: int) -> Result:
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, BotApi(TOKEN) as api, _bot(Path(folder), model, api, mode, limited):
        chats = [api.private() for _ in range(CHATS)]
        began = time.monotonic()
        asked: dict[int, list[float]] = {chat.id: [] for chat in chats}
        for text, _ in SAYS[:messages]:
            for chat in chats:
                asked[chat.id].append(time.monotonic())
                chat.says(text)
        _wait_for_all(chats, messages)
        time.sleep(2)
        assert not api.violations, api.violations[:3]
        return _judged(mode, limited, load, messages, chats, asked, began, [one.seconds for one in api.deliveries])


@contextmanager
def _bot(folder: Path, model: Path, api: BotApi, mode: str, limited: bool) -> Iterator[TelegramServer]:
    unlimited = {} if limited else {UNLIMITED: "1"}
    server = TelegramServer(folder / "home", model.parent, api, webhook=mode == "webhook", **unlimited)
    server.module = "tests.benchmarks.telegram"
    server.start().wait_until_up()
    try:
        yield server
    finally:
        server.stop()


def _wait_for_all(chats: list[Chat], messages: int) -> None:
    wanted, so_far, since = len(chats) * (messages + 1), 0, time.monotonic()
    while so_far < wanted and time.monotonic() - since < SILENCE:
        time.sleep(1)
        found = sum(len(chat.messages) for chat in chats)
        if found > so_far:
            so_far, since = found, time.monotonic()


def _judged(
    mode: str,
    limited: bool,
    load: float,
    messages: int,
    chats: list[Chat],
    asked: dict[int, list[float]],
    began: float,
    taken: list[float],
) -> Result:
    lost = twice = disordered = 0
    waits, last = [], began
    for chat in chats:
        answers = [message for message in chat.messages if "không phải người" not in message.text]
        found = [_which(message.text) for message in answers]
        lost += sum(number not in found for number in range(messages))
        twice += len(found) - len(set(found))
        disordered += found != sorted(found, key=lambda number: -1 if number is None else number)
        waits += [
            message.sent - asked[chat.id][number] for message, number in zip(answers, found) if number is not None
        ]
        last = max([last, *(message.sent for message in answers)])
    return Result(mode, limited, load, lost, twice, disordered, last - began, waits, taken)


def _which(text: str) -> Optional[int]:
    """The question that this answers."""
    fits = [number for number, (_, pattern) in enumerate(SAYS) if re.search(pattern, text)]
    return fits[0] if len(fits) == 1 else None


def main() -> None:
    from bot.console import quiet

    quiet()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    from bot.training import ensure_model

    model = ensure_model()
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else len(SAYS)
    lines = [
        "| mode | limit on sending | load before | lost | twice | out of order | answers/s | median wait, s | p95, s "
        "| webhook answered in, ms (median / p95) |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for limited in (True, False):
        for mode in ("polling", "webhook"):
            lines.append(measure(mode, limited, model, messages).row())
            print(lines[-1], flush=True)
            _write("\n".join(lines))


def _write(table: str) -> None:
    """Put the table into the docs; after each row, so that a long measurement may be cut short."""
    before, _, rest = DOC.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    DOC.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def serve() -> None:
    """The bot, as the benchmark starts it."""
    from bot.channels import telegram
    from bot.cli import main as motcua

    if os.environ.get(UNLIMITED):
        make_bot = telegram.make_bot

        def unlimited(settings: Any) -> Any:
            return make_bot(settings, limited=False)

        telegram.make_bot = unlimited
    sys.argv = ["motcua", "run"]
    motcua()


if __name__ == "__main__":
    serve() if os.environ.get("TELEGRAM_BOT_TOKEN") else main()
