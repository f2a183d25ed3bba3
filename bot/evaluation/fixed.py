"""The fixed questions: everyday questions that every published version must answer right (`fixed_questions.yml`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

from pydantic import BaseModel, Extra, ValidationError, validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from bot.phrasebook import BadPhrasebook

FILE = "fixed_questions.yml"
BETWEEN = " ⏎ "
"""Between the turns of a conversation, where it is one line."""
KINDS = {
    "procedure": "trả lời về một thủ tục",
    "choices": "đưa lựa chọn",
    "place_needed": "hỏi nơi ở",
    "faq": "trả lời câu hỏi chung",
    "general": "trả lời chung",
    "no_record": "thủ tục chưa có dữ liệu",
    "out_of_scope": "ngoài phạm vi",
    "handoff": "chuyển người trực",
    "smalltalk": "xã giao",
    "nothing": "không trả lời",
}
FACETS = {
    "office": "nộp ở đâu",
    "documents": "giấy tờ",
    "fee": "lệ phí",
    "time": "thời gian",
    "online": "làm trực tuyến",
    "legal": "căn cứ pháp lý",
    "delegation": "phân cấp, ủy quyền",
    "status": "tra hồ sơ",
    "how": "cách làm",
}
EXPECTED = {
    "procedure": "Thủ tục",
    "kind": "Loại trả lời",
    "facet": "Hỏi về",
    "unit": "Phường, xã",
    "office": "Chữ trong tên nơi nộp",
    "offers": "Thủ tục đưa ra để chọn",
}
"""What may be expected of an answer, as staff call it, in the order in which it is written."""
Converse = Callable[[str, str], Awaitable[Optional[dict[str, Any]]]]
"""Sends one text in the conversation of that name; gives the payload of the reply."""


class Expect(BaseModel):
    """What must be true of the (last) answer; what is not named does not matter."""

    kind: Optional[str] = None
    procedure: Optional[str] = None
    """Code of what the answer is about."""
    offers: tuple[str, ...] = ()
    """Codes that are all offered to choose from."""
    facet: Optional[str] = None
    unit: Optional[str] = None
    """Code or name of the ward."""
    office: Optional[str] = None
    """Words in the name of the office."""

    class Config:
        extra = Extra.forbid
        frozen = True

    @validator("kind")
    def _known(cls, value: Optional[str]) -> Optional[str]:
        if value is not None and value not in KINDS:
            raise ValueError(f"{value} không phải một loại trả lời; chọn {', '.join(KINDS)}")
        return value

    @validator("facet")
    def _asked(cls, value: Optional[str]) -> Optional[str]:
        if value is not None and value not in FACETS:
            raise ValueError(f"{value} không phải điều được hỏi; chọn {', '.join(FACETS)}")
        return value


class Question(BaseModel):
    """A question, or a short conversation of which the last answer counts."""

    ask: Union[str, tuple[str, ...]]
    expect: Expect
    retired: bool = False
    """It stays in the file, but is asked no more."""

    class Config:
        extra = Extra.forbid
        frozen = True

    @validator("ask")
    def _some(cls, value: Union[str, tuple[str, ...]]) -> Union[str, tuple[str, ...]]:
        if not value or not all(turn.strip() for turn in ([value] if isinstance(value, str) else value)):
            raise ValueError("để trống")
        return value

    @property
    def turns(self) -> tuple[str, ...]:
        return (self.ask,) if isinstance(self.ask, str) else self.ask

    @property
    def title(self) -> str:
        return BETWEEN.join(self.turns)


class File(BaseModel):
    questions: tuple[Question, ...] = ()

    class Config:
        extra = Extra.forbid


@dataclass(frozen=True)
class Outcome:
    """What became of one question."""

    title: str
    answer: str
    """In a few words."""
    wrong: tuple[str, ...]
    """What is not as it should be; empty: nothing."""


def read(folder: Path) -> tuple[Question, ...]:
    """The fixed questions of a folder of `nlu_data/` that are in use; none where it has no such file.

    Raises:
        BadPhrasebook: the file cannot be used; the message says where and why.
    """
    path = folder / FILE
    if not path.exists():
        return ()
    try:
        found = File.parse_obj(YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {})
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise BadPhrasebook(f"{FILE}, dòng {line}: {error.problem}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = " → ".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
        raise BadPhrasebook(f"{FILE}: {where}: {first['msg']}") from error
    return tuple(question for question in found.questions if not question.retired)


async def ask(converse: Converse, questions: Iterable[Question], prefix: str = "fixed") -> list[Outcome]:
    """Ask each in a conversation of its own."""
    found = []
    for number, question in enumerate(questions):
        payload: dict[str, Any] = {}
        for turn in question.turns:
            payload = await converse(turn, f"{prefix}-{number}") or {"kind": "nothing"}
        found.append(Outcome(question.title, describe(payload), tuple(wrong(question.expect, payload))))
    return found


def describe(payload: dict[str, Any]) -> str:
    """An answer in a few words: "trả lời về một thủ tục: Đăng ký kết hôn · Phường Bạch Mai"."""
    parts = [KINDS.get(str(payload.get("kind")), str(payload.get("kind")))]
    if payload.get("procedure"):
        parts[0] += f": {payload['procedure']['name']}"
    elif payload.get("choices"):
        parts[0] += ": " + "; ".join(str(choice["name"]) for choice in payload["choices"])
    if payload.get("unit"):
        parts.append(str(payload["unit"]["name"]))
    return " · ".join(parts)


def wrong(expect: Expect, payload: dict[str, Any]) -> Iterable[str]:
    """What is not as it should be."""
    if expect.kind and payload.get("kind") != expect.kind:
        yield f"cần {KINDS[expect.kind]}"
    if expect.procedure and _code(payload.get("procedure")) != expect.procedure:
        yield f"cần thủ tục {expect.procedure}"
    offered = {_code(choice) for choice in payload.get("choices") or []}
    missing = [code for code in expect.offers if code not in offered]
    if missing:
        yield f"cần đưa ra {', '.join(missing)}"
    if expect.facet and expect.facet not in (payload.get("facets") or []):
        yield f"cần trả lời phần {FACETS[expect.facet]}"
    unit = payload.get("unit") or {}
    if expect.unit and expect.unit not in (unit.get("code"), unit.get("name")):
        yield f"cần nơi {expect.unit}"
    if expect.office and expect.office.lower() not in str((payload.get("office") or {}).get("name", "")).lower():
        yield f"cần nơi nộp có chữ “{expect.office}”"


def as_rows(outcomes: Sequence[Outcome]) -> list[list[Any]]:
    """As they are kept: title, answer, what is wrong."""
    return [[one.title, one.answer, list(one.wrong)] for one in outcomes]


def _code(named: Optional[dict[str, Any]]) -> Optional[str]:
    return str(named["code"]) if named else None
