"""The whole way in Chromium, on a real bot: edit, train, compare, publish, ask the live bot, roll back.

The bot is small (one file of phrasings and its procedures), so that it is trained in seconds.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect
from ruamel.yaml import YAML

from bot.catalogue import database
from bot.phrasebook import NLU_DATA
from bot.releases.store import Releases
from bot.staff.accounts import Accounts, Role
from tests.channels.web_server import Server
from tests.staff.browser.conftest import Desk
from tests.staff.conftest import PASSWORD
from tests.staff.shots import shot

KEPT = "ho-tich-cu-tru-can-cuoc.yml"
QUESTION = "gửi xe máy ở điểm phục vụ có mất tiền không"
NEW = "Gửi xe ở Điểm phục vụ thì không mất tiền."
FAQ = f"""topic: Gửi xe
faq:
  gui-xe:
    question: Gửi xe ở Điểm phục vụ có mất tiền không?
    phrasings: [gửi xe có mất tiền không, phí gửi xe máy ở điểm phục vụ, chỗ để xe máy có thu tiền không]
    answer: {NEW}
    sources: [{{title: Kiểm thử, as_of: 2026-11-01}}]
"""
FIXED = """questions:
  - {ask: đăng ký khai sinh, expect: {procedure: "1.001193"}}
  - {ask: xin chào, expect: {kind: smalltalk}}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("publishing") / "nlu_data"
    shutil.copytree(NLU_DATA, folder, ignore=lambda path, names: ["phrasings", ".lock"])
    (folder / "phrasings").mkdir()
    shutil.copy(NLU_DATA / "phrasings" / KEPT, folder / "phrasings" / KEPT)
    (folder / "fixed_questions.yml").write_text(FIXED, encoding="utf-8")
    for name, lines in (("missing.yml", 60), ("intents/out_of_scope.yml", 200)):
        path = folder / name
        path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:lines]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(engine: sa.engine.Engine, data: Path, browser: Browser) -> Iterator[Server]:
    home, models = data.parent / "home", data.parent / "models"
    home.mkdir()
    models.mkdir()
    shutil.copy(str(engine.url.database), home / "catalogue.sqlite")
    known = YAML(typ="safe").load((data / "phrasings" / KEPT).read_text(encoding="utf-8"))["procedures"]
    with sqlite3.connect(home / "catalogue.sqlite") as connection:
        marks = ",".join("?" * len(known))
        connection.execute(f"DELETE FROM procedure WHERE code NOT IN ({marks})", list(known))
    accounts = Accounts(database.connect(f"sqlite:///{home / 'catalogue.sqlite'}"))
    for role in Role:
        accounts.add(f"thu.{role.value}", role, f"Người {role.label}", PASSWORD, must_change=False)
    found = Server(home, models, MOTCUA_NLU_DATA=str(data), MOTCUA_TODAY="2026-11-23")
    subprocess.run([sys.executable, "-m", "bot.cli", "train"], env=found._env, check=True, stdout=subprocess.DEVNULL)
    yield up(found)
    if found.is_running:
        found.stop()


def up(server: Server) -> Server:
    """Start it, with more patience than its other tests have: this machine may be busy with training."""
    try:
        return server.start()
    except AssertionError:
        for _ in range(240):
            if _answers(server):
                return server
            time.sleep(1)
        raise


def _answers(server: Server) -> bool:
    try:
        return httpx.get(f"{server.url}/webhooks/rest/").is_success
    except httpx.TransportError:
        return False


def ask(server: Server, text: str, sender: str) -> str:
    answer = httpx.post(
        f"{server.url}/webhooks/rest/webhook", json={"sender": sender, "message": text}, timeout=60
    ).raise_for_status()
    return "\n".join(reply.get("text", "") for reply in answer.json())


@dataclass
class Crowd:
    """People who ask without a pause, each in a conversation of their own."""

    server: Server
    answers: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __enter__(self) -> Crowd:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(3)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *problem: Any) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _ask(self, number: int) -> None:
        turn = 0
        while not self._over.is_set():
            turn += 1
            try:
                self.answers.append(ask(self.server, QUESTION, f"crowd-{number}-{turn}"))
            except Exception as error:
                self.problems.append(repr(error))


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(locale="vi-VN", reduced_motion="reduce")
    found = context.new_page()
    found.set_default_timeout(60_000)
    yield found
    context.close()


def log_in(page: Page, server: Server, role: Role) -> None:
    page.goto(f"{server.url}/staff/login")
    page.get_by_label("Tên đăng nhập").fill(f"thu.{role.value}")
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()
    page.wait_for_url(f"{server.url}/staff")


def check(page: Page) -> None:
    """axe, and 320 px, as on every page of the console."""
    Desk(page, None, []).check()  # type: ignore[arg-type]


