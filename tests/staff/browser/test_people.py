from __future__ import annotations

from tests.staff.browser.conftest import Desk
from tests.staff.shots import shot


def test_add_somebody_who_sets_a_password_and_comes_in_by_keyboard(desk: Desk) -> None:
    page = desk.log_in("administrator", "/people")
    desk.check()
    shot(page, "people")
    page.get_by_label("Họ và tên").focus()
    page.keyboard.type("Nguyễn Thị Lan")
    page.keyboard.press("Tab")
    page.keyboard.type("lan.nguyen")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # the next role
    page.keyboard.press("Enter")
    link = page.get_by_label("Liên kết").input_value()
    desk.check()
    shot(page, "people-link")
    assert desk.console.accounts.named("lan.nguyen").role.value == "publisher"  # type: ignore[union-attr]
    page.context.clear_cookies()
    page.goto(link)
    desk.check()
    page.get_by_label("Mật khẩu mới", exact=True).fill("trời xanh mây trắng")
    page.get_by_label("Nhập lại").fill("trời xanh mây trắng")
    page.keyboard.press("Enter")
    page.get_by_text("Chào Nguyễn Thị Lan").wait_for()


def test_an_account_and_the_log(desk: Desk) -> None:
    editor = desk.console.person("editor")
    page = desk.log_in("administrator", "/people")
    page.get_by_role("link", name="Người Biên tập").press("Enter")
    page.get_by_label("Họ và tên").wait_for()
    desk.check()
    shot(page, "people-person")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Khóa tài khoản").press("Enter")
    page.get_by_text("Đã khóa thu.editor").wait_for()
    desk.check()
    assert editor.get("/staff").status_code == 303
    desk.open("/people/log")
    desk.check()
    shot(page, "people-log", whole=False)
    page.get_by_label("Việc").select_option("people.disable")
    page.get_by_role("button", name="Lọc").press("Enter")
    page.wait_for_url("**action=people.disable**")
    assert page.get_by_role("row").count() == 2
    desk.open("/people/log?since=x&words=kh%C3%B4ng")
    desk.check()
