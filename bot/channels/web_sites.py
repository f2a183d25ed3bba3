"""The websites that may show the chat, and how it looks there: `sites.yml`, checked whole before the server starts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Optional
from urllib.parse import urlsplit

from pydantic import BaseModel, Extra, Field, ValidationError, root_validator, validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

OWN = "self"
"""The origin by which `sites.yml` names the bot's own pages."""
READABLE = 4.5
"""Least contrast of text on its background (WCAG 2.2, 1.4.3)."""
SUGGESTIONS = (
    "Đăng ký khai sinh cho con ở đâu?",
    "Đăng ký thường trú cần giấy tờ gì?",
    "Làm lại thẻ căn cước mất bao lâu?",
    "Mở hộ kinh doanh nộp ở đâu?",
)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


class Colors(BaseModel):
    """`#rrggbb` each."""

    accent: str = "#9d1c20"
    on_accent: str = "#ffffff"

    class Config:
        extra = Extra.forbid

    @validator("accent", "on_accent")
    def _is_color(cls, value: str) -> str:
        if not _COLOR.fullmatch(value):
            raise ValueError(f"{value!r} cần dạng #rrggbb")
        return value.lower()

    @root_validator(skip_on_failure=True)
    def _is_readable(cls, values: dict[str, Any]) -> dict[str, Any]:
        contrast = _contrast(values["accent"], values["on_accent"])
        if contrast < READABLE:
            raise ValueError(f"chữ on_accent trên nền accent khó đọc: tương phản {contrast:.1f}, cần {READABLE}")
        return values


class Site(BaseModel):
    """One website."""

    origin: str
    title: str = Field(default="Hỏi Một Cửa", min_length=1, max_length=60)
    colors: Colors = Field(default_factory=Colors)
    unit: Optional[str] = None
    """Code of the ward that is meant where nobody names another; in the file its name will do."""
    lang: Literal["vi", "en"] = "vi"
    suggestions: tuple[str, ...] = SUGGESTIONS

    class Config:
        extra = Extra.forbid

    @validator("origin")
    def _is_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        plain = f"{parts.scheme}://{parts.netloc}"
        if value != OWN and (parts.scheme not in ("http", "https") or not parts.hostname or value != plain):
            raise ValueError(f'{value!r} cần dạng https://tên-miền, không có đường dẫn hay dấu / ở cuối (hoặc "{OWN}")')
        return value.lower()

    @validator("suggestions", each_item=True)
    def _is_short(cls, value: str) -> str:
        if not 0 < len(value) <= 100:
            raise ValueError("mỗi câu gợi ý dài 1 đến 100 ký tự")
        return value


class Sites:
    """The sites by origin."""

    def __init__(self, sites: list[Site]) -> None:
        self._sites = {site.origin: site for site in sites}
        self.own = self._sites.pop(OWN, Site(origin=OWN))

    def at(self, origin: str, host: str) -> Optional[Site]:
        """The site that an origin stands for; the bot's own for pages of `host`; None where it is not allowed."""
        found = self._sites.get(origin.lower())
        parts = urlsplit(origin)
        is_own = parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower() != ""
        return found or (self.own if is_own else None)


def load(path: Path, unit_code: Callable[[str], Optional[str]]) -> Sites:
    """Read `sites.yml`.

    Args:
        unit_code: code of a unit by its code or name; None if there is no such unit.

    Raises:
        ValueError: the file cannot be used; the message names it, the site and the field.
    """
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise ValueError(f"{path}: không đọc được: {error}") from error
    rows = content.get("sites") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise ValueError(f'{path}: cần "sites:" và một danh sách trang web.')
    sites = [_site(path, number, row, unit_code) for number, row in enumerate(rows, 1)]
    origins = [site.origin for site in sites]
    twice = next((origin for origin in origins if origins.count(origin) > 1), None)
    if twice:
        raise ValueError(f"{path}: origin {twice} có hai lần.")
    return Sites(sites)


def _site(path: Path, number: int, row: object, unit_code: Callable[[str], Optional[str]]) -> Site:
    where = f"{path}: trang thứ {number}"
    if not isinstance(row, dict):
        raise ValueError(f"{where}: cần các dòng như origin, title.")
    where += f" ({row.get('origin', 'chưa có origin')})"
    try:
        site = Site.parse_obj(row)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ValueError(f"{where}: {problems}.") from error
    if site.unit is None:
        return site
    code = unit_code(site.unit)
    if code is None:
        raise ValueError(f"{where}: unit: không có phường, xã nào là {site.unit!r}.")
    return site.copy(update={"unit": code})


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    """Relative luminance, as WCAG defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
