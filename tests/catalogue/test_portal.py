from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bot.catalogue import portal
from bot.catalogue.records import BaseCompetence, Procedure, TimeUnit
from bot.catalogue.store import Catalogue


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 Ngày làm việc", (Decimal(3), None, TimeUnit.WORKING_DAY)),
        ("2 Ngày làm việc; 10 Ngày làm việc", (Decimal(2), Decimal(10), TimeUnit.WORKING_DAY)),
        ("01 Giờ", (Decimal(1), None, TimeUnit.HOUR)),
        ("0.5 Giờ", (Decimal("0.5"), None, TimeUnit.HOUR)),
        ("1", (None, None, None)),
        ("1 Ngày làm việc; 02 Giờ", (None, None, None)),
        ("0 Giờ", (None, None, None)),
        ("Không quy định", (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_a_time_needs_a_number_and_one_unit(text: str | None, expected: tuple[Any, ...]) -> None:
    assert portal.parse_time(text) == expected


@pytest.mark.parametrize(
    ("text", "fee"),
    [
        ("70,000 VNĐ(70.000 đồng/Giấy chứng nhận)", 70_000),
        ("500,000 Việt Nam Đồng", 500_000),
        ("Miễn phí", None),
        (",000 VNĐ(Theo khoản 1)", None),
        ("50 VNĐ", None),
        (
            "800,000 Việt Nam Đồng((áp dụng mức phí 400.000 đồng/hồ sơ kể từ ngày 01/7/2025 đến hết ngày 31/12/2026",
            None,
        ),
        ("25 USD(một lần); 5 USD(khác)", None),
        (None, None),
    ],
)
def test_only_one_plain_amount_is_a_fee(text: str | None, fee: int | None) -> None:
    assert portal.parse_fee(text) == fee


def record(**changes: Any) -> dict[str, Any]:
    row = {
        "code": "1.000001",
        "name": "Thủ tục cấp giấy phép thử",
        "level": ["xa"],
        "field": "Thử",
        "ministry": "bo-tu-phap",
        "agency": "Ủy ban Nhân dân xã, phường, thị trấn.",
        "time_limit": "3 Ngày làm việc",
        "fee": "Miễn phí",
        "online": True,
        "online_url": "https://dichvucong.gov.vn/thu-tuc-hanh-chinh/019d",
        "legal_basis": ["123/2015/NĐ-CP", "rác"],
        "source_repo": "x/y",
        "snapshot": "2026-07-20",
        "detail": "full",
    }
    return {**row, **changes}


def read(catalogue: Catalogue, **changes: Any) -> tuple[Procedure, BaseCompetence | None]:
    made = portal.to_records(record(**changes), portal.AgencyNames.of(catalogue.authorities.values()))
    assert isinstance(made[0], Procedure)
    base = made[1] if len(made) > 1 else None
    assert base is None or isinstance(base, BaseCompetence)
    return made[0], base


def test_a_record_keeps_facts_only(catalogue: Catalogue) -> None:
    procedure, base = read(catalogue)
    assert procedure.name == "Cấp giấy phép thử"
    assert procedure.legal_basis == ["123/2015/NĐ-CP"]
    assert procedure.fee_vnd is None, "a bare 'Miễn phí' is no fact"
    assert base is not None and (base.authority, base.certain) == ("ubnd-xa", True)


def test_an_agency_that_is_not_named_is_derived_and_not_certain(catalogue: Catalogue) -> None:
    _, base = read(catalogue, agency=None, quality_flags=["agency_missing"])
    assert base is not None and (base.authority, base.certain) == ("ubnd-xa", False)


def test_a_hanoi_office_in_a_national_record_is_not_certain(catalogue: Catalogue) -> None:
    _, base = read(
        catalogue,
        level=["tinh"],
        agency="Sở Tư pháp Thành phố Hà Nội",
        quality_flags=["agency_names_hanoi_but_national_catalogue"],
    )
    assert base is not None and (base.authority, base.certain) == ("so-tu-phap", False)


def test_dead_links_are_dropped(catalogue: Catalogue) -> None:
    old = "https://dichvucong.gov.vn/p/home/dvc-chi-tiet-thu-tuc-hanh-chinh.html?ma_thu_tuc=1.000001"
    assert read(catalogue, online_url=old)[0].online_url is None


def test_who_decides_and_who_takes_the_papers_are_told_apart(catalogue: Catalogue) -> None:
    _, base = read(
        catalogue, level=["tinh"], agency="Sở Tư pháp", competent_authority="Chủ tịch ủy ban nhân dân cấp tỉnh"
    )
    assert base is not None and (base.authority, base.handler) == ("ct-ubnd-tp", "so-tu-phap")
