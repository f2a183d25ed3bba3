from __future__ import annotations

from pathlib import Path

from openpyxl import load_workbook

from bot.staff.accounts import Role
from tests.staff.browser.conftest import Desk
from tests.staff.shots import shot
from tests.staff.test_catalogue import CODE, DECISION, DELEGATION, base_authority, save, workbook


def test_look_up_edit_and_see_the_history_by_keyboard(desk: Desk) -> None:
    page = desk.log_in("editor", "/catalogue")
    desk.check()
    page.get_by_label("Tìm thủ tục").focus()
    page.keyboard.type("dang ky thuong tru")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=dang**")
    desk.check()
    shot(page, "catalogue", whole=False)
    page.get_by_role("link", name="Đăng ký thường trú", exact=True).press("Enter")
    page.wait_for_url(f"**/{CODE}")
    page.get_by_label("Phường, xã (tên mới hoặc cũ)").fill("phuong bach mai")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Chuỗi căn cứ").wait_for()
    desk.check()
    shot(page, "catalogue-procedure", whole=False)
    page.get_by_role("region", name="Bản ghi thủ tục").get_by_role("link", name="Sửa").press("Enter")
    name = page.get_by_label("Lĩnh vực")
    name.fill("")
    page.get_by_role("button", name="Lưu").press("Enter")  # the browser says that it is needed
    assert "/edit/procedure" in page.url
    name.fill("Cư trú")
    page.get_by_label("Trang trên Cổng dịch vụ công").fill("ftp://x")
    page.get_by_role("button", name="Lưu").press("Enter")
    page.get_by_text("Chưa lưu được").wait_for()
    assert page.evaluate("document.activeElement.id") == "online_url"
    desk.check()
    page.get_by_label("Trang trên Cổng dịch vụ công").fill("https://dichvucong.gov.vn/x")
    page.get_by_role("button", name="Lưu").press("Enter")
    page.get_by_text("Đã lưu").wait_for()
    page.get_by_role("region", name="Bản ghi thủ tục").get_by_role("link", name="Lịch sử").press("Enter")
    page.get_by_text("thu.editor").first.wait_for()
    desk.check()


def test_two_people_edit_the_same_row(desk: Desk) -> None:
    page = desk.log_in("editor", "/catalogue/edit/authority?k=ubnd-tp")
    page.get_by_label("Tên khác").fill("của tôi")
    binh = desk.console.person("editor", "binh.tv")
    cells = {"code": "ubnd-tp", "name": "UBND thành phố Hà Nội", "level": "thanh_pho", "kind": "ubnd"}
    assert save(binh, "/staff/catalogue/edit/authority?k=ubnd-tp", {**cells, "aliases": "của Bình"}).status_code == 303
    page.get_by_role("button", name="Lưu").click()
    page.get_by_text("binh.tv vừa sửa dòng này").wait_for()
    desk.check()
    shot(page, "catalogue-warned", whole=False)
    page.get_by_role("button", name="Lưu").click()
    page.get_by_text("Đã lưu").wait_for()


def test_import_an_annex_and_take_it_back(desk: Desk, tmp_path: Path) -> None:
    page = desk.log_in(Role.PUBLISHER, "/catalogue/import")
    desk.check()
    shot(page, "catalogue-import", whole=False)
    annex = tmp_path / "phu-luc.xlsx"
    base = base_authority(desk.console)
    annex.write_bytes(workbook(delegation=[{**DELEGATION, "decision": "không có", "from_authority": base}]))
    page.get_by_label("Tệp .xlsx").set_input_files(annex)
    page.get_by_role("button", name="Xem trước").click()
    page.get_by_text("Chưa nạp dòng nào").wait_for()
    desk.check()
    shot(page, "catalogue-refused", whole=False)
    annex.write_bytes(workbook(decision=[DECISION], delegation=[{**DELEGATION, "from_authority": base}]))
    desk.open("/catalogue/import")
    page.get_by_label("Tệp .xlsx").set_input_files(annex)
    page.get_by_role("button", name="Xem trước").press("Enter")
    page.get_by_role("button", name="Nạp 2 thay đổi").wait_for()
    desk.check()
    shot(page, "catalogue-preview", whole=False)
    page.get_by_role("button", name="Nạp 2 thay đổi").press("Enter")
    page.get_by_text("Đã nạp").wait_for()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Hoàn tác lần này").press("Enter")
    page.get_by_text("Đã hoàn tác").first.wait_for()
    desk.check()
    assert "99/QĐ-UBND" not in desk.console.app.state.runtime.catalogue().decisions
    desk.open("/catalogue/import")
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải mẫu Excel").click()
    download.value.save_as(tmp_path / "mau.xlsx")
    assert "delegation" in load_workbook(tmp_path / "mau.xlsx", read_only=True).sheetnames


def test_the_other_pages(desk: Desk) -> None:
    page = desk.log_in("editor", "/catalogue/review?days=400")
    desk.check()
    shot(page, "catalogue-review", whole=False)
    for path in (
        "/catalogue/decisions",
        "/catalogue/decision?number=120%2F2025%2FN%C4%90-CP",
        "/catalogue/table/service_point",
        "/catalogue/edit/delegation?procedure=1.004222",
        "/catalogue/edit/service_point",
        "/catalogue/run/1",
        "/catalogue?q=zzzzqq",
        "/catalogue/procedure/1.004222?place=quan+hoan+kiem",
    ):
        desk.open(path)
        desk.check()
    shot(desk.open("/catalogue/decisions"), "catalogue-decisions", whole=False)
