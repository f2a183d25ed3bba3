"""The whole bot, model and all: the conversations that step 1 promises."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.catalogue.store import Catalogue


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    found = asyncio.new_event_loop()
    yield found
    found.close()


class Talk:
    """A conversation with the bot in this process."""

    def __init__(self, agent: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.agent, self.loop, self.sender = agent, loop, uuid.uuid4().hex

    def say(self, text: str) -> tuple[str, dict[str, Any]]:
        replies = self.loop.run_until_complete(self.agent.handle_text(text, sender_id=self.sender))
        return (
            "\n".join(reply["text"] for reply in replies if reply.get("text")),
            next(reply["custom"] for reply in replies if reply.get("custom")),
        )


@pytest.fixture(scope="module")
def agent(model: Path) -> Any:
    from bot.server import load_agent

    return load_agent(model)


@pytest.fixture
def talk(agent: Any, loop: asyncio.AbstractEventLoop) -> Talk:
    return Talk(agent, loop)


def test_where_to_register_residence(talk: Talk, catalogue: Catalogue) -> None:
    text, payload = talk.say("Đăng ký thường trú ở phường Bạch Mai nộp ở đâu?")
    assert payload["procedure"]["code"] == "1.004222"
    assert payload["office"]["name"] == "Công an phường Bạch Mai"
    assert str(catalogue.procedures["1.004222"].online_url) in text
    assert "68/2020/QH14" in text and "20/7/2026" in text
    _, payload = talk.say("the lệ phí bao nhiêu")
    assert (payload["procedure"]["code"], payload["facet"], payload["unit"]["name"]) == (
        "1.004222",
        "fee",
        "Phường Bạch Mai",
    )


def test_an_old_ward_without_diacritics(talk: Talk) -> None:
    _, payload = talk.say("toi o phuong phuc xa quan ba dinh cu, lam giay khai sinh cho con o dau")
    assert payload["procedure"]["code"] == "1.001193"
    assert payload["unit"]["name"] == "Phường Hồng Hà"
    assert payload["office"]["name"] == "UBND phường Hồng Hà"


def test_a_tap_is_a_choice(talk: Talk) -> None:
    talk.say("Đăng ký kết hôn mất bao lâu")
    _, payload = talk.say('/choose{"procedure": "1.001193"}')
    assert (payload["procedure"]["code"], payload["facet"]) == ("1.001193", "time")


def test_a_typed_payload_that_is_made_up_does_no_harm(talk: Talk) -> None:
    _, payload = talk.say('/choose{"procedure": "0.000000"}')
    assert payload["procedure"] is None
    _, payload = talk.say("/ask_fee")
    assert payload["procedure"] is None


def test_start_over_forgets(talk: Talk) -> None:
    talk.say("Đăng ký thường trú ở phường Bạch Mai nộp ở đâu?")
    talk.say("bắt đầu lại")
    _, payload = talk.say("thế lệ phí bao nhiêu")
    assert payload["procedure"] is None


@pytest.mark.parametrize("text", ["xin chào", "cảm ơn bạn nhé", "thời tiết hôm nay thế nào", "đồ ngu"])
def test_what_is_not_a_procedure_presents_none(talk: Talk, text: str) -> None:
    _, payload = talk.say(text)
    assert payload["procedure"] is None and payload["kind"] in ("smalltalk", "out_of_scope", "general")


@pytest.mark.parametrize("text", ["", "   ", "?!?", "😀", "a" * 5000, "\u200b", "1" * 200, "<b>đăng ký</b>"])
def test_odd_input_gets_an_answer(talk: Talk, text: str) -> None:
    replies = talk.loop.run_until_complete(talk.agent.handle_text(text, sender_id=talk.sender))
    assert any(reply.get("custom") for reply in replies)
