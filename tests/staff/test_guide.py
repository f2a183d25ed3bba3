"""The guide for staff shows what there is."""

from __future__ import annotations

import re

from bot.settings import PROJECT_ROOT
from bot.staff import sections

GUIDE = PROJECT_ROOT / "docs" / "huong-dan-can-bo.md"


def test_every_picture_is_there() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", GUIDE.read_text(encoding="utf-8"))
    assert len(pictures) > 10
    assert [name for name in pictures if not (GUIDE.parent / name).is_file()] == []


def test_every_section_of_the_console_is_told_of() -> None:
    headings = " ".join(re.findall(r"^## (.+)$", GUIDE.read_text(encoding="utf-8"), re.M))
    assert [module.TITLE for module in sections.modules() if module.TITLE not in headings] == []
