"""The entries of `nlu_data/`: FAQ, phrasings of procedures and of vague families, missing procedures, fixed questions.

The files are the truth. This is the one place that writes them; who prefers an editor and git changes them beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Optional

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from bot import phrasebook
from bot.editing import lines
from bot.editing.lines import CannotEdit, Lines, NotYaml
from bot.evaluation import fixed
from bot.phrasebook import slug

WAITS = 20
"""Seconds for which somebody else's edit is waited for."""
EXAMPLES = "intents/out_of_scope.yml"


@dataclass(frozen=True)
class Kind:
    """One kind of entry, and how its files are made."""

    name: str
    title: str
    """What staff call it."""
    files: str
    """Pattern of its files."""
    section: str
    """Key of a file under which its entries stand."""
    shape: type[BaseModel]
    whole: type[BaseModel]
    """Shape of a whole file."""
    fields: tuple[str, ...]
    """In the order in which they are written."""
    fewest: int
    """Phrasings that an entry needs at least."""
    is_list: bool = False

    @property
    def action(self) -> str:
        """First part of its names in the audit log."""
        return self.name if self.name in ("faq", "fixed") else "phrasing"

    def key(self, values: Mapping[str, Any]) -> str:
        """The key of an entry of a list, which stands nowhere in the file; empty: only its position tells it."""
        if self.name == "missing":
            return slug(str(values["name"]))
        return version(_turns(values["ask"]))[:12] if self.name == "fixed" else ""


_KEPT = ("owner", "review", "retired")
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "faq",
            "Câu hỏi thường gặp",
            "faq/*.yml",
            "faq",
            phrasebook.Faq,
            phrasebook.FaqFile,
            ("question", *_KEPT, "phrasings", "answer", "sources"),
            3,
        ),
        Kind(
            "procedure",
            "Cách hỏi thủ tục",
            "phrasings/*.yml",
            "procedures",
            phrasebook.Entry,
            phrasebook.Topic,
            ("name", *_KEPT, "phrasings"),
            3,
        ),
        Kind(
            "vague",
            "Câu cần hỏi lại",
            "phrasings/*.yml",
            "vague",
            phrasebook.Vague,
            phrasebook.Topic,
            (*_KEPT, "choices", "phrasings"),
            2,
            is_list=True,
        ),
        Kind(
            "missing",
            "Thủ tục chưa có dữ liệu",
            "missing.yml",
            "missing",
            phrasebook.Missing,
            phrasebook.MissingFile,
            ("name", "field", "keyword", *_KEPT, "phrasings"),
            3,
            is_list=True,
        ),
    )
}
"""What the bot learns from."""
FIXED = Kind(
    "fixed",
    "Câu hỏi cố định",
    fixed.FILE,
    "questions",
    fixed.Question,
    fixed.File,
    ("ask", "expect", "retired"),
    0,
    is_list=True,
)
"""What the bot is examined by, and must not learn from."""


_EVERY = (*KINDS.values(), FIXED)


class Conflict(ValueError):
    """Somebody else changed or removed the entry in the meantime."""

    def __init__(self, current: Optional[Item]) -> None:
        """`current`: the entry as it is now; None: it is gone."""
        super().__init__("Mục này vừa được người khác sửa.")
        self.current = current


class Taken(ValueError):
    """There is an entry of that name already; the message says where."""


@dataclass(frozen=True)
class Item:
    """One entry of one file."""

    kind: Kind
    file: str
    """Path within the folder: "faq/nop-ho-so.yml"."""
    topic: str
    """What the file is about."""
    key: str
    """Id of a FAQ entry, code of a procedure, slug of a missing one's name, position of a vague family, digest of
    what a fixed question asks."""
    values: Mapping[str, Any]
    """What the file says, empty fields left out."""

    @property
    def id(self) -> str:
        """As in the console's addresses and its audit log: "faq/nop-ho-so/tra-phi"."""
        return f"{self.kind.name}/{self.stem}/{self.key}"

    @property
    def stem(self) -> str:
        return Path(self.file).stem

    @cached_property
    def version(self) -> str:
        """Another one for each other content."""
        return version(self.values)

    @property
    def title(self) -> str:
        """What the entry is called in lists and messages."""
        values = self.values
        told = values.get("question") or values.get("name")
        return str(told or (values["phrasings"][0] if "phrasings" in values else fixed.BETWEEN.join(self.turns)))

    @property
    def phrasings(self) -> list[str]:
        return [str(each) for each in self.values["phrasings"]]

    @property
    def turns(self) -> list[str]:
        """What a fixed question says, one after the other."""
        return _turns(self.values["ask"])

    @property
    def retired(self) -> bool:
        return bool(self.values.get("retired"))


