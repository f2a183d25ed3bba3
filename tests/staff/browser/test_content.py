from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from bot import phrasebook
from bot.catalogue.store import Store
from bot.evaluation import fixed
from bot.phrasebook import Phrasebook
from bot.runtime import Runtime
from bot.settings import settings
from tests.staff.browser.conftest import Desk
from tests.staff.shots import shot

FAQ = "/content/faq/lien-he-phan-anh/duong-day-nong"


@pytest.fixture
def staff_runtime(own_engine: sa.engine.Engine, book: Phrasebook, tmp_path: Path, own_data: Path) -> Runtime:
    return Runtime(replace(settings(), home=tmp_path, nlu_data=own_data), Store(own_engine), lambda: book)


def tab_to(page: Page, selector: str) -> None:
    """Go there by keyboard alone."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by Tab")


def test_an_faq_by_keyboard_alone_with_a_duplicate_refused(desk: Desk, own_data: Path) -> None:
    page = desk.log_in(path="/content")
    desk.check()
    shot(page, "content", whole=False)
    tab_to(page, "#q")
    page.keyboard.type("tong dai 1022 tra loi")
    expect(page.locator(".entry")).to_have_count(1)
    expect(page.locator(".count")).to_contain_text("1 mục")
    desk.open("/content/new?kind=faq")
    tab_to(page, "#question")
    page.keyboard.type("Tôi đi nộp hộ bà ngoại được không?")
    tab_to(page, "#phrasings")
    page.keyboard.type("cháu nộp thay bà ngoại\n1022 là tổng đài gì")
    expect(page.locator("#checks")).to_contain_text("đã có ở “Tổng đài 1022")
    expect(page.locator("#checks")).to_contain_text("ít nhất 3 cách hỏi")
    tab_to(page, "#answer")
    page.keyboard.type("Được, nếu có giấy ủy quyền.")
    tab_to(page, "form.entry-form button:not([type=button])")
    page.keyboard.press("Enter")
    expect(page.locator("#phrasings-error1")).to_be_visible()
    expect(page.locator("#phrasings")).to_be_focused()
    expect(page.locator("#phrasings")).to_have_value("cháu nộp thay bà ngoại\n1022 là tổng đài gì")
    desk.check()
    shot(page, "content-refused")
    page.keyboard.press("Control+A")
    page.keyboard.type("cháu nộp thay bà ngoại\nnộp giùm ông ngoại\ncon dâu nộp thay mẹ chồng")
    tab_to(page, "#source0-title")
    page.keyboard.type("Nghị định 118/2025/NĐ-CP")
    tab_to(page, "#source0-as_of")
    page.keyboard.type("1/7/2025")
    tab_to(page, "#file")
    page.keyboard.press("N")
    expect(page.locator("#checks")).to_contain_text("Chưa thấy chỗ nào cần sửa")
    tab_to(page, "form.entry-form button:not([type=button])")
    page.keyboard.press("Enter")
    page.wait_for_url("**/content/faq/nop-ho-so/toi-di-nop-ho-ba-ngoai-duoc-khong")
    expect(page.get_by_role("status").first).to_contain_text("Đã thêm")
    assert "toi-di-nop-ho-ba-ngoai-duoc-khong" in phrasebook.load(own_data).faq
    desk.check()


def test_the_pages_of_each_kind(desk: Desk) -> None:
    page = desk.log_in(path=FAQ)
    desk.check()
    shot(page, "content-faq")
    page.get_by_role("button", name="Thêm một nguồn nữa").click()
    expect(page.get_by_label("Liên kết (nếu có)")).to_have_count(3)
    page.on("dialog", lambda dialog: dialog.accept())
    desk.open("/content?kind=procedure")
    desk.check()
    shot(page, "content-procedures")
    desk.open("/content/procedure/xuat-nhap-canh/1.001456")
    desk.check()
    desk.open("/content/vague/ho-tich/0")
    page.get_by_label("Tìm thủ tục để thêm").fill("ho chieu pho thong")
    page.locator("#pick-results input").first.check()
    expect(page.locator("#chosen input[type=checkbox]:checked")).to_have_count(5)
    expect(page.locator("#checks")).to_contain_text("đang có 5")
    desk.check()
    shot(page, "content-vague")
    for path in (
        "/content?kind=missing",
        "/content/new?kind=missing",
        "/content/new?kind=procedure",
        "/content/import",
    ):
        desk.open(path)
        desk.check()


def test_both_versions_and_a_broken_file(desk: Desk, own_data: Path) -> None:
    page = desk.log_in(path=FAQ)
    path = own_data / "faq" / "lien-he-phan-anh.yml"
    path.write_text(path.read_text().replace("      - gọi số nào để hỏi thủ tục\n", "      - gọi đâu để hỏi\n", 1))
    page.get_by_label("Người phụ trách").fill("Lan")
    page.get_by_role("button", name="Lưu", exact=True).click()
    expect(page.get_by_role("heading", name="Có hai bản khác nhau")).to_be_visible()
    expect(page.get_by_label("Người phụ trách")).to_have_value("Lan")
    desk.check()
    shot(page, "content-conflict")
    page.get_by_role("button", name="Lưu bản của mình").click()
    expect(page.get_by_text("Đã lưu.")).to_be_visible()
    path.write_text(path.read_text().replace("faq:", "faq", 1))
    desk.open("/content")
    expect(page.get_by_role("alert")).to_contain_text("faq/lien-he-phan-anh.yml")
    desk.check()


def test_excel_out_and_in(desk: Desk, own_data: Path, tmp_path: Path) -> None:
    from openpyxl import load_workbook

    page = desk.log_in(path="/content")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Tải về Excel").click()
    path = tmp_path / "sua.xlsx"
    waiting.value.save_as(path)
    book = load_workbook(path)
    sheet = book["Câu hỏi"]
    heads = [cell.value for cell in sheet[1]]
    wordings = heads.index("Cách hỏi (mỗi dòng một câu)") + 1
    sheet.cell(2, wordings).value += "\nquận cũ của tôi đâu rồi"
    sheet.cell(3, wordings).value = "=1+1"
    book.save(path)
    page.get_by_role("link", name="Nạp từ Excel").click()
    page.get_by_label("Tệp Excel").set_input_files(path)
    page.get_by_role("button", name="Xem trước").click()
    expect(page.get_by_role("status").nth(1)).to_contain_text("1 mục sửa")
    expect(page.locator("table")).to_contain_text("chứa công thức")
    expect(page.locator("table ins")).to_contain_text("quận cũ của tôi đâu rồi")
    desk.check()
    shot(page, "content-import")
    page.get_by_role("button", name="Ghi 1 mục").click()
    expect(page.get_by_text("Đã ghi 1 mục từ Excel")).to_be_visible()
    assert "quận cũ của tôi đâu rồi" in phrasebook.load(own_data).faq["con-quan-huyen-khong"].phrasings


def test_a_fixed_question_by_keyboard_alone(desk: Desk, own_data: Path) -> None:
    page = desk.log_in(path="/content/fixed")
    desk.check()
    shot(page, "fixed", whole=False)
    tab_to(page, "#q")
    page.keyboard.type("xin phieu ly lich")
    expect(page.locator(".entry")).to_have_count(1)
    page.get_by_role("link", name="Thêm câu mới").click()
    tab_to(page, "#ask")
    page.keyboard.type("xin chào")
    expect(page.locator("#checks")).to_contain_text("Câu này đã có")
    tab_to(page, "form.entry-form button")
    page.keyboard.press("Enter")
    expect(page.locator("#ask-error1")).to_be_visible()
    expect(page.locator("#ask")).to_be_focused()
    desk.check()
    page.keyboard.press("Control+A")
    page.keyboard.type("Làm hộ chiếu cho con ở phường Hồng Hà\nthế hết bao nhiêu tiền")
    tab_to(page, "#pick_procedure")
    page.keyboard.type("ho chieu pho thong")
    expect(page.locator("#procedure-results input").first).to_have_value("1.001456")
    tab_to(page, "#procedure-results input")
    page.keyboard.press("Space")
    expect(page.locator("#procedure")).to_have_value("1.001456")
    expect(page.locator("#procedure-hint")).to_contain_text("hộ chiếu")
    tab_to(page, "#facet")
    page.keyboard.press("l")
    tab_to(page, "#unit")
    page.keyboard.type("hong ha")
    expect(page.locator("#checks")).to_contain_text("Chưa thấy chỗ nào cần sửa")
    page.locator("summary").click()
    desk.check()
    with page.expect_popup() as tried:
        page.get_by_role("button", name="Hỏi thử ngay").click()
    expect(tried.value.get_by_label("Câu hỏi", exact=True)).to_have_value(
        "Làm hộ chiếu cho con ở phường Hồng Hà\nthế hết bao nhiêu tiền"
    )
    tried.value.close()
    page.get_by_role("button", name="Lưu", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Đã thêm.")).to_be_visible()
    expect(page.get_by_label("Phường, xã")).to_have_value("Phường Hồng Hà")
    desk.check()
    shot(page, "fixed-form")
    asked = fixed.read(own_data)[-1]
    assert asked.expect == fixed.Expect(procedure="1.001456", facet="fee", unit="Phường Hồng Hà")
