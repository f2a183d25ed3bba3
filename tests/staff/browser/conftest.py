"""The console in a real Chromium, with helpers that every page's test uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from bot.staff.accounts import Role
from tests.staff.conftest import PASSWORD, Console

CUT = """[...document.querySelectorAll(".scroll:has(> .stacks)")]
  .filter((each) => each.scrollWidth > each.clientWidth + 1)
  .map((each) => each.getAttribute("aria-label") ?? each.textContent.slice(0, 40))"""
"""Tables that do not fit, though their rows should have become lists."""


@dataclass
class Desk:
    """A browser in front of the console. Anything that the page logs as an error fails the test."""

    page: Page
    console: Console
    problems: list[str]

    def log_in(self, role: Role | str = Role.EDITOR, path: str = "", name: str = "") -> Page:
        """Log in as somebody of a role, by the form, and go on to a page (`path` without `/staff`)."""
        name = name or f"thu.{Role(role).value}"
        if self.console.accounts.named(name) is None:
            self.console.accounts.add(name, Role(role), f"Người {Role(role).label}", PASSWORD, must_change=False)
        self.open("/login")
        self.page.get_by_label("Tên đăng nhập").fill(name)
        self.page.get_by_label("Mật khẩu").fill(PASSWORD)
        self.page.get_by_role("button", name="Đăng nhập").click()
        self.page.wait_for_url(f"{self.console.url}/staff")
        if path:
            self.open(path)
        return self.page

    def open(self, path: str) -> Page:
        """A page of the console; `path` without `/staff`."""
        self.page.goto(f"{self.console.url}/staff{path}")
        return self.page

    def check(self) -> None:
        """Nothing that axe finds (WCAG 2.2 AA and its best practices), and nothing to scroll sideways for at 320 px."""
        violations = Axe().run(self.page).response["violations"]
        told = [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in violations]
        assert not told, f"{self.page.url}: {told}"
        size = self.page.viewport_size
        self.page.set_viewport_size({"width": 320, "height": 640})
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        cut = self.page.evaluate(CUT)
        self.page.set_viewport_size(size or {"width": 1280, "height": 720})
        assert wide <= 320, f"{self.page.url}: {wide} px wide"
        assert not cut, f"{self.page.url}: tables that scroll sideways: {cut}"


@pytest.fixture
def desk(browser: Browser, console: Console) -> Iterator[Desk]:
    context = browser.new_context(locale="vi-VN", reduced_motion="reduce")
    page = context.new_page()
    problems: list[str] = []

    def note(message: Any) -> None:
        # A refused form answers 4xx, which Chromium logs: that is no fault of the page.
        if message.type == "error" and "Failed to load resource" not in message.text:
            problems.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield Desk(page, console, problems)
    context.close()
    assert not problems, problems
