from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot.catalogue import check
from bot.catalogue.check import CONTRADICTION, EXPIRED, EXPIRING, GAP, OVERLAP
from bot.catalogue.competence import Rules
from bot.catalogue.store import Catalogue
from tests.catalogue.test_report import BIRTH, catalogue_of, delegation


def found(catalogue: Catalogue, severity: str, day: date) -> list[str]:
    return [
        f"{finding.key}: {finding.problem}" for finding in check.check(catalogue, day) if finding.severity == severity
    ]


def test_sixty_days_before_the_decrees_end_they_are_listed(catalogue: Catalogue) -> None:
    listed = check.expiring(catalogue, date(2027, 1, 15))
    decisions = {finding.key for finding in listed if finding.table == "decision"}
    assert {"120/2025/NĐ-CP", "125/2025/NĐ-CP", "140/2025/NĐ-CP", "151/2025/NĐ-CP"} <= decisions
    assert any(finding.key == "1.001612 / 125/2025/NĐ-CP" for finding in listed)
    assert not check.expiring(catalogue, date(2026, 11, 23))
    assert check.expiring(catalogue, date(2026, 11, 23), days=100)


def test_the_day_after_nothing_rests_on_them(catalogue: Catalogue) -> None:
    day = date(2027, 3, 2)
    ended = {number for number, row in catalogue.decisions.items() if row.valid_to and row.valid_to < day}
    for procedure in catalogue.rules.base:
        chain = catalogue.competence(procedure, None, day).chain
        assert not any(row.decision in ended for row in chain)
    gaps = found(catalogue, GAP, day)
    assert any(line.startswith("1.013978:") for line in gaps)
    assert not check.expiring(catalogue, day)


def test_the_shipped_catalogue_has_no_contradiction(catalogue: Catalogue) -> None:
    assert not found(catalogue, CONTRADICTION, date(2026, 11, 23))
    assert not found(catalogue, GAP, date(2026, 11, 23))


@pytest.mark.parametrize("days", [0, 30, 3650])
def test_what_ends_is_in_order(catalogue: Catalogue, days: int) -> None:
    today = date(2026, 11, 23)
    ends = [finding.problem for finding in check.expiring(catalogue, today, days)]
    assert all(finding.severity == EXPIRING for finding in check.expiring(catalogue, today, days))
    assert ends == sorted(ends, key=lambda text: text.split("ngày ")[1][:10])


TODAY = date(2026, 11, 23)


def test_two_in_force_for_one_body_overlap() -> None:
    old, new = delegation(BIRTH, valid_from="2026-01-01"), delegation(BIRTH, to_authority="so", valid_from="2026-06-01")
    assert len(found(catalogue_of(old, new), OVERLAP, TODAY)) == 1
    here, there = ({"scope": "chi", "units": [unit]} for unit in ("p1", "p2"))
    apart = catalogue_of(
        delegation(BIRTH, **here), delegation(BIRTH, to_authority="so", valid_from="2026-06-01", **there)
    )
    assert not found(apart, OVERLAP, TODAY)


def test_a_delegation_to_a_unit_that_is_gone_is_a_gap() -> None:
    assert "Xã Trước" in found(catalogue_of(delegation(BIRTH, scope="chi", units=["x0"])), GAP, TODAY)[0]
    assert not found(catalogue_of(delegation(BIRTH, scope="chi", units=["p1"])), GAP, TODAY)


def test_what_rests_on_an_ended_decision_is_told() -> None:
    assert "đã hết hiệu lực" in " ".join(found(catalogue_of(delegation(BIRTH, decision="2/QĐ")), EXPIRED, TODAY))


def test_two_of_equal_rank_contradict() -> None:
    assert found(catalogue_of(delegation(BIRTH), delegation(BIRTH, to_authority="so")), CONTRADICTION, TODAY)


def test_a_mandate_that_is_handed_on_is_a_contradiction() -> None:
    first = delegation(BIRTH, to_authority="so", kind="uy_quyen")
    again = delegation(BIRTH, from_authority="so", to_authority="xa", decision="4/QĐ")
    assert "ủy quyền tiếp" in found(catalogue_of(first, again), CONTRADICTION, TODAY)[-1]
    devolved = delegation(BIRTH, to_authority="so")
    assert not [line for line in found(catalogue_of(devolved, again), CONTRADICTION, TODAY) if "ủy quyền tiếp" in line]


