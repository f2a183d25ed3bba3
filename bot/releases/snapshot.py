"""A folder of `nlu_data/` as one archive, and what differs between two of them, in words for people."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bot import phrasebook


@dataclass(frozen=True)
class Difference:
    """One thing that was added, taken away or changed."""

    file: str
    where: str
    """Path inside the file, in its own words: "1.001193 Đăng ký khai sinh → phrasings"."""
    before: str
    """Empty: it is new."""
    after: str
    """Empty: it is gone."""


def pack(folder: Path) -> bytes:
    """The YAML files of a folder; the same files give the same bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for path in phrasebook.files(folder):
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            data = path.read_bytes()
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def texts(packed: bytes) -> dict[str, str]:
    """File → its text."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
        for entry in tar:
            data = tar.extractfile(entry)
            assert data is not None
            found[entry.name] = data.read().decode()
    return found


def unpack(packed: bytes, folder: Path) -> Path:
    """Write a snapshot into a folder, which is made; gives the folder."""
    for name, text in texts(packed).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def differences(before: bytes, after: bytes) -> list[Difference]:
    """What became of each entry, file by file."""
    old, new = texts(before), texts(after)
    found: list[Difference] = []
    for file in sorted(old.keys() | new.keys()):
        if old.get(file) != new.get(file):
            found += [
                Difference(file, where, said, now)
                for where, said, now in _compared(_read(old.get(file, "")), _read(new.get(file, "")), ())
            ]
    return found


def _read(text: str) -> Any:
    return YAML(typ="safe").load(text) or {}


def _compared(old: Any, new: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    where = " → ".join(path)
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            title = _title(key, new.get(key) or old.get(key))
            yield from _compared(old.get(key), new.get(key), (*path, title))
    elif isinstance(old or [], list) and isinstance(new or [], list):
        yield from _lists(old or [], new or [], path)
    elif isinstance(old or {}, Mapping) and isinstance(new or {}, Mapping):
        yield from _compared(old or {}, new or {}, path)
    else:
        # Rasa's examples are one text of many lines.
        lines = [str(value).splitlines() if value is not None else [] for value in (old, new)]
        if max(map(len, lines)) > 1 and all(line.startswith("- ") for line in [*lines[0], *lines[1]]):
            yield from _lists(lines[0], lines[1], path)
        else:
            yield where, "" if old is None else str(old), "" if new is None else str(new)


def _lists(old: list[Any], new: list[Any], path: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    if all(isinstance(item, Mapping) for item in [*old, *new]):
        yield from _compared(_named(old), _named(new), path)
        return
    where = " → ".join(path)
    yield from ((where, str(item), "") for item in old if item not in new)
    yield from ((where, "", str(item)) for item in new if item not in old)


def _named(items: list[Any]) -> dict[str, Any]:
    """Items by their names, so that a new one in the middle changes nothing about the others."""
    names = [_name(item) for item in items]
    return {
        name if name and names.count(name) == 1 else f"{name} {at}".strip(): item
        for at, (name, item) in enumerate(zip(names, items), 1)
    }


def _title(key: Any, value: Any) -> str:
    """An entry is called by its code and its name."""
    name = _name(value)
    return str(key) if str(key).startswith(name) else f"{key} {name}"


def _name(value: Any) -> str:
    if not isinstance(value, Mapping):
        return ""
    said = next(
        (value[key] for key in ("name", "question", "intent", "rule", "ask", "choices", "title") if value.get(key)), ""
    )
    return " / ".join(map(str, said)) if isinstance(said, list) else str(said)
