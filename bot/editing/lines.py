"""Changes to single values of a YAML file that leave every other line as it was.

ruamel.yaml tells where each value stands and writes the new ones; the lines between are never written anew. A file
that ruamel would dump in another style than its writer's (quotes, widths, indentation) therefore keeps it. What comes
out is read again and must say exactly what was meant, or nothing is written.
"""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Optional, Union

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString, SingleQuotedScalarString

Where = Sequence[Union[str, int]]
"""Keys and positions from the top of a file to a value."""
_WIDE = 1_000_000
_WORDS = re.compile(r"[^\W\d_][\w ]*")


class NotYaml(ValueError):
    """Text that is not YAML; the message says in which line and why."""


class CannotEdit(ValueError):
    """YAML written in a way that this module does not change safely; an editor of text can."""


def read(text: str) -> Any:
    """The data of a YAML text.

    Raises:
        NotYaml: it is not YAML, or a key stands twice.
    """
    try:
        return YAML(typ="safe").load(text)
    except YAMLError as error:
        raise NotYaml(_why(error)) from error


def line_of(text: str, path: Where) -> Optional[int]:
    """The line (from 1) of the value at a path, or of the last of its parents that is there."""
    try:
        node = YAML(typ="safe").compose(text)
    except YAMLError:
        return None
    line = None
    for part in path:
        found = _child(node, part)
        if found is None:
            break
        key, node = found
        line = int((key or node).start_mark.line) + 1
    return line


@dataclass(frozen=True)
class _Edit:
    """Lines `start` to `end` (excluded) become other lines."""

    start: int
    end: int
    lines: tuple[str, ...]