def test_a_circle_is_a_contradiction() -> None:
    there, back = delegation(BIRTH, to_authority="so"), delegation(BIRTH, from_authority="so", to_authority="tp")
    assert "vòng tròn" in found(catalogue_of(there, back), CONTRADICTION, TODAY)[0]


def test_nobody_gives_what_he_has_not() -> None:
    stray = delegation(BIRTH, from_authority="so", to_authority="xa")
    assert "không có thẩm quyền" in found(catalogue_of(stray), CONTRADICTION, TODAY)[0]


def test_a_contradiction_that_begins_later_is_told_today() -> None:
    later = delegation(BIRTH, valid_from="2027-06-01"), delegation(BIRTH, to_authority="so", valid_from="2027-06-01")
    assert found(catalogue_of(*later), CONTRADICTION, TODAY)


def test_a_contradiction_in_one_place_only_is_found() -> None:
    here = {"scope": "chi", "units": ["p2"]}
    catalogue = catalogue_of(delegation(BIRTH, **here), delegation(BIRTH, to_authority="so", **here))
    assert "cùng hạng" in found(catalogue, CONTRADICTION, TODAY)[0]


def test_two_of_the_same_are_an_overlap() -> None:
    twice = catalogue_of(delegation(BIRTH), delegation(BIRTH, decision="4/QĐ"))
    assert "trùng" in found(twice, OVERLAP, TODAY)[0]


def test_all_but_one_and_all_but_another_overlap() -> None:
    first = delegation(BIRTH, scope="tru", units=["p1"], valid_from="2026-01-01")
    second = delegation(BIRTH, to_authority="so", scope="tru", units=["p2"], valid_from="2026-02-01")
    assert found(catalogue_of(first, second), OVERLAP, TODAY)


def test_what_rests_on_a_replaced_decision_is_told_and_not_in_force() -> None:
    catalogue = catalogue_of(delegation(BIRTH))
    old = catalogue.decisions["1/QĐ"].copy(update={"replaced_by": "9/QĐ"})
    new = catalogue.decisions["1/QĐ"].copy(update={"number": "9/QĐ", "valid_from": date(2026, 10, 1)})
    catalogue = replace(
        catalogue,
        decisions={"1/QĐ": old, "9/QĐ": new},
        rules=Rules.of(
            [row for rows in catalogue.rules.base.values() for row in rows],
            [delegation(BIRTH)],
            [old, new],
            catalogue.rules.levels,
        ),
    )
    assert catalogue.competence(BIRTH, None, date(2026, 9, 30)).chain
    assert not catalogue.competence(BIRTH, None, date(2026, 10, 1)).chain
    assert any("đã được thay bằng 9/QĐ" in line for line in found(catalogue, EXPIRED, TODAY))
    assert [row.key for row in check.expiring(catalogue, date(2026, 9, 1))] == ["1/QĐ", f"{BIRTH} / 1/QĐ"]


def test_a_plan_whose_day_has_passed_is_told() -> None:
    planned = delegation(BIRTH, stage="du_kien", valid_from="2026-01-01")
    assert "chưa có quyết định" in " ".join(found(catalogue_of(planned), EXPIRED, TODAY))


def test_a_hole_between_two_base_authorities_is_a_gap() -> None:
    catalogue = catalogue_of()
    row = catalogue.rules.base[BIRTH][0]
    holed = [
        row.copy(update={"valid_from": None, "valid_to": date(2025, 2, 27)}),
        row.copy(update={"valid_from": date(2025, 3, 1), "valid_to": None}),
    ]
    catalogue = replace(catalogue, rules=replace(catalogue.rules, base={**catalogue.rules.base, BIRTH: holed}))
    assert "không rõ" in found(catalogue, GAP, TODAY)[0]
    ended = {BIRTH: [row.copy(update={"valid_from": None, "valid_to": date(2025, 2, 27)})]}
    catalogue = replace(catalogue, rules=replace(catalogue.rules, base=ended))
    assert "không còn" in found(catalogue, GAP, TODAY)[0]
