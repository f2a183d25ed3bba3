from __future__ import annotations

from datetime import datetime, timedelta, timezone

import sqlalchemy as sa

from bot.journal import thumb, turn
from tests.staff.browser.conftest import Desk
from tests.staff.shots import shot

KINDS = (
    "procedure",
    "procedure",
    "faq",
    "choices",
    "procedure",
    "out_of_scope",
    "place_needed",
    "handoff",
    "smalltalk",
)
PROCEDURES = ("1.004222", "1.001193", "1.000894", "1.001612", "1.003103")
UNITS = ("00004", "00008", "00070", None)


def fill(engine: sa.engine.Engine) -> None:
    """A month that looks like one."""
    start = datetime(2026, 10, 25, 1, tzinfo=timezone.utc)
    with engine.begin() as connection:
        rows = []
        for day in range(30):
            weekend = (start + timedelta(days=day)).weekday() > 4
            for number in range(3 if weekend else 12 + (day * 7) % 11):
                at = start + timedelta(days=day, minutes=23 * number)
                kind = KINDS[(number + day) % len(KINDS)]
                topic = PROCEDURES[(number * number + day) % 5] if kind in ("procedure", "place_needed") else None
                rows.append({
                    "at": at, "channel": ("web", "telegram", "web")[number % 3], "session": f"{day}-{number // 3}",
                    "typed": True, "kind": kind, "procedure": topic,
                    "unit": UNITS[(number + day) % 4] if kind == "procedure" else None,
                })  # fmt: skip
        connection.execute(sa.insert(turn), rows)
        rated = [{"turn": number, "at": start, "up": number % 4 != 0} for number in range(1, len(rows), 5)]
        connection.execute(sa.insert(thumb), rated)


def test_figures_by_keyboard_for_everybody(desk: Desk) -> None:
    fill(desk.console.app.state.engine)
    page = desk.log_in("editor", "/figures")
    desk.check()
    shot(page, "figures", whole=False)
    page.get_by_label("Kênh").focus()
    page.keyboard.type("Tele")
    page.get_by_role("button", name="Xem").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**channel=telegram**")
    for title in ("Theo thủ tục", "Theo phường, xã", "Theo kênh"):
        page.get_by_role("link", name=title, exact=True).focus()
        page.keyboard.press("Enter")
        page.wait_for_load_state()
        page.get_by_role("heading", name=title).wait_for()
        desk.check()
    desk.open("/figures?since=2026-11-24&until=2026-11-01")
    desk.check()
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải Excel").click()
    assert download.value.suggested_filename.endswith(".xlsx")
