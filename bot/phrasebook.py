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

from bot.editing import lines
from bot.settings import PROJECT_ROOT
from bot.text import Abbreviations, Synonyms, fold, normalise, words

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


class _Kept(_Strict):
    """What somebody looks after."""

    owner: Optional[str] = None
    """Who, in their own words."""
    review: Optional[date] = None
    """When it is to be read again."""
    retired: bool = False
    """Stays in its file, and the bot knows nothing of it."""


class Entry(_Kept):
    """How people ask for one procedure."""

    name: str
    """Short name, as on a button."""
    phrasings: list[str]


class Vague(_Kept):
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


class Missing(_Kept):
    """A real procedure that the catalogue does not hold."""

    name: str
    field: str
    keyword: str
    phrasings: list[str]


class Source(_Strict):
    title: str
    url: Optional[str] = None
    as_of: date


class Faq(_Kept):
    """A general question with its answer."""

    question: str
    phrasings: list[str]
    answer: str
    sources: list[Source]


class FaqFile(_Strict):
    topic: str
    faq: dict[str, Faq]


class MissingFile(_Strict):
    missing: list[Missing]


class _AbbreviationFile(_Strict):
    always: dict[str, str]
    chat: dict[str, str]
    synonyms: dict[str, list[str]] = {}


class Around(_Strict):
    """What people say around the thing itself."""

    phrasings: list[str]
    """Questions that name no procedure: they are about the one that is talked about."""
    openings: list[str]
    """Greetings and the like, before the question."""
    stories: list[str]
    """What people tell besides, before or after it."""
    fillers: str
    """Words (with blanks between) that say nothing by themselves."""
    starts: str = ""
    """Words that mean nothing at the beginning of a message."""
    ends: str = ""
    """Words that mean nothing at its end."""
    place_fillers: str
    """Words that, besides those, say nothing where somebody only tells their place."""
    day_fillers: str
    """Words that, besides those, say nothing where somebody only tells the time they mean."""
    office_fillers: str
    """Words for offices, which say nothing new where somebody asks why it is that one."""
    decisions: str
    """Words that say nothing where somebody asks about a document by its number."""
    back: list[str]
    """Said of what was talked about before ("quay lại", "lúc nãy")."""
    corrections: list[str] = []
    """Said where the message before was a slip, or was misunderstood ("à nhầm", "ý tôi là")."""
    same_question: list[str] = []
    """Said where the same is asked about something else ("thế chứng thực chữ ký thì sao")."""
    people: str = ""
    """Words for people, who change nothing about what is talked about ("còn vợ tôi thì sao")."""


class Cues(_Strict):
    """What people say when they ask for a facet."""

    cues: dict[str, list[str]] = {}
    alone: dict[str, list[str]] = {}
    """What asks for it only where a message, or a part between commas, says nothing else ("…, giấy tờ?")."""
    first: dict[str, list[str]] = {}
    """What asks for it where a message begins with it ("phí đổi bằng lái")."""


@dataclass(frozen=True)
class Phrasebook:
    """Everything staff wrote."""

    entries: dict[str, Entry]
    vague: list[Vague]
    missing: dict[str, Missing]
    faq: dict[str, Faq]
    around: Around
    abbreviations: Abbreviations
    cues: Cues = field(default_factory=Cues)
    replies: dict[str, str] = field(default_factory=dict)

    def kin(self, code: str) -> tuple[str, ...]:
        """The procedures that somewhere stand beside this one to choose from: people mean one and say the other."""
        families = (family.choices for family in self.vague if code in family.choices)
        return tuple(dict.fromkeys(other for choices in families for other in choices if other != code))

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
        entries.update((code, entry) for code, entry in topic.procedures.items() if not entry.retired)
        vague.extend(family for family in topic.vague if not family.retired)
    return Phrasebook(
        entries,
        vague,
        {slug(item.name): item for item in _missing(folder) if not item.retired},
        dict(_faq(folder)),
        _parse(Around, folder / "follow_up.yml"),
        load_abbreviations(folder / "abbreviations.yml"),
        _parse(Cues, folder / "facets.yml"),
        _read(folder / "replies.yml"),
    )


def load_abbreviations(path: Path = NLU_DATA / "abbreviations.yml") -> Abbreviations:
    """The short forms of one file.

    Raises:
        BadPhrasebook: see `load`.
    """
    data = _parse(_AbbreviationFile, path)
    common = {" ".join(words(normalise(name))): said for said, names in data.synonyms.items() for name in names}
    return Abbreviations(data.always, data.chat, Synonyms(common))


def files(folder: Path = NLU_DATA) -> Iterator[Path]:
    """Every file that the bot is trained from, for telling whether it must be trained again."""
    yield from sorted(path for path in folder.rglob("*.yml"))


def slug(name: str) -> str:
    """A stable id of a name: "Đăng ký tuyển sinh" → "dang-ky-tuyen-sinh"."""
    return "-".join("".join(c if c.isalnum() else " " for c in fold(name)).split())


def _missing(folder: Path) -> Iterable[Missing]:
    path = folder / "missing.yml"
    return _parse(MissingFile, path).missing if path.exists() else []


def _faq(folder: Path) -> Iterator[tuple[str, Faq]]:
    for path in sorted((folder / "faq").glob("*.yml")):
        yield from ((key, entry) for key, entry in _parse(FaqFile, path).faq.items() if not entry.retired)


def explain(error: ValidationError, text: str = "") -> str:
    """Where a file or entry is not of its shape, and why, to stand after the file's name.

    Args:
        text: the file's, to name the line.
    """
    first = error.errors()[0]
    place = [part for part in first["loc"] if part != "__root__"]
    line = lines.line_of(text, place) if text else None
    where = " → ".join(str(part + 1) if isinstance(part, int) else part for part in place)
    why = next((meaning for kind, meaning in _REASONS.items() if first["type"].startswith(kind)), first["msg"])
    return (f", dòng {line}: " if line else ": ") + f"{where}: {why}"


_REASONS = {
    "value_error.missing": "thiếu mục này",
    "value_error.extra": "không có mục nào tên như vậy (có thể gõ sai tên)",
    "value_error.any_str.min_length": "để trống",
    "type_error.none": "để trống",
    "value_error.date": "cần một ngày dạng 2026-11-23",
    "type_error.list": "cần một danh sách, mỗi dòng bắt đầu bằng dấu gạch",
    "type_error.dict": "cần các mục con thụt vào, mỗi mục dạng tên: nội dung",
    "type_error.str": "cần chữ",
    "type_error.bool": "cần true hoặc false",
    "value_error.bool": "cần true hoặc false",
}
"""How staff are told what pydantic says."""


def _parse(shape: Any, path: Path) -> Any:
    data = _read(path)
    try:
        return shape.parse_obj(data)
    except ValidationError as error:
        raise BadPhrasebook(path.name + explain(error, path.read_text(encoding="utf-8"))) from error


def _read(path: Path) -> Any:
    try:
        return lines.read(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError as error:
        raise BadPhrasebook(f"thiếu tệp {path}") from error
    except UnicodeDecodeError as error:
        raise BadPhrasebook(f"{path.name}: không phải chữ UTF-8") from error
    except lines.NotYaml as error:
        raise BadPhrasebook(f"{path.name}, {error}") from error
