from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalogue.days import find_day, parse_day
from bot.text import fold
from tests.conftest import TODAY


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("năm 2024 thì nộp ở đâu", date(2024, 12, 31)),
        ("Đổi bằng lái xe năm 2024 thì nộp ở đâu?", date(2024, 12, 31)),
        ("thế hồi năm 2023, ai giải quyết", date(2023, 12, 31)),
        ("trước 1/7/2025 thì ai giải quyết", date(2025, 6, 30)),
        ("trước tháng 7 năm 2025 thì ai giải quyết", date(2025, 6, 30)),
        ("trước tháng 7/2025 thì ở đâu", date(2025, 6, 30)),
        ("ngày 28/2/2025 thì đổi gplx ở đâu", date(2025, 2, 28)),
        ("ngày 1 tháng 3 năm 2025 thì sao", date(2025, 3, 1)),
        ("tháng 2/2024 thì sao", date(2024, 2, 29)),
        ("đăng ký khai sinh nộp ở đâu hồi 2024", date(2024, 12, 31)),
        ("thế năm ngoái thì nộp ở đâu", date(2025, 12, 31)),
        ("trước khi sáp nhập thì ở đâu", date(2025, 6, 30)),
        ("hồi còn quận thì nộp chỗ nào", date(2025, 6, 30)),
        ("năm 2026 thì nộp ở đâu", TODAY),
        ("thế bây giờ thì nộp ở đâu", TODAY),
        ("năm 2027 thì nộp ở đâu", date(2027, 1, 1)),
        ("hồi tháng 3/2024", date(2024, 3, 31)),
        ("trước 1/7/2025", date(2025, 6, 30)),
        ("sang năm thì nộp ở đâu", date(2027, 1, 1)),
        ("năm sau nộp ở đâu", date(2027, 1, 1)),
        ("năm kia nộp ở đâu", date(2024, 12, 31)),
        ("tháng trước thì nộp ở đâu", date(2026, 10, 31)),
        ("hôm qua thì sao", date(2026, 11, 22)),
        ("2 năm trước thì nộp ở đâu", date(2024, 11, 23)),
        ("cách đây 2 năm thì nộp ở đâu", date(2024, 11, 23)),
        ("đầu năm 2025 nộp ở đâu", date(2025, 1, 1)),
        ("ở Long Biên hồi đầu 2025 đổi bằng lái ở đâu", date(2025, 1, 1)),
        ("cuối năm 2024 thì nộp ở đâu", date(2024, 12, 31)),
        ("quý 1/2024 thì sao", date(2024, 3, 31)),
        ("sau ngày 1/3/2027 thì nộp ở đâu", date(2027, 3, 2)),
        ("kể từ 1/3/2025 thì đổi bằng lái ở đâu", TODAY),
        ("tính đến 2/3/2027 thì ai giải quyết", date(2027, 3, 2)),
        ("2024-03-01 thì nộp ở đâu", date(2024, 3, 1)),
        ("ngày 01.03.2024 nộp ở đâu", date(2024, 3, 1)),
        ("28/2/25 thì đổi bằng ở đâu", date(2025, 2, 28)),
        ("ngày 28/2 năm ngoái nộp ở đâu", date(2025, 2, 28)),
        ("10h ngày 28/2/2025 ở Long Biên đổi bằng lái ở đâu", date(2025, 2, 28)),
        ("năm 24 thì nộp ở đâu", date(2024, 12, 31)),
        ("đăng ký thường trú năm 2024 nộp ở đâu", date(2024, 12, 31)),
        ("đăng ký khai sinh năm 2024 thì nộp ở đâu", date(2024, 12, 31)),
        ("đổi bằng lái xe tháng 2 năm 2025 ở đâu", date(2025, 2, 28)),
        ("nộp ở đâu năm 2024", date(2024, 12, 31)),
    ],
)
def test_the_day_that_is_asked_about(text: str, day: date) -> None:
    for written in (text, fold(text)):
        found = find_day(written, TODAY)
        assert found is not None and found.day == day


@pytest.mark.parametrize(
    "text",
    [
        "đăng ký khai sinh ở đâu",
        "con tôi sinh năm 2024 thì đăng ký khai sinh ở đâu",
        "bố mẹ tôi được phân nhà từ năm 1985, giờ ký lại hợp đồng ở đâu",
        "sổ đỏ cấp ngày 3/5/2018 bị mất thì làm lại ở đâu",
        "em cưới năm 2019 giờ xin trích lục ở đâu",
        "nghị định 120/2025 quy định gì",
        "nhà em mua năm 2020 thì sang tên thế nào",
        "số điện thoại 0912 345 678",
        "tôi cưới tháng 3/2024 thì xin trích lục ở đâu",
        "bằng lái hết hạn 28/2/2025 thì đổi ở đâu",
        "giấy phép có giá trị đến 1/7/2025 thì gia hạn ở đâu",
        "năm 2024 tôi mất xe thì báo ở đâu",
        "sang năm con tôi 6 tuổi thì đăng ký học ở đâu",
        "cho thuê nhà từ năm 2022 nộp thuế ở đâu",
        "đăng ký kết hôn năm 2019 giờ xin trích lục ở đâu",
        "hợp đồng ký ngày 1/7/2024 thì công chứng ở đâu",
        "xe đăng ký năm 2020 sang tên ở đâu",
        "số nhà 12/3/2024 đường Láng",
        "ngày 31/2/2024 thì nộp ở đâu",
        "mấy năm trước nộp ở đâu",
        "nghị định 20/2024 nói gì",
    ],
)
def test_dates_of_peoples_lives_are_not(text: str) -> None:
    assert find_day(text, TODAY) is None


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    found = find_day(text, TODAY)
    assert found is None or 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-03-01", date(2024, 3, 1)),
        ("2024-3-1", date(2024, 3, 1)),
        ("20240301", date(2024, 3, 1)),
        ("2025-02-28 10:59", date(2025, 2, 28)),
        (" 1/3/2024 ", date(2024, 3, 1)),
        ("01-03-2024", date(2024, 3, 1)),
        ("ngày 1 tháng 3 năm 2024", date(2024, 3, 1)),
        ("tháng 2/2024", date(2024, 2, 29)),
        ("2/2024", date(2024, 2, 29)),
        ("2024", date(2024, 12, 31)),
        ("nam ngoai", date(2025, 12, 31)),
        ("trước 1/7/2025", date(2025, 6, 30)),
        ("1999-01-01", date(1999, 1, 1)),
    ],
)
def test_a_day_alone_is_read_as_people_write_it(text: str, day: date) -> None:
    assert parse_day(text, TODAY) == day


@pytest.mark.parametrize("text", ["", "31/2/2024", "2024-13-01", "hôm nào đó", "1/3/2024 nhé"])
def test_what_is_no_day_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="2024-03-01"):
        parse_day(text, TODAY)


@given(st.dates(date(2015, 1, 1), date(2099, 12, 31)))
def test_every_day_is_read_back_in_every_way_it_is_written(day: date) -> None:
    for written in (
        f"{day}",
        f"{day:%d/%m/%Y}",
        f"{day.day}-{day.month}-{day.year}",
        f"ngày {day.day}.{day.month}.{day.year}",
    ):
        assert parse_day(written, TODAY) == day
        found = find_day(f"{written} thì nộp ở đâu", TODAY)
        assert found is not None and found.day == day