def train(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/staff/publishing")
    page.get_by_role("button", name="Huấn luyện").click()
    expect(page.get_by_role("button", name="Dừng")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()


def trained(page: Page) -> None:
    """The page finds out by itself when it is done."""
    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=300_000)


def test_from_an_edit_to_an_answer_and_back(page: Page, server: Server, data: Path) -> None:
    releases = Releases(database.connect(f"sqlite:///{server.home / 'catalogue.sqlite'}"), server.home / "models")
    assert NEW not in ask(server, QUESTION, "before")
    ask(server, "đăng ký khai sinh ở phường Bạch Mai", "faithful")
    (data / "faq" / "gui-xe.yml").write_text(FAQ, encoding="utf-8")
    log_in(page, server, Role.PUBLISHER)

    # Train: the bot answers meanwhile, the page survives a reload, a second training is refused.
    train(page, server)
    check(page)
    expect(page.get_by_text("Dạy bản nháp")).to_be_visible(timeout=60_000)
    shot(page, "publishing-progress")
    assert ask(server, "xin chào", "meanwhile")
    page.reload()
    expect(page.get_by_role("progressbar")).to_be_visible()
    trained(page)
    assert NEW not in ask(server, QUESTION, "not yet")

    # Compare.
    expect(page.get_by_role("heading", name="Bản nháp: phiên bản 2")).to_be_visible()
    expect(page.get_by_role("heading", name="Câu hỏi cố định: đúng 2/2")).to_be_visible()
    expect(page.get_by_role("rowheader", name="phí gửi xe máy ở điểm phục vụ")).to_be_visible()
    check(page)
    shot(page, "publishing")
    page.get_by_role("link", name="Thử hỏi").first.click()
    page.get_by_role("textbox", name="Câu hỏi").fill(QUESTION)
    page.get_by_role("button", name="Hỏi cả hai bản").click()
    expect(page.get_by_text("Hai bản trả lời khác nhau.")).to_be_visible()
    draft = page.get_by_role("region", name="Bản nháp")
    expect(draft.get_by_text(NEW)).to_be_visible()
    expect(page.get_by_role("region", name="Đang phục vụ").get_by_text(NEW)).to_have_count(0)
    check(page)
    shot(page, "try")

    # Publish, by keyboard, while people ask.
    page.goto(f"{server.url}/staff/publishing")
    with Crowd(server) as crowd:
        time.sleep(1)
        page.get_by_role("button", name="Xuất bản phiên bản 2").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Đã xuất bản phiên bản 2.")).to_be_visible()
        seen = len(crowd.answers)
        time.sleep(1)
    assert not crowd.problems and all(crowd.answers), "nobody goes without an answer"
    new = [NEW in answer for answer in crowd.answers]
    assert not new[0] and new[-1] and all(new[seen + 3 :]), "old before, new after, each by one version"
    assert NEW in ask(server, QUESTION, "after")
    assert "Phường Bạch Mai" in ask(server, "thế lệ phí bao nhiêu", "faithful"), "conversations go on"

    # What is published is what starts, whatever the files say now.
    (data / "faq" / "gui-xe.yml").unlink()
    server.stop()
    up(server)
    assert NEW in ask(server, QUESTION, "restarted")

    # Back.
    page.goto(f"{server.url}/staff/publishing/versions")
    check(page)
    shot(page, "versions")
    page.get_by_role("button", name="Quay lại phiên bản 1").click()
    expect(page.get_by_text("Phiên bản 1 đang phục vụ trở lại.")).to_be_visible()
    assert NEW not in ask(server, QUESTION, "back")
    page.get_by_role("link", name="Phiên bản 2").first.click()
    expect(page.get_by_role("cell", name=NEW)).to_be_visible()
    check(page)
    assert [row.kind for row in releases.history()] == ["rollback", "publish", "first"]


def test_another_server_follows_what_is_published(page: Page, server: Server, tmp_path: Path) -> None:
    shared = f"sqlite:///{server.home / 'catalogue.sqlite'}"
    other = Server(tmp_path / "other", (server.home / "models").resolve(), DATABASE_URL=shared, **_same(server)).start()
    try:
        assert NEW not in ask(other, QUESTION, "before")
        log_in(page, server, Role.PUBLISHER)
        page.goto(f"{server.url}/staff/publishing/versions")
        page.get_by_role("button", name="Quay lại phiên bản 2").click()
        expect(page.get_by_text("Phiên bản 2 đang phục vụ trở lại.")).to_be_visible()
        deadline = time.monotonic() + 60
        while NEW not in ask(other, QUESTION, f"after-{time.monotonic()}"):
            assert time.monotonic() < deadline, "the other server did not notice"
            time.sleep(0.5)
    finally:
        other.stop()


def test_a_training_can_be_stopped_and_a_broken_file_says_why(page: Page, server: Server, data: Path) -> None:
    log_in(page, server, Role.EDITOR)
    train(page, server)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Dừng").click()
    trained(page)
    expect(page.get_by_text("đã bị dừng")).to_be_visible()
    (data / "faq" / "hong.yml").write_text("topic: Hỏng\nfaq:\n  a:\n    question: x\n", encoding="utf-8")
    page.get_by_role("button", name="Huấn luyện").click()
    trained(page)
    expect(page.locator(".flash.error").filter(has_text="không thành")).to_contain_text("hong.yml")
    assert ask(server, "xin chào", "unharmed")


def _same(server: Server) -> dict[str, str]:
    return {name: value for name, value in server._env.items() if name in ("MOTCUA_NLU_DATA", "MOTCUA_TODAY")}
