"""The figures that were announced in 2022 and 2023, compared only with each other."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path

from bot.catalogue.report.shapes import (
    Check,
    Figure,
    exact_percent,
    number_text,
    percent,
)

ANNOUNCED = Path(__file__).parent / "announced.csv"


@lru_cache(maxsize=1)
def announced_figures() -> tuple[Figure, ...]:
    """What the city and the press announced on 4610/QĐ-UBND and in July 2023, as shipped in `announced.csv`."""
    with ANNOUNCED.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    cells = [dict(zip(header, row)) for row in rows]
    return tuple(Figure(value=Decimal(row.pop("value")), **row) for row in cells)


def check_figures(figures: Iterable[Figure]) -> tuple[Check, ...]:
    """Whether the announced figures add up, and whether the announced rates are those of the announced counts."""
    figures = list(figures)
    value = {figure.code: figure.value for figure in figures}
    breakdown = [figure.value for figure in figures if figure.group == "phan_bo_4610"]
    plan, earlier, both = value["ke_hoach"], value["giao_truoc"], value["ke_ca_giao_truoc"]
    total, base, rate = value["tong"], value["mau_so"], value["ty_le_ke_hoach"]
    levels = [value["cap_thanh_pho"], value["cap_huyen"], value["cap_xa"]]
    decided = value["da_quyet_dinh"]
    counted = f" Số này tính cả {number_text(both - plan)} thủ tục ngoài kế hoạch, đã giao từ trước."
    left = f" Còn {number_text(plan - decided)} thủ tục trong kế hoạch chưa có quyết định."
    left += _of_all(decided, base, total)
    return (
        _sum_check("Ba cấp cộng lại", levels, total),
        _same_check("Hai tổng số thủ tục", total, base),
        _rate_check("Tỷ lệ kế hoạch trên mẫu số đã nêu", plan, base, rate),
        _rate_check("Tỷ lệ kế hoạch trên tổng ba cấp", plan, total, rate),
        _rate_check("Tỷ lệ kể cả phần đã giao từ trước", both, base, rate, counted),
        _sum_check("Kế hoạch và phần đã giao từ trước", [plan, earlier], both),
        _sum_check("Phân bổ theo Quyết định 4610/QĐ-UBND", breakdown, plan),
        _rate_check("Tỷ lệ đã có quyết định", decided, plan, value["ty_le_da_quyet_dinh"], left),
        *_STATEMENTS,
    )


_STATEMENTS = (
    Check(
        "Quy trình nội bộ của thủ tục được ủy quyền",
        False,
        "Chỗ thì nêu 100 % đã có quy trình nội bộ, chỗ thì nêu “đều cơ bản đã có”; một chỗ nói về ủy quyền, "
        "một chỗ nói về phân cấp, nên chưa coi là một số.",
    ),
    Check(
        "Kỳ của tổng số 1.867",
        False,
        "Được nêu là số “từ năm 2021 đến quý I/2023”, nhưng tổng số thủ tục là số tại một thời điểm, "
        "không phải số của một kỳ.",
    ),
    Check(
        "Phân cấp, phân quyền, ủy quyền",
        False,
        "Câu “ủy quyền đến đâu thì phân cấp, phân quyền đến đó” gộp ba khái niệm pháp lý khác nhau; "
        "báo cáo này đếm riêng từng hình thức.",
    ),
    Check(
        "Căn cứ của từng thủ tục",
        False,
        "Bài công bố không nêu bên nhận, số quyết định, ngày và thời hạn của từng thủ tục, nên không suy ra được "
        "nơi giải quyết.",
    ),
    Check(
        "Chữ trong bài công bố",
        False,
        "Bài ghi “tục hành chính” ở chỗ lẽ ra là “thủ tục hành chính”: văn bản bị rơi chữ, cần đối chiếu bản gốc.",
    ),
)
"""What does not fit in the words of the announcement, beside its figures."""


def _of_all(decided: Decimal, base: Decimal, total: Decimal) -> str:
    shares = (f"{number_text(decided)}/{number_text(n)} = {number_text(percent(decided, n))} %" for n in (base, total))
    return f" Trên mọi thủ tục thì {'; '.join(shares)}."


def _sum_check(subject: str, parts: Sequence[Decimal], total: Decimal) -> Check:
    found = sum(parts, Decimal(0))
    verdict = "khớp" if found == total else f"lệch {number_text(abs(found - total))} so"
    done = f"{' + '.join(map(number_text, parts))} = {number_text(found)}"
    return Check(subject, found == total, f"{done}, {verdict} với {number_text(total)} đã công bố.")


def _same_check(subject: str, first: Decimal, second: Decimal) -> Check:
    numbers = f"Nguồn nêu {number_text(first)} và {number_text(second)}"
    if first == second:
        return Check(subject, True, f"{numbers}: trùng nhau.")
    return Check(subject, False, f"{numbers}: lệch {number_text(abs(first - second))}, chưa thấy nguồn nào giải thích.")


def _rate_check(subject: str, part: Decimal, whole: Decimal, reported: Decimal, if_so: str = "") -> Check:
    # 37 % was announced without decimals, 86,06 % with two: each is held to its own precision.
    agrees = exact_percent(part, whole).quantize(reported, ROUND_HALF_UP) == reported
    done = f"{number_text(part)}/{number_text(whole)} = {number_text(percent(part, whole))} %"
    verdict = "khớp" if agrees else "không khớp"
    return Check(
        subject, agrees, f"{done}, {verdict} với {number_text(reported)} % đã công bố.{if_so if agrees else ''}"
    )
