from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot.editing.links import Links, State, shape


class Site(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        Site.asked.append(self.path)
        status = int(self.path.strip("/").split("/")[0])
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/" + self.path.split("/", 2)[2])
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Site.asked = []
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_servers_are_asked_once_and_what_they_say_counts(site: str) -> None:
    links = Links(inside=True)
    told = {"200": State.ALIVE, "403": State.ALIVE, "404": State.DEAD, "410": State.DEAD, "500": State.UNKNOWN,
            "302/200": State.ALIVE, "302/404": State.DEAD, "302/302/302/302/302/302/200": State.UNKNOWN}  # fmt: skip
    found = links.check(f"{site}/{path}" for path in told)
    assert {url.removeprefix(f"{site}/"): verdict.state for url, verdict in found.items()} == told
    asked = len(Site.asked)
    assert links.check([f"{site}/404"])[f"{site}/404"].state is State.DEAD
    assert len(Site.asked) == asked
    assert Links(inside=True).check(["http://127.0.0.1:9/x"])["http://127.0.0.1:9/x"].state is State.UNKNOWN


def test_nobody_looks_around_inside_the_network(site: str) -> None:
    for url in (f"{site}/200", "http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/a.b"):
        assert Links().check([url])[url].state is State.WRONG
    assert Site.asked == []


@pytest.mark.parametrize(
    "url",
    ["", "dichvucong.gov.vn", "ftp://a.vn/x", "javascript:alert(1)", "https://", "https://khong", "https://a b.vn",
     "https://u:p@a.vn", "https://a.vn:99999/", "https://dichvucong.hanoi.gov.vn/x", "https://[a.vn", "//a.vn"],
)  # fmt: skip
def test_links_that_are_none(url: str) -> None:
    verdict = shape(url)
    assert verdict and verdict.state is State.WRONG and verdict.why


def test_links_that_are_fine() -> None:
    assert shape("https://dichvucong.gov.vn/thu-tuc?x=1#y") is None
    assert shape("http://thuế.vn/đường dẫn".replace(" ", "-")) is None