@dataclass(frozen=True)
class Change:
    """What is to become of an entry."""

    kind: Kind
    file: str
    key: str
    """Empty for an entry of a list that is new."""
    values: Mapping[str, Any]
    version: Optional[str] = None
    """What the entry was when the change was made; None: it is new."""


@dataclass(frozen=True)
class Snapshot:
    """All entries at one moment."""

    items: tuple[Item, ...]
    problems: tuple[str, ...]
    """Files that cannot be used: which, where, why. Their entries are not among `items`."""
    topics: Mapping[str, str]
    """File → what it is about."""
    examples: tuple[str, ...] = ()
    """What is known to be out of scope."""
    fixed: tuple[Item, ...] = ()
    """The fixed questions: apart, because they may say what an entry says."""

    def of(self, kind: Kind) -> list[Item]:
        return [item for item in self._all if item.kind is kind]

    def find(self, kind: Kind, stem: str, key: str, version: str = "") -> Optional[Item]:
        """An entry; a vague family, which has no name, by its version first (positions move)."""
        found = [item for item in self.items if item.kind is kind and item.stem == stem]
        by_key = next((item for item in found if item.key == key), None)
        if kind.name != "vague" or not version or (by_key and by_key.version == version):
            return by_key
        return next((item for item in found if item.version == version), by_key)

    def named(self, kind: Kind, key: str) -> Optional[Item]:
        """An entry by its key alone, which is one in all files (but for vague families)."""
        return self._by_key.get((kind.name, key))

    def same(self, kind: Kind, version: str) -> Optional[Item]:
        """The entry that says exactly this."""
        return self._by_version.get((kind.name, version))

    @property
    def _all(self) -> tuple[Item, ...]:
        return self.items + self.fixed

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], Item]:
        return {(item.kind.name, item.key): item for item in reversed(self._all)}

    @cached_property
    def _by_version(self) -> dict[tuple[str, str], Item]:
        return {(item.kind.name, item.version): item for item in reversed(self._all)}

    def files_of(self, kind: Kind) -> dict[str, str]:
        folder = kind.files.split("/", maxsplit=1)[0]
        return {file: topic for file, topic in self.topics.items() if file.split("/", maxsplit=1)[0] == folder}


@dataclass
class _Cached:
    stamp: tuple[int, int]
    items: list[Item] = field(default_factory=list)
    problem: str = ""
    topic: str = ""
    examples: list[str] = field(default_factory=list)


