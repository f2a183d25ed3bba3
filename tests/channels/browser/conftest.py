"""The chat in a real Chromium, on the bot's own page and on a ward's website of another origin."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.channels.web_server import Server, free_port

QUESTION = "Đăng ký thường trú ở phường Bạch Mai nộp ở đâu?"
CHOICE_QUESTION = "tôi muốn làm lại giấy khai sinh"
PATIENCE = 30_000
"""ms; a slow machine must not fail a test of behaviour."""
expect.set_options(timeout=PATIENCE)

WATCH = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error(`CSP: ${violatedDirective} ${blockedURI}`));
"""
HEARD = """() => {
  window.heard = [];
  const region = document.querySelector("mot-cua-chat").shadowRoot.querySelector("[aria-live]");
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) window.heard.push(node.textContent);
  }).observe(region, { childList: true });
}"""


@dataclass
class Chat:
    """Somebody in front of the chat. Errors of the page fail the test, unless the network is meant to fail."""

    page: Page
    url: str
    problems: list[str] = field(default_factory=list)
    expects_trouble: bool = False
    _checks: bool = False

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.add_init_script(WATCH)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not self._checks:
            self.problems.append(message.text)

    def go(self, path: str = "/") -> Chat:
        self.page.goto(self.url + path)
        return self

    def open(self, path: str = "/") -> Chat:
        self.go(path)
        self.page.locator(".launcher").click()
        expect(self.notice).to_contain_text("90")
        return self

    def find(self, selector: str) -> Locator:
        return self.page.locator(f"mot-cua-chat {selector}")

    def button(self, name: str) -> Locator:
        return self.page.locator("mot-cua-chat").get_by_role("button", name=name, exact=True)

    @property
    def input(self) -> Locator:
        return self.find("textarea#input")

    @property
    def notice(self) -> Locator:
        return self.find(".notice")

    @property
    def answers(self) -> Locator:
        return self.find(".bot")

    @property
    def questions(self) -> Locator:
        return self.find(".you")

    def type(self, text: str) -> None:
        self.input.fill(text)
        self.input.press("Enter")

    def ask(self, text: str) -> Locator:
        """Ask and wait; gives the answer."""
        before = self.answers.count()
        self.type(text)
        answer = self.answers.nth(before)
        expect(answer).to_be_visible()
        return answer

    def agree(self) -> Chat:
        self.button("Đồng ý lưu").click()
        expect(self.notice).to_contain_text("đã đồng ý")
        return self

    def menu(self, item: str) -> None:
        self.button("Thêm").click()
        self.button(item).click()

    def listen(self) -> None:
        """From now on note what is read out."""
        self.page.evaluate(HEARD)

    def heard(self) -> list[str]:
        self.page.wait_for_timeout(400)
        return list(self.page.evaluate("window.heard"))

    def focused(self) -> str:
        """The text or label of what has the focus inside the chat; empty if it is elsewhere."""
        script = """() => {
          const found = document.querySelector("mot-cua-chat").shadowRoot.activeElement;
          return found ? found.id || found.textContent.trim() : "";
        }"""
        return str(self.page.evaluate(script))

    def check(self) -> None:
        """Nothing that axe finds (WCAG 2.2 AA and its best practices)."""
        self._checks = True  # axe tries a style of its own, which the page's policy rightly forbids
        violations = Axe().run(self.page).response["violations"]
        self._checks = False
        told = [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in violations]
        assert not told, told

    def another(self, path: str = "/") -> Chat:
        """The same browser, another tab."""
        tab = Chat(self.page.context.new_page(), self.url)
        tab.problems = self.problems
        return tab.open(path)


@dataclass
class Site:
    """A ward's website, as strict as websites are: every page is a heading and what a test puts below."""

    port: int
    pages: dict[str, str] = field(default_factory=dict)
    policy: str = ""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    found = Site(free_port())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = found.pages.get(self.path)
            self.send_response(200 if body else 204)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", found.policy)
            self.end_headers()
            if body:
                text = f'<!doctype html><html lang="vi"><title>Phường</title><main><h1>Phường</h1></main>{body}</html>'
                self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    with _serving(found.port, Handler):
        yield found


class _serving:
    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True

    def __enter__(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def server(model: Path, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("widget")
    sites = f"""
sites:
  - origin: self
  - origin: {site.url}
    title: Phường Bạch Mai
    colors: {{accent: "#004b87", on_accent: "#ffffff"}}
    unit: Phường Bạch Mai
    suggestions: [Làm khai sinh cho con ở đâu?]
"""
    (folder / "sites.yml").write_text(sites, encoding="utf-8")
    running = Server(folder / "home", model.parent, MOTCUA_SITES=str(folder / "sites.yml"))
    yield running.start()
    if running.is_running:
        running.stop()


@pytest.fixture
def up(server: Server) -> Server:
    """The server, started again if a test before left it stopped."""
    return server if server.is_running else server.start()


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A new person; `@pytest.mark.parametrize("context", [{…}], indirect=True)` says how their browser is set."""
    settings = {"locale": "vi-VN", "viewport": {"width": 1280, "height": 800}, **getattr(request, "param", {})}
    found = browser.new_context(**settings)
    yield found
    found.close()


@pytest.fixture
def chat(up: Server, context: BrowserContext) -> Iterator[Chat]:
    found = Chat(context.new_page(), up.url)
    yield found
    found.page.unroute_all(behavior="ignoreErrors")
    if not found.expects_trouble:
        assert not found.problems


@pytest.fixture
def holding_proxy(up: Server) -> Iterator[str]:
    """URL of a reverse proxy that passes nothing on before it has all of it, as some do: streams never arrive."""
    port = free_port()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
            try:
                got = httpx.request(
                    self.command, up.url + self.path, headers=sent, content=self.rfile.read(length), timeout=60
                )
                self.send_response(got.status_code)
                for name, value in got.headers.items():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length", "content-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(got.content)))
                self.end_headers()
                self.wfile.write(got.content)
            except (OSError, httpx.HTTPError):
                self.close_connection = True

        do_POST = do_DELETE = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    with _serving(port, Handler):
        yield f"http://127.0.0.1:{port}"