class Lines:
    """A YAML text and the changes to be made to it. Each entry is changed at most once before `text` is taken."""

    def __init__(self, text: str) -> None:
        """Raises: NotYaml; CannotEdit, where parts of the file refer to one another (&, *)."""
        self.data = read(text)
        self._before = text
        self._root = YAML(typ="safe").compose(text)
        self._lines = text.split("\n")
        self._return = "\r" if self._lines[0].endswith("\r") else ""
        self._edits: list[_Edit] = []
        shared = _shared(self._root, set())
        if shared is not None:
            raise CannotEdit(f"dòng {shared.start_mark.line + 1}: có phần dùng chung (& hoặc *)")
        self._offset = self._usual_offset()

    # Changes

    def set(self, path: Where, values: Mapping[str, Any], order: Sequence[str]) -> None:
        """Make the mapping at a path say `values`.

        Args:
            order: where a key that is new to the mapping goes.
        """
        old = self._at(path)
        if old == values:
            return
        node = self._node(path)
        self._expect(path, dict(values))
        if not isinstance(node, MappingNode) or node.flow_style or not self._starts_lines(node):
            self._rewrite(path, values)
            return
        present = {str(key.value): (key, value) for key, value in node.value}
        for name, (key, value) in present.items():
            if name not in values:
                self._replace(key.start_mark.line, _end(value, key), [])
            elif old[name] != values[name]:
                self._set_field(key, value, old[name], values[name])
        for name in [name for name in values if name not in present]:
            self._insert_field(node, name, values[name], order)

    def add(self, path: Where, key: str, value: Mapping[str, Any]) -> None:
        """A new key at the end of the mapping at a path, which is made if it is not there."""
        here = self._at(path)
        if isinstance(here, dict) and key in here:
            raise CannotEdit(f"{key} đã có")
        self._expect([*path, key], dict(value))
        node = self._node(path)
        if isinstance(node, MappingNode) and not node.flow_style:
            column = node.start_mark.column
            self._insert(_end(node), self._rendered({key: value}, " " * column))
        else:
            self._remake(path, {key: value})

    def append(self, path: Where, value: Mapping[str, Any]) -> None:
        """A new item at the end of the list at a path, which is made if it is not there."""
        here = self._at(path)
        self._expect(path, [*(here or []), dict(value)])
        node = self._node(path)
        if isinstance(node, SequenceNode) and not node.flow_style:
            self._insert(_end(node), self._items([value], node.start_mark.column))
        else:
            self._remake(path, [value])

    def remove(self, path: Where) -> tuple[list[str], int]:
        """Take out the value at a path; gives its lines and the column at which it stood, for `put_lines`."""
        parent, last = self._node(path[:-1]), path[-1]
        found = _child(parent, last)
        if found is None or parent.flow_style:
            raise CannotEdit("mục được viết trên một dòng {…}")
        key, node = found
        start, end = (key or node).start_mark.line, _end(node, key)
        taken = [line.removesuffix("\r") for line in self._lines[start:end]]
        column = int(parent.start_mark.column)
        here = copy.copy(self._at(path[:-1]))
        del here[last]
        self._expect(path[:-1], here)
        if len(parent.value) == 1:
            self._remake(path[:-1], here)
        else:
            self._replace(start, end, [])
        return taken, column

    def put_lines(self, path: Where, taken: Sequence[str], column: int, key: Optional[str], value: Any) -> None:
        """Lines that `remove` took out of another file, at the end of the mapping or list at a path.

        Args:
            key: the entry's key; None: the value at the path is a list.
        """
        node = self._node(path)
        there = self._at(path)
        kind = MappingNode if key is not None else SequenceNode
        if not isinstance(node, kind) or node.flow_style:
            if key is not None:
                self.add(path, key, value)
            else:
                self.append(path, value)
            return
        if key is not None:
            if key in there:
                raise CannotEdit(f"{key} đã có")
            self._expect([*path, key], value)
        else:
            self._expect(path, [*there, value])
        shift = int(node.start_mark.column) - column
        self._insert(_end(node), [_shifted(line, shift) for line in taken])

    def add_lines_to_text(self, path: Where, lines: Sequence[str]) -> None:
        """More lines at the end of the text block ("|") at a path."""
        node = self._node(path)
        if not isinstance(node, ScalarNode) or node.style != "|":
            raise CannotEdit(f"{path[-1]}: cần một khối chữ bắt đầu bằng |")
        end = _text_end(node)
        first = self._lines[node.start_mark.line + 1]
        indent = first[: len(first) - len(first.lstrip())]
        before = str(self._at(path))
        self._expect(path, before.rstrip("\n") + "".join(f"\n{line}" for line in lines) + "\n")
        self._insert(end, [indent + line for line in lines])

    # What comes out

    def text(self) -> str:
        """The text with all changes; the very same text if there are none.

        Raises:
            CannotEdit: the text would not say what was meant; nothing is lost.
        """
        if not self._edits:
            return self._before
        lines = list(self._lines)
        ordered = sorted(enumerate(self._edits), key=lambda each: (each[1].start, each[1].end, each[0]))
        for _, edit in reversed(ordered):
            lines[edit.start : edit.end] = [line + self._return for line in edit.lines]
        text = "\n".join(lines)
        try:
            said = read(text)
        except NotYaml as error:
            raise CannotEdit(f"cách viết của tệp không cho sửa tự động ({error})") from error
        if _trimmed(said) != _trimmed(self.data):
            raise CannotEdit("cách viết của tệp không cho sửa tự động")
        return text

    # Finding

    def _node(self, path: Where) -> Any:
        node: Optional[Node] = self._root
        for part in path:
            found = _child(node, part)
            node = found[1] if found else None
        return node

    def _at(self, path: Where) -> Any:
        here = self.data
        for part in path:
            try:
                here = here[part]
            except (KeyError, IndexError, TypeError):
                return None
        return here

    def _expect(self, path: Where, value: Any) -> None:
        """What the text must say in the end."""
        if not path:
            self.data = value
            return
        if self.data is None:
            self.data = {}
        here = self.data
        for part in path[:-1]:
            if isinstance(here, dict) and here.get(part) is None:
                here[part] = {}
            here = here[part]
        here[path[-1]] = value

    def _starts_lines(self, node: Any) -> bool:
        """Whether each key of a mapping begins a line (but for the dash before the first)."""
        return all(not self._lines[k.start_mark.line][: k.start_mark.column].strip(" -") for k, _ in node.value)

    def _usual_offset(self) -> int:
        """How far the dashes of a list stand to the right of its key in this file: 0 or 2."""
        found = _lists(self._root)
        return next((0 if node.start_mark.column == key.start_mark.column else 2 for key, node in found), 2)

    # Writing

    def _replace(self, start: int, end: int, lines: Sequence[str]) -> None:
        self._edits.append(_Edit(start, end, tuple(lines)))

    def _insert(self, at: int, lines: Sequence[str]) -> None:
        self._replace(at, at, lines)

    def _set_field(self, key: Any, node: Any, old: Any, new: Any) -> None:
        as_list = isinstance(old, list) and isinstance(new, list) and new
        if as_list and isinstance(node, SequenceNode) and not node.flow_style and self._items_start_lines(node):
            self._set_items(node, old, new)
            return
        line = self._lines[key.start_mark.line]
        prefix = line[: key.start_mark.column]
        rendered = self._rendered({key.value: _in_style(new, node)}, prefix)
        if isinstance(node, ScalarNode):
            rendered[0] += self._remark(node)
        self._replace(key.start_mark.line, _end(node, key), rendered)

    def _items_start_lines(self, node: Any) -> bool:
        return all(self._lines[n.start_mark.line][: n.start_mark.column].strip() == "-" for n in node.value)

    def _set_items(self, node: Any, old: Sequence[Any], new: Sequence[Any]) -> None:
        same = SequenceMatcher(None, [repr(each) for each in old], [repr(each) for each in new], autojunk=False)
        for verb, i1, i2, j1, j2 in same.get_opcodes():
            if verb == "equal":
                continue
            for item in node.value[i1:i2]:
                self._replace(item.start_mark.line, _end(item), [])
            if j1 < j2:
                at = node.value[i1].start_mark.line if i1 < i2 or i1 == 0 else _end(node.value[i1 - 1])
                self._insert(at, self._items(new[j1:j2], node.start_mark.column))

    def _insert_field(self, node: Any, name: str, value: Any, order: Sequence[str]) -> None:
        before = set(order[: order.index(name)]) if name in order else set(order)
        above = [(key, child) for key, child in node.value if str(key.value) in before] or node.value[:1]
        at = max(_end(child, key) for key, child in above)
        self._insert(at, self._rendered({name: value}, " " * node.value[0][0].start_mark.column))

    def _rewrite(self, path: Where, values: Any) -> None:
        """A whole value anew, for one that stands on a single line."""
        parent = self._node(path[:-1])
        found = _child(parent, path[-1])
        if found is None or parent.flow_style:
            raise CannotEdit("mục được viết trên một dòng {…}")
        key, node = found
        start = (key or node).start_mark
        prefix = self._lines[start.line][: start.column]
        if key is not None:
            rendered = self._rendered({key.value: values}, prefix)
        elif prefix.strip() == "-":
            rendered = self._items([values], parent.start_mark.column)
        else:
            raise CannotEdit("cách viết của danh sách không cho sửa tự động")
        rendered[0] += self._remark(node)
        self._replace(start.line, _end(node, key), rendered)

    def _remark(self, node: Any) -> str:
        """The comment behind a value that ends on the line on which it begins."""
        if node.start_mark.line != node.end_mark.line:
            return ""
        rest = self._lines[node.end_mark.line][node.end_mark.column :].removesuffix("\r")
        return rest if rest.strip().startswith("#") else ""

    def _remake(self, path: Where, value: Any) -> None:
        """A mapping or list directly below the top: empty, not there yet, or to be emptied."""
        if len(path) != 1:
            raise CannotEdit("mục được viết trên một dòng {…}")
        found = _child(self._root, path[0])
        rendered = self._rendered({path[0]: value}, "")
        if found is not None:
            self._replace(found[0].start_mark.line, _end(found[1], found[0]), rendered)
        else:
            end = _end(self._root) if self._root is not None else len(self._lines) - 1
            self._insert(end, rendered)

    def _items(self, values: Sequence[Any], column: int) -> list[str]:
        lines = _dumped([_prepared(value) for value in values], 0)
        return [" " * column + line if line else line for line in lines]

    def _rendered(self, mapping: Mapping[Any, Any], prefix: str) -> list[str]:
        """A mapping as lines; `prefix` stands before the first one (blanks, perhaps a dash)."""
        lines = _dumped(_prepared(mapping), self._offset)
        rest = " " * len(prefix)
        return [(prefix if n == 0 else rest) + line if line else line for n, line in enumerate(lines)]


