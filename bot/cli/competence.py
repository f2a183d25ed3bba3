"""`motcua competence` and `motcua decision`: who handles it there and then, and by which document."""

from __future__ import annotations

from datetime import date
from typing import Optional

import typer

from bot.catalogue.answers import day_text
from bot.cli.output import fail, say

ON_HELP = "Ngày: 2024-03-01, 1/3/2024, 3/2024, 2024, “trước 1/7/2025”…; bỏ trống là hôm nay."


def competence_command(
    procedure: str = typer.Argument(..., help="Mã thủ tục, ví dụ 1.004222."),
    unit: str = typer.Option(
        "", "--unit", help='Phường, xã (hoặc quận, huyện trước 1/7/2025), ví dụ "phường Bạch Mai".'
    ),
    on: str = typer.Option("", "--on", help=ON_HELP),
) -> None:
    """Ai có thẩm quyền với một thủ tục, ở một nơi, vào một ngày, và vì sao."""
    from bot.runtime import runtime

    current = runtime()
    writer, catalogue = current.writer(), current.catalogue()
    day = day_of(on, current.settings.today)
    known = catalogue.procedures.get(procedure)
    if known is None:
        raise fail(f"không có thủ tục mã {procedure} trong danh mục")
    say(f"{known.code} {known.name}")
    for code in _units(unit, day):
        where = f"{writer.unit_in_full(catalogue.places.units[code])}, " if code else ""
        for line in writer.competence(known, catalogue.competence(known.code, code, day), code, day):
            say(f"• {where}ngày {day_text(day)}: {line}" if not line.startswith("  ") else line)


def decision_command(
    number: str = typer.Argument(..., help='Số văn bản, ví dụ "4610/QĐ-UBND".'),
    on: str = typer.Option("", "--on", help=ON_HELP),
) -> None:
    """Sổ văn bản biết gì về một quyết định, nghị quyết, nghị định, luật."""
    from bot.catalogue import register
    from bot.runtime import runtime

    current = runtime()
    known = current.catalogue().decisions
    found = register.find(number, known)
    numbers = found.numbers if found else tuple(name for name in known if name.split("/")[0] == number.strip())
    say(current.writer().decisions(number, numbers, day_of(on, current.settings.today)).text)


def day_of(text: str, today: date) -> date:
    """The day of an `--on`; today where there is none."""
    from bot.catalogue.days import parse_day

    try:
        return parse_day(text, today) if text else today
    except ValueError as error:
        raise fail(f"--on: {error}") from error


def _units(text: str, day: date) -> tuple[Optional[str], ...]:
    """The units of a day that a name stands for; a split ward gives all its parts."""
    from bot.runtime import runtime

    if not text:
        return (None,)
    found = runtime().catalogue().places.find(text, day)
    if not found.units:
        raise fail(f"--unit {text}: không thấy phường, xã, quận, huyện nào của Hà Nội tên như vậy")
    return found.units
