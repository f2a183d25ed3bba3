from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalogue.places import Found, Mention
from bot.catalogue.records import UnitKind
from bot.catalogue.store import Catalogue
from bot.text import fold
from tests.conftest import TODAY


def names(catalogue: Catalogue, mention: Mention) -> list[str]:
    return [str(catalogue.places.units[code].name) for code in mention.units]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Đăng ký thường trú ở phường Bạch Mai nộp ở đâu?", "Phường Bạch Mai"),
        ("toi o phuong phuc xa quan ba dinh cu, lam giay khai sinh cho con o dau", "Phường Hồng Hà"),
        ("P. Bạch Mai, Q. HBT", "Phường Bạch Mai"),
        ("xa ba vi", "Xã Ba Vì"),
        ("còn ở Láng thì sao", "Phường Láng"),
        ("phường Ngọc Hà", "Phường Ngọc Hà"),
        ("tôi ở p.Văn Miếu - Quốc Tử Giám", "Phường Văn Miếu - Quốc Tử Giám"),
    ],
)
def test_one_unit(catalogue: Catalogue, text: str, unit: str) -> None:
    mention = catalogue.places.find(text, TODAY)
    assert (mention.found, names(catalogue, mention)) == (Found.UNIT, [unit])


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("ở phường Ngọc Hà quận Ba Đình cũ", {"Phường Ba Đình", "Phường Ngọc Hà"}),
        ("phuong dich vong hau cu", {"Phường Cầu Giấy", "Phường Nghĩa Đô"}),
    ],
)
def test_a_split_ward_gives_a_choice(catalogue: Catalogue, text: str, units: set[str]) -> None:
    mention = catalogue.places.find(text, TODAY)
    assert (mention.found, set(names(catalogue, mention))) == (Found.CHOICE, units)


def test_a_former_district_gives_the_wards_it_went_into(catalogue: Catalogue) -> None:
    mention = catalogue.places.find("nhà em ở quận Hoàn Kiếm", TODAY)
    assert mention.found is Found.CHOICE and mention.is_district
    assert names(catalogue, mention)[0] == "Phường Hoàn Kiếm"


@pytest.mark.parametrize("text", ["ở Nam Định thì nộp ở đâu", "tôi đang ở tỉnh Hưng Yên", "o da nang nop the nao"])
def test_another_province_is_told(catalogue: Catalogue, text: str) -> None:
    assert catalogue.places.find(text, TODAY).found is Found.ELSEWHERE


@pytest.mark.parametrize(
    ("text", "aside"),
    [
        ("Con trai tôi đang đi nghĩa vụ ở Lạng Sơn. Nhà tôi bị bão tốc mái, xin trợ cấp ở đâu?", True),
        ("bố ở Hưng Yên một mình, muốn cho cụ vào chung hộ khẩu với tôi thì làm ở đâu", True),
        ("em gái em ở Sài Gòn, giờ em muốn nhập khẩu cho nó thì nộp ở đâu", True),
        ("Em đang ở Nam Định, muốn đăng ký kết hôn thì nộp ở đâu?", False),
        ("nhà tôi ở Nam Định, đăng ký kết hôn nộp ở đâu", False),
        ("đăng ký kết hôn ở Nam Định thì nộp ở đâu", False),
        ("quận Tân Bình, tp.hcm", False),
    ],
)
def test_another_province_may_be_where_somebody_else_is(catalogue: Catalogue, text: str, aside: bool) -> None:
    mention = catalogue.places.find(text, TODAY)
    assert (mention.found, mention.aside) == (Found.ELSEWHERE, aside)


@pytest.mark.parametrize(
    "text",
    [
        "nhà ở xã hội cần gì",
        "Độc lập tự do, cộng hòa xã hội chủ nghĩa",
        "e chuyển hk từ nam định lên hn học",
        "ra phường làm giấy",
        "Chở lợn sang Hoà Bình bán",
        "bồ để lại cho con",
        "",
    ],
)
def test_no_place_where_none_is_meant(catalogue: Catalogue, text: str) -> None:
    assert catalogue.places.find(text, TODAY).found is Found.NOTHING


def test_before_the_reform_a_name_is_the_old_unit(catalogue: Catalogue) -> None:
    mention = catalogue.places.find("phường Bạch Mai quận Hai Bà Trưng", date(2024, 3, 1))
    assert mention.units == ("cu-00292",)
    assert catalogue.places.place("cu-00292").parents == ("cu-quan-hai-ba-trung",)


def test_wrong_accents_are_another_word(catalogue: Catalogue) -> None:
    assert catalogue.places.find("tôi ở Bách Mài", TODAY).found is Found.NOTHING


def test_the_reform_in_figures(catalogue: Catalogue) -> None:
    units = catalogue.places.units.values()
    today = [unit for unit in units if unit.holds_on(TODAY)]
    districts = {UnitKind.URBAN_DISTRICT, UnitKind.RURAL_DISTRICT, UnitKind.TOWN}
    assert len(today) == 126
    assert sum(u.kind in districts for u in units) == 30
    assert sum(u.parent is not None for u in units) == 526
    assert all(set(catalogue.places.successors(u.code)) <= {t.code for t in today} for u in units)


@given(st.data(), st.booleans())
def test_every_ward_is_found_by_its_full_name(catalogue: Catalogue, data: st.DataObject, accented: bool) -> None:
    unit = data.draw(st.sampled_from([u for u in catalogue.places.units.values() if u.holds_on(TODAY)]))
    text = f"tôi ở {unit.name} thì nộp ở đâu"
    mention = catalogue.places.find(text if accented else fold(text), TODAY)
    assert unit.code in mention.units


def test_nearest_unit_by_location(catalogue: Catalogue) -> None:
    near = catalogue.places.nearest(21.0023, 105.8521, TODAY)
    assert near is not None and near.name == "Phường Bạch Mai"
    assert catalogue.places.nearest(10.77, 106.70, TODAY) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("phường Bách Mài", "Phường Bạch Mai"),
        ("phường Ô Chợ Rừa", "Phường Ô Chợ Dừa"),
        ("hang dao hoan kiem", "Phường Hàng Đào"),
        ("nghia tan, CG", "Phường Nghĩa Tân"),
    ],
)
def test_a_misspelt_ward_or_one_with_its_district_is_understood(catalogue: Catalogue, text: str, name: str) -> None:
    assert catalogue.places.find(text, TODAY).name == name


@pytest.mark.parametrize(
    "text",
    ["xã hội hóa y tế", "phường hội", "tôi tên là Nguyễn Bạch Mai", "vợ tên Hoàng Mai", "nhà đông anh em, chia đất"],
)
def test_what_only_sounds_like_a_place_is_none(catalogue: Catalogue, text: str) -> None:
    assert catalogue.places.find(text, TODAY).found is Found.NOTHING


@pytest.mark.parametrize("text", ["TP HCM quận 1", "Bắc Ninh", "quận Tân Bình, tp.hcm", "phường Trần Phú, TP Hà Giang"])
def test_other_provinces_are_told_apart(catalogue: Catalogue, text: str) -> None:
    assert catalogue.places.find(text, TODAY).found is Found.ELSEWHERE
