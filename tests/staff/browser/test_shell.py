from __future__ import annotations

from tests.staff.browser.conftest import Desk


def test_log_in_by_keyboard_look_around_log_out(desk: Desk) -> None:
    desk.console.accounts.add("lan", "administrator", "Nguyễn Thị Lan", "một câu dễ nhớ", must_change=False)
    page = desk.open("/catalogue")
    desk.check()
    page.keyboard.type("lan")
    page.keyboard.press("Tab")
    page.keyboard.type("một câu dễ nhớ")
    page.keyboard.press("Enter")
    page.wait_for_url("**/staff/catalogue")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    for path in ("", "/password", "/people", "/khong-co"):
        desk.open(path)
        desk.check()
    page.get_by_role("button", name="Đăng xuất").click()
    page.wait_for_url("**/staff/login?out")
    assert desk.open("/catalogue").url.endswith("/staff/login?next=%2Fstaff%2Fcatalogue")
