"""Reads an evaluation file: JSON lines, each a question, a dialogue or a place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, Union

from pydantic import BaseModel, ValidationError


class BadQuestion(ValueError):
    """A line of the file cannot be used; the message says which and why (in Vietnamese)."""


class Case(BaseModel):
    """A question and what is right for it."""

    id: str
    text: str
    kind: str
    facet: Optional[str] = None
    codes: tuple[str, ...] = ()
    also_ok: tuple[str, ...] = ()
    style: str = ""

    class Config:
        frozen = True


class Expectation(BaseModel):
    """What must be true of the answer to one turn; what is not named does not matter."""

    kind: tuple[str, ...] = ()
    """Any of these kinds of the payload."""
    procedure: tuple[str, ...] = ()
    """Any of these is what the answer is about (or, where choices are allowed, is offered)."""
    facets: tuple[str, ...] = ()
    """All of these are answered."""
    unit: Optional[str] = None
    choices: tuple[str, ...] = ()
    """At least two of these are offered."""
    not_procedure: bool = False
    pick: Optional[int] = None
    """The answer is about the one that was offered at this place (1 is the first) in the answer before."""

    class Config:
        frozen = True


class TurnCase(BaseModel):
    user: str
    expect: Expectation

    class Config:
        frozen = True


class DialogueCase(BaseModel):
    """A conversation, turn by turn."""

    id: str
    turns: tuple[TurnCase, ...]

    class Config:
        frozen = True


class PlaceCase(BaseModel):
    """A text that names a place, and the place."""

    id: str
    text: str
    found: str
    """unit, choice, elsewhere or none."""
    units: tuple[str, ...] = ()
    note: str = ""

    class Config:
        frozen = True


@dataclass
class Cases:
    """What a file holds."""

    questions: list[Case] = field(default_factory=list)
    dialogues: list[DialogueCase] = field(default_factory=list)
    places: list[PlaceCase] = field(default_factory=list)


def read(path: Path) -> Cases:
    """The cases of a file.

    Raises:
        BadQuestion: a line cannot be used; nothing is evaluated.
    """
    found = Cases()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            case = _case({"id": str(number), **json.loads(line)})
        except json.JSONDecodeError as error:
            raise BadQuestion(f"{path.name}, dòng {number}: không đọc được JSON ({error.msg})") from error
        except (ValidationError, TypeError) as error:
            raise BadQuestion(f"{path.name}, dòng {number}: {'; '.join(_problems(error))}") from error
        if isinstance(case, DialogueCase):
            found.dialogues.append(case)
        elif isinstance(case, PlaceCase):
            found.places.append(case)
        else:
            found.questions.append(case)
    return found


def _case(row: Mapping[str, Any]) -> Union[Case, DialogueCase, PlaceCase]:
    if "turns" in row:
        return DialogueCase.parse_obj({**row, "turns": [_turn(turn) for turn in row["turns"]]})
    row = {key: value for key, value in row.items() if value is not None}
    return PlaceCase.parse_obj(row) if "found" in row else Case.parse_obj(row)


def _turn(row: Mapping[str, Any]) -> dict[str, Any]:
    """One value may stand where several are possible."""
    expect = dict(row.get("expect") or {})
    for name in ("kind", "procedure", "facets", "choices"):
        if isinstance(expect.get(name), str):
            expect[name] = [expect[name]]
    return {**row, "expect": expect}


def _problems(error: Exception) -> Iterator[str]:
    if isinstance(error, ValidationError):
        for problem in error.errors():
            missing = problem["type"] == "value_error.missing"
            yield f"{'thiếu' if missing else 'sai'} {'.'.join(map(str, problem['loc']))}"
    else:
        yield "không phải một đối tượng JSON"