def _dumped(data: Any, offset: int) -> list[str]:
    yaml = YAML()
    yaml.width = _WIDE
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    yaml.representer.ignore_aliases = lambda value: True
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue().rstrip("\n").split("\n")


def _prepared(value: Any) -> Any:
    """Data with the style in which `nlu_data/` is written: text of several lines as a block; sources and fixed
    questions on one line."""
    if isinstance(value, (DoubleQuotedScalarString, SingleQuotedScalarString)):
        return value
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    if isinstance(value, Mapping):
        mapping = CommentedMap((key, _prepared(each)) for key, each in value.items())
        if "as_of" in value:
            for key, each in value.items():
                mapping[key] = DoubleQuotedScalarString(each) if isinstance(each, str) else each
            mapping.fa.set_flow_style()
        if "ask" in value:
            mapping = _quoted(value)
            mapping.fa.set_flow_style()
        return mapping
    if isinstance(value, list):
        return CommentedSeq(_prepared(each) for each in value)
    return value


def _quoted(value: Any) -> Any:
    """Data to stand on one line: in quotes whatever is more than words.

    Between braces, ruamel.yaml would write "ở đâu?" without them, which libyaml does not read; codes would be numbers.
    """
    if isinstance(value, Mapping):
        return CommentedMap((key, _quoted(each)) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return CommentedSeq(map(_quoted, value))
    return DoubleQuotedScalarString(value) if isinstance(value, str) and not _WORDS.fullmatch(value) else value


def _in_style(value: Any, node: Any) -> Any:
    """A text of one line in the quotes that the one before it had."""
    if not isinstance(value, str) or "\n" in value or not isinstance(node, ScalarNode):
        return value
    styles = {'"': DoubleQuotedScalarString, "'": SingleQuotedScalarString}
    return styles[node.style](value) if node.style in styles else value


def _child(node: Any, part: Union[str, int]) -> Optional[tuple[Any, Any]]:
    """The key (None in a list) and value nodes of a part of a node."""
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if str(key.value) == str(part)), None)
    if isinstance(node, SequenceNode) and isinstance(part, int) and 0 <= part < len(node.value):
        return None, node.value[part]
    return None


