"""An entry as a form: what was typed, what it means, and what is shown again when it is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from bot.editing.checks import Finding, Grade
from bot.editing.editor import Item, Kind, plain
from bot.editing.values import a_date, paragraphs, rows
from bot.staff import access
from bot.staff.pages import page
from bot.text import clean

SPARE_SOURCES = 1
"""Empty rows for one more source."""
MOST_SOURCES = 8


@dataclass
class Draft:
    """What a form holds."""

    kind: Kind
    file: str = ""
    key: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    """As they would be written; a date that was not understood stays as typed."""
    version: str = ""
    """Of the entry when the form was opened; empty: it is new."""

    @property
    def phrasings(self) -> str:
        return "\n".join(self.values.get("phrasings") or [])

    @property
    def sources(self) -> list[Mapping[str, Any]]:
        """With an empty row for one more."""
        given = list(self.values.get("sources") or [])
        spare = SPARE_SOURCES if len(given) < MOST_SOURCES else 0
        return [*given, *([{}] * spare)]

    @property
    def usable(self) -> dict[str, Any]:
        return plain(self.kind, self.values)


def of_item(item: Item) -> Draft:
    return Draft(item.kind, item.file, item.key, dict(item.values), item.version)


def of_form(kind: Kind, form: FormData, own: Optional[Item]) -> Draft:
    """What was typed, tidied (composed letters, single blanks), nothing left out."""

    def text(name: str) -> str:
        value = form.get(name)
        return value if isinstance(value, str) else ""

    values: dict[str, Any] = {}
    for name in ("question", "name", "field", "keyword", "owner"):
        if name in kind.fields:
            values[name] = clean(text(name))
    if "review" in kind.fields:
        values["review"] = a_date(text("review"))
    values["phrasings"] = rows(text("phrasings"))
    if "answer" in kind.fields:
        values["answer"] = paragraphs(text("answer"))
    if "choices" in kind.fields:
        typed = re.split(r"[\s,;]+", text("choice_add"))
        ranks = {code: text(f"rank:{code}") for code in _texts(form, "choices")}
        chosen = sorted(_texts(form, "choices"), key=lambda code: int(ranks[code]) if ranks[code].isdigit() else 99)
        values["choices"] = [code for code in dict.fromkeys([*chosen, *typed]) if code]
    if "sources" in kind.fields:
        values["sources"] = _sources(form)
    if own is not None and own.retired:
        values["retired"] = True
    key = own.key if own else clean(text("key"))
    return Draft(kind, text("file") or (own.file if own else ""), key, values, text("version"))


def _texts(form: FormData, name: str) -> list[str]:
    return [each for each in form.getlist(name) if isinstance(each, str)]


def _sources(form: FormData) -> list[dict[str, Any]]:
    columns = [_texts(form, f"source_{name}") for name in ("title", "url", "as_of")]
    found = []
    for title, url, as_of in zip(*columns):
        row = {"title": clean(title), "url": clean(url) or None, "as_of": a_date(as_of)}
        if row["title"] or row["url"] or row["as_of"]:
            found.append(row)
    return found


def stops(findings: Sequence[Finding], sure: bool) -> bool:
    """Whether an entry may not be written. `sure`: what was asked is meant so."""
    return any(each.grade is Grade.REFUSED or (each.grade is Grade.ASKED and not sure) for each in findings)


def by_field(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    told: dict[str, list[Finding]] = {}
    for each in findings:
        told.setdefault(each.field, []).append(each)
    return told


def checked(request: Request, findings: Sequence[Finding], address: Callable[[Item], str]) -> Response:
    """The part of a form that says what is wrong with it.

    Args:
        address: where an entry's form is.
    """
    return page(
        request,
        "content/_checks.html",
        findings=findings,
        address=address,
        sure=bool(access.field(request, "sure")),
        asks=any(each.grade is Grade.ASKED for each in findings),
    )
