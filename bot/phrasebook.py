"""What staff may edit in `nlu_data/`, read into plain objects: phrasings, FAQ, missing procedures, replies.

The files are the truth: a person reads, greps and edits them; nothing here is kept anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Optional

from pydantic import BaseModel, Extra, ValidationError, validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from bot.settings import PROJECT_ROOT
from bot.text import Abbreviations, fold

NLU_DATA = PROJECT_ROOT / "nlu_data"


class BadPhrasebook(ValueError):
    """A file of `nlu_data/` cannot be used; the message says which, where and why (in Vietnamese)."""


class _Strict(BaseModel):
    class Config:
        extra = Extra.forbid
        frozen = True
        anystr_strip_whitespace = True
        min_anystr_length = 1

    @validator("phrasings", "sources", check_fields=False)
    def _some(cls, value: list[Any]) -> list[Any]:
        if not value:
            raise ValueError("để trống")
        return value


class Entry(_Strict):
    """How people ask for one procedure."""

    name: str
    """Short name, as on a button."""
    phrasings: list[str]


class Vague(_Strict):
    """Questions that fit several procedures: the bot offers 2 to 4 of them, best first."""

    choices: list[str]
    phrasings: list[str]

    @validator("choices")
    def _two_to_four(cls, value: list[str]) -> list[str]:
        if not 2 <= len(value) <= 4:
            raise ValueError(f"cần 2 đến 4 lựa chọn, đang có {len(value)}")
        return value


class Topic(_Strict):
    """One file of `phrasings/`."""

    topic: str
    procedures: dict[str, Entry] = {}
    vague: list[Vague] = []


class Missing(_Strict):
    """A real procedure that the catalogue does not hold."""

    name: str
    field: str
    keyword: str
    phrasings: list[str]


class Source(_Strict):
    title: str
    url: Optional[str] = None
    as_of: date


class Faq(_Strict):
    """A general question with its answer."""

    question: str
    phrasings: list[str]
    answer: str
    sources: list[Source]


class _FaqFile(_Strict):
    topic: str
    faq: dict[str, Faq]


class _MissingFile(_Strict):
    missing: list[Missing]


class _AbbreviationFile(_Strict):
    always: dict[str, str]
    chat: dict[str, str]


class _FollowUpFile(_Strict):
    phrasings: list[str]


class _CueFile(_Strict):
    cues: dict[str, list[str]]


@dataclass(frozen=True)
class Phrasebook:
    """Everything staff wrote."""

    entries: dict[str, Entry]
    vague: list[Vague]
    missing: dict[str, Missing]
    faq: dict[str, Faq]
    follow_ups: list[str]
    """Questions that name no procedure: they are about the one that is talked about."""
    abbreviations: Abbreviations
    cues: dict[str, list[str]] = field(default_factory=dict)
    replies: dict[str, str] = field(default_factory=dict)

    @property
    def short_names(self) -> dict[str, str]:
        return {code: str(entry.name) for code, entry in self.entries.items()}


def load(folder: Path = NLU_DATA) -> Phrasebook:
    """Read the phrasebook.

    Raises:
        BadPhrasebook: a file is not YAML, or not of its shape, or a procedure stands in two files.
    """
    entries: dict[str, Entry] = {}
    vague: list[Vague] = []
    for path in sorted((folder / "phrasings").glob("*.yml")):
        topic = _parse(Topic, path)
        twice = entries.keys() & topic.procedures.keys()
        if twice:
            raise BadPhrasebook(f"{path.name}: thủ tục {', '.join(sorted(twice))} đã có ở tệp khác")
        entries.update(topic.procedures)
        vague.extend(topic.vague)
    return Phrasebook(
        entries,
        vague,
        {slug(item.name): item for item in _missing(folder)},
        dict(_faq(folder)),
        _parse(_FollowUpFile, folder / "follow_up.yml").phrasings,
        load_abbreviations(folder / "abbreviations.yml"),
        _parse(_CueFile, folder / "facets.yml").cues,
        _read(folder / "replies.yml"),
    )


def load_abbreviations(path: Path = NLU_DATA / "abbreviations.yml") -> Abbreviations:
    """The short forms of one file.

    Raises:
        BadPhrasebook: see `load`.
    """
    data = _parse(_AbbreviationFile, path)
    return Abbreviations(data.always, data.chat)


def files(folder: Path = NLU_DATA) -> Iterator[Path]:
    """Every file that the bot is trained from, for telling whether it must be trained again."""
    yield from sorted(path for path in folder.rglob("*.yml"))


def slug(name: str) -> str:
    """A stable id of a name: "Đăng ký tuyển sinh" → "dang-ky-tuyen-sinh"."""
    return "-".join("".join(c if c.isalnum() else " " for c in fold(name)).split())


def _missing(folder: Path) -> Iterable[Missing]:
    path = folder / "missing.yml"
    return _parse(_MissingFile, path).missing if path.exists() else []


def _faq(folder: Path) -> Iterator[tuple[str, Faq]]:
    for path in sorted((folder / "faq").glob("*.yml")):
        yield from _parse(_FaqFile, path).faq.items()


def _parse(shape: Any, path: Path) -> Any:
    try:
        return shape.parse_obj(_read(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = " → ".join(str(part) for part in first["loc"])
        raise BadPhrasebook(f"{path.name}: {where}: {first['msg']}") from error


def _read(path: Path) -> Any:
    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError as error:
        raise BadPhrasebook(f"thiếu tệp {path}") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise BadPhrasebook(f"{path.name}, dòng {line}: {error.problem}") from error