def _end(node: Any, key: Any = None) -> int:
    """The line after the last one of a value; comments and blank lines that follow are not its own."""
    end = 0 if key is None else key.end_mark.line + 1
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        return max(end, _text_end(node))
    if not isinstance(node, ScalarNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return max(end, _end(last[1], last[0]) if isinstance(last, tuple) else _end(last))
    return max(end, int(node.end_mark.line) + 1)


def _text_end(node: Any) -> int:
    """The line after a text block's last one that says something."""
    if node.style == ">":
        return int(node.end_mark.line) + bool(node.end_mark.column)
    return int(node.start_mark.line) + 1 + len(str(node.value).rstrip("\n").split("\n"))


def _lists(node: Any) -> list[tuple[Any, Any]]:
    """The lists of a node that are written with dashes, with their keys."""
    if isinstance(node, MappingNode):
        own = [(k, v) for k, v in node.value if isinstance(v, SequenceNode) and not v.flow_style and v.value]
        return [*own, *(found for _, v in node.value for found in _lists(v))]
    return [found for each in node.value for found in _lists(each)] if isinstance(node, SequenceNode) else []


def _shared(node: Any, seen: set[int]) -> Any:
    """A value that stands at two places (&, *): changing one would change the other."""
    if isinstance(node, ScalarNode) or node is None:
        children: list[Any] = []
    elif isinstance(node, MappingNode):
        children = [each for pair in node.value for each in pair]
    else:
        children = list(node.value)
    if id(node) in seen:
        return node
    seen.add(id(node))
    return next(filter(None, (_shared(child, seen) for child in children)), None)


def _shifted(line: str, by: int) -> str:
    if by >= 0:
        return " " * by + line if line.strip() else line
    return line[min(-by, len(line) - len(line.lstrip())) :]


def _trimmed(value: Any) -> Any:
    """Data without the blank lines at the end of texts, which say nothing."""
    if isinstance(value, Mapping):
        return {str(key): _trimmed(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_trimmed(each) for each in value]
    return value.rstrip("\n") if isinstance(value, str) else value


def _why(error: YAMLError) -> str:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        where = f"dòng {mark.line + 1}: " if mark else ""
        return where + _vietnamese(str(error.problem or error.context or ""))
    return _vietnamese(str(error).splitlines()[0])


def _vietnamese(problem: str) -> str:
    """What ruamel.yaml says, for somebody who is no programmer; its own words where there are no better ones."""
    for words, meaning in _MEANINGS.items():
        if words in problem:
            return meaning
    return f"không đúng dạng YAML ({problem})"


_MEANINGS = {
    "duplicate key": "một tên mục được viết hai lần",
    "could not find expected ':'": "thiếu dấu hai chấm sau tên mục, hoặc thụt dòng sai",
    "did not find expected key": "thụt dòng sai, hoặc có dấu ngoặc kép chưa đóng",
    "did not find expected '-' indicator": "thụt dòng sai trong danh sách",
    "mapping values are not allowed": "có dấu hai chấm giữa câu: cần đặt câu trong ngoặc kép",
    "found character that cannot start any token": "có dấu tab hoặc ký tự lạ ở đầu dòng: dùng dấu cách",
    "found a tab character": "có dấu tab ở đầu dòng: dùng dấu cách",
    "found unexpected end of stream": "ngoặc kép mở ra mà chưa đóng",
    "did not find expected ',' or": "ngoặc { hoặc [ mở ra mà chưa đóng",
}
