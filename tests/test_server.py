"""The running server, over real HTTP: the REST channel, the page, and errors that say what is wrong."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(model: Path) -> Iterator[httpx.Client]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "run"],
        env={**os.environ, "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for _ in range(240):
            try:
                client.get("/webhooks/rest/")
                break
            except httpx.TransportError:
                assert process.poll() is None, process.stdout and process.stdout.read()
                time.sleep(0.25)
        yield client
    process.terminate()
    output, _ = process.communicate(timeout=20)
    said = [line for line in output.splitlines() if line.strip()]
    assert said == [f"Sẵn sàng: http://localhost:{port}"], "only what is ours is printed"


def ask(client: httpx.Client, message: object, sender: str = "test") -> httpx.Response:
    return client.post("/webhooks/rest/webhook", json={"sender": sender, "message": message})


def test_a_question_gets_words_and_a_payload(server: httpx.Client) -> None:
    replies = ask(server, "Đăng ký thường trú ở phường Bạch Mai nộp ở đâu?").json()
    assert "Công an phường Bạch Mai" in replies[0]["text"]
    assert replies[1]["custom"]["procedure"]["code"] == "1.004222"


def test_conversations_are_kept_apart(server: httpx.Client) -> None:
    ask(server, "Đăng ký thường trú ở phường Bạch Mai nộp ở đâu?", sender="one")
    replies = ask(server, "thế lệ phí bao nhiêu", sender="two").json()
    assert replies[1]["custom"]["procedure"] is None


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"khong phai json", "JSON"),
        (b"[]", "JSON"),
        (b"{}", "message"),
        (b'{"message": ""}', "message"),
        (b'{"message": 5}', "message"),
        (b'{"message": "x", "sender": 1}', "sender"),
        (b'{"message": "' + b"a" * 1001 + b'"}', "1001"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(server: httpx.Client, body: bytes, named: str) -> None:
    answer = server.post("/webhooks/rest/webhook", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and named in answer.json()["error"]


def test_the_page_brings_all_it_needs_and_nothing_from_elsewhere(server: httpx.Client) -> None:
    page = server.get("/")
    assert page.status_code == 200 and 'lang="vi"' in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'self';")
    assert "style=" not in page.text and "<script>" not in page.text
    for path in re.findall(r'(?:src|href)="(/(?:static|widget)/[^"]+)"', page.text):
        assert server.get(path).status_code == 200
