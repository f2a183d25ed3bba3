"""Run the bot, train it, talk to it."""

from __future__ import annotations

import asyncio
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import typer

from bot.cli.output import console

if TYPE_CHECKING:
    from bot.server import LocalBot


def run() -> None:
    """Chạy bot: nạp danh mục kèm theo, rồi phục vụ phiên bản đã xuất bản trên PORT (lần đầu: bản kèm theo)."""
    from bot.releases import starting
    from bot.releases.store import Releases
    from bot.runtime import runtime
    from bot.training import model_path

    current = runtime()
    releases = Releases(current.store.engine, current.settings.models)
    published = releases.published()
    at_hand = starting.usable_model(releases, published) if published else model_path().exists()
    if not at_hand:
        console.print("Huấn luyện mô hình (lần đầu, hoặc khi phần mềm đổi, khoảng một phút)…")
    published = starting.ensure_published(current)
    if starting.differs(current, published):
        console.print(
            f"nlu_data/ đã khác phiên bản {published.id} đang phục vụ: xuất bản ở /staff/publishing, hoặc bằng lệnh "
            "motcua publish."
        )
    from bot.server import serve

    serve(current.settings.port)


def train_command() -> None:
    """Huấn luyện lại mô hình nếu dữ liệu đã đổi."""
    from bot.training import ensure_model

    console.print(str(ensure_model()))


def ask(
    text: list[str] = typer.Argument(..., help="Câu hỏi; nhiều câu là một cuộc trò chuyện."),
    as_json: bool = typer.Option(False, "--json", help="In cả phần dữ liệu máy đọc."),
) -> None:
    """Hỏi bot ngay trong cửa sổ lệnh."""

    async def talk() -> None:
        bot = local_bot()
        sender = uuid.uuid4().hex
        for message in text:
            for reply in await bot.say(message, sender):
                if reply.get("text"):
                    console.print(reply["text"], markup=False, soft_wrap=True)
                for number, button in enumerate(reply.get("buttons") or [], 1):
                    console.print(f"  [{number}] {button['title']}", markup=False, soft_wrap=True)
                if as_json and reply.get("custom"):
                    console.print_json(json.dumps(reply["custom"]), ensure_ascii=False)
            console.print()

    asyncio.run(talk())


def local_bot() -> LocalBot:
    from bot.server import LocalBot
    from bot.training import ensure_model

    # Training drives an event loop of its own, so it goes through a thread.
    with ThreadPoolExecutor(1) as pool:
        return LocalBot(pool.submit(ensure_model).result())