def version(values: Any) -> str:
    """A digest of a content."""
    told = json.dumps(values, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _turns(ask: Any) -> list[str]:
    return [ask] if isinstance(ask, str) else [str(each) for each in ask]


def plain(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values in the order in which they are written, without empty ones."""
    return {name: values[name] for name in kind.fields if values.get(name) not in (None, "", False, [])}


class Editor:
    """The entries of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cache: dict[str, _Cached] = {}
        self._guard = Lock()
        self._last: Optional[tuple[object, Snapshot]] = None

    # Reading

    def snapshot(self) -> Snapshot:
        """Everything, read anew where a file has changed; the same object while none has."""
        with self._guard:
            names = [*_names(self.folder), EXAMPLES]
            found = {name: self._read(name) for name in names if (self.folder / name).exists()}
            key = [(name, cached.stamp) for name, cached in found.items()]
            if self._last is None or self._last[0] != key:
                self._last = (key, _snapshot(found))
            return self._last[1]

    def _read(self, name: str) -> _Cached:
        path = self.folder / name
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        cached = self._cache.get(name)
        if cached is None or cached.stamp != stamp:
            cached = self._cache[name] = _cached(self.folder, name, stamp)
        return cached

    # Writing

    def save(self, changes: Sequence[Change]) -> list[Item]:
        """Make changes, all or none; an entry whose file is another one than before moves there.

        Gives:
            the entries as they are now.

        Raises:
            Conflict: an entry is not what it was when its change was made.
            Taken: a new entry's key is in use.
            CannotEdit: the file is written in a way that is not changed safely; NotYaml: it is broken.
        """
        self.snapshot()  # Read what is new before anybody has to wait.
        with self._locked():
            now = self.snapshot()
            files: dict[str, Lines] = {}
            homes = [self._change(now, change, files) for change in changes]
            self._write(files)
            after = self.snapshot()
        found = [self._found(after, change, home) for change, home in zip(changes, homes)]
        return [item for item in found if item is not None]

    def add_examples(self, texts: Sequence[str]) -> None:
        """More of what is out of scope.

        Raises:
            CannotEdit, NotYaml: see `save`.
        """
        with self._locked():
            files = {EXAMPLES: self._open(EXAMPLES)}
            opened = files[EXAMPLES]
            intents = [each.get("intent") for each in opened.data.get("nlu", [])]
            if "out_of_scope" not in intents:
                raise CannotEdit(f"{EXAMPLES}: không thấy nhóm out_of_scope")
            at = len(intents) - 1 - intents[::-1].index("out_of_scope")
            present = set(_examples(opened.data))
            new = [text for text in dict.fromkeys(texts) if text not in present]
            if new:
                opened.add_lines_to_text(["nlu", at, "examples"], [f"- {text}" for text in new])
                self._write(files)

    def _change(self, now: Snapshot, change: Change, files: dict[str, Lines]) -> str:
        """Put a change into the opened files; gives the key under which its entry is found afterwards."""
        kind, values = change.kind, plain(change.kind, change.values)
        _check(kind, values, change.file)
        target = self._opened(change.file, files)
        if change.version is None:
            key = change.key or kind.key(values)
            if key and (taken := now.named(kind, key)):
                raise Taken(f"“{key}” đã có ở tệp {taken.file}.")
            if kind.is_list:
                target.append([kind.section], values)
            else:
                target.add([kind.section], key, values)
            files[change.file] = _again(target)
            return key
        item = self._same(now, change)
        source = self._opened(item.file, files)
        where = [kind.section, _position(source, item) if kind.is_list else item.key]
        if item.file == change.file:
            source.set(where, values, kind.fields)
            return item.key
        if values != item.values:
            source.set(where, values, kind.fields)
            source = _again(source)
        moved, column = source.remove(where)
        target.put_lines([kind.section], moved, column, None if kind.is_list else item.key, values)
        files.update({item.file: _again(source), change.file: _again(target)})
        return item.key

    def _same(self, now: Snapshot, change: Change) -> Item:
        """The entry that a change is about, if it is still the same."""
        kind = change.kind
        if kind.name == "vague":
            current = now.same(kind, change.version or "") or now.find(kind, Path(change.file).stem, change.key)
        else:
            current = now.named(kind, change.key)
        if current is None or current.version != change.version:
            raise Conflict(current)
        return current

    def _found(self, after: Snapshot, change: Change, key: str) -> Optional[Item]:
        kind, values = change.kind, plain(change.kind, change.values)
        return after.same(kind, version(values)) if kind.name == "vague" else after.named(kind, kind.key(values) or key)

    def _opened(self, name: str, files: dict[str, Lines]) -> Lines:
        if name not in files:
            files[name] = self._open(name)
        return files[name]

    def _open(self, name: str) -> Lines:
        path = self.folder / name
        try:
            # A folder may do without fixed questions; the first one makes the file.
            return Lines("" if name == FIXED.files and not path.exists() else _text(path))
        except NotYaml as error:
            raise NotYaml(f"{name}, {error}") from error
        except CannotEdit as error:
            raise CannotEdit(f"{name}, {error}") from error

    def _write(self, files: Mapping[str, Lines]) -> None:
        """Every file beside its old one first, then all in their places: none is ever seen half written."""
        ready: list[tuple[Path, Path]] = []
        try:
            for name, opened in files.items():
                path = (self.folder / name).resolve()
                try:
                    text = opened.text()
                except CannotEdit as error:
                    raise CannotEdit(f"{name}: {error}") from error
                if path.exists() and text == _text(path):
                    continue
                temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
                ready.append((temporary, path))
                with temporary.open("wb") as file:
                    file.write(text.encode())
                    file.flush()
                    os.fsync(file.fileno())
                if path.exists():
                    shutil.copymode(path, temporary)
            for temporary, path in ready:
                temporary.replace(path)
        finally:
            for temporary, _ in ready:
                temporary.unlink(missing_ok=True)
        for name in files:
            self._cache.pop(name, None)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(str(self.folder / ".lock"), timeout=WAITS)
        try:
            with lock:
                yield
        except Timeout as error:
            raise CannotEdit("đang có người khác ghi, bạn thử lại sau ít giây") from error


def _again(opened: Lines) -> Lines:
    """With the changes so far made: what stands where is known anew."""
    return Lines(opened.text())


def _names(folder: Path) -> list[str]:
    patterns = dict.fromkeys(kind.files for kind in _EVERY)
    return [str(path.relative_to(folder)) for pattern in patterns for path in sorted(folder.glob(pattern))]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotYaml(f"không phải chữ UTF-8 (từ ký tự thứ {error.start + 1})") from error


def _cached(folder: Path, name: str, stamp: tuple[int, int]) -> _Cached:
    cached = _Cached(stamp)
    text = ""
    try:
        text = _text(folder / name)
        data = lines.read(text) or {}
        if name == EXAMPLES:
            cached.examples = _examples(data)
            return cached
        kinds = [kind for kind in _EVERY if Path(name).match(kind.files)]
        kinds[0].whole.parse_obj(data)
        cached.topic = str(data.get("topic") or kinds[0].title)
        cached.items = [item for kind in kinds for item in _items(kind, name, cached.topic, data)]
    except NotYaml as error:
        cached.problem = f"Tệp {name}: {error}."
    except ValidationError as error:
        cached.problem = f"Tệp {name}{phrasebook.explain(error, text)}."
    except (TypeError, ValueError, AttributeError):
        cached.problem = f"Tệp {name}: không đúng dạng của loại tệp này."
    return cached


def _items(kind: Kind, name: str, topic: str, data: Mapping[str, Any]) -> Iterable[Item]:
    section = data.get(kind.section) or {}
    if kind.is_list:
        pairs: Iterable[tuple[str, Any]] = (
            (kind.key(each) or str(position), each) for position, each in enumerate(section)
        )
    else:
        pairs = ((str(key), each) for key, each in section.items())
    return (Item(kind, name, topic, key, plain(kind, each)) for key, each in pairs)


def _examples(data: Any) -> list[str]:
    told = [each for each in data.get("nlu", []) if each.get("intent") == "out_of_scope"]
    rows = [row for each in told for row in str(each.get("examples", "")).splitlines()]
    return [row.strip().removeprefix("-").strip() for row in rows if row.strip().startswith("-")]


def _snapshot(found: Mapping[str, _Cached]) -> Snapshot:
    every = [item for cached in found.values() for item in cached.items]
    problems = [cached.problem for cached in found.values() if cached.problem]
    seen: dict[tuple[str, str], Item] = {}
    for item in every:
        twin = seen.setdefault((item.kind.name, item.key), item)
        if twin is not item and item.kind.name != "vague":
            problems.append(_twice(twin, item))
    topics = {name: cached.topic for name, cached in found.items() if cached.topic}
    examples = [text for cached in found.values() for text in cached.examples]
    items = tuple(item for item in every if item.kind is not FIXED)
    questions = tuple(item for item in every if item.kind is FIXED)
    return Snapshot(items, tuple(problems), topics, tuple(examples), questions)


def _twice(one: Item, other: Item) -> str:
    if one.file == other.file:
        return f"“{one.title}” đứng hai lần trong tệp {one.file}: bạn bỏ bớt một chỗ."
    return f"“{one.key}” đứng ở cả hai tệp {one.file} và {other.file}: bạn bỏ bớt một nơi."


def _position(opened: Lines, item: Item) -> int:
    """Where a list has an entry."""
    for position, each in enumerate(opened.data.get(item.kind.section) or []):
        if plain(item.kind, each) == item.values:
            return position
    raise Conflict(None)


def _check(kind: Kind, values: Mapping[str, Any], file: str) -> None:
    """The shape, whatever was checked before: a file that is written can be read."""
    try:
        kind.shape.parse_obj(values)
    except ValidationError as error:
        raise CannotEdit(f"{file}{phrasebook.explain(error)}") from error
    if not Path(file).match(kind.files):
        raise CannotEdit(f"{file}: tệp này không chứa loại mục đó")
