from __future__ import annotations

import difflib
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import phrasebook
from bot.editing.lines import CannotEdit, Lines, NotYaml, line_of, read

# As a person might write it: two kinds of quotes, comments everywhere, lists at two indents, a blank line, no end.
ODD = """\
# Đầu tệp
topic:   'Chung'   # chủ đề
faq:

  # --- mục một ---
  mot:
    question: "Một là gì?"  # giữ ghi chú này
    phrasings:
    - một   # thường gặp
    # trước câu hai
    - 'hai: ba'
    - >-
      câu
      gấp lại
    answer: |
      dòng một

      dòng hai
    sources:
      - {title: A, url: null, as_of: 2025-01-01}
  hai: {question: "Hai?", phrasings: [a, b, c], answer: x, sources: [{title: B, as_of: 2025-01-01}]}
  # cuối tệp"""
ORDER = ("question", "owner", "review", "retired", "phrasings", "answer", "sources")


def changed(before: str, after: str) -> list[str]:
    told = difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=0)
    return [line for line in told if not line.startswith(("---", "+++", "@@"))]


def edited(text: str, **values: Any) -> str:
    lines = Lines(text)
    entry = {**deepcopy(lines.data["faq"]["mot"]), **values}
    lines.set(["faq", "mot"], {key: value for key, value in entry.items() if value is not None}, ORDER)
    assert read(lines.text())["faq"]["mot"] == {key: value for key, value in entry.items() if value is not None}
    return lines.text()


@pytest.mark.parametrize("path", sorted(phrasebook.NLU_DATA.rglob("*.yml")), ids=lambda path: path.name)
def test_a_file_that_nobody_changes_stays_as_it_is(path: Path) -> None:
    text = path.read_bytes().decode()
    lines = Lines(text)
    for section in ("faq", "procedures", "vague", "missing"):
        entries = lines.data.get(section) or {}
        for key in entries if isinstance(entries, dict) else range(len(entries)):
            lines.set([section, key], deepcopy(entries[key]), ORDER)
    assert lines.text() == text


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_only_the_lines_of_what_changed(end: str, line: str) -> None:
    text = (ODD + end).replace("\n", line)
    mark = line[:-1]
    assert changed(text, edited(text, question="Một là mấy?")) == [
        f'-    question: "Một là gì?"  # giữ ghi chú này{mark}',
        f'+    question: "Một là mấy?"  # giữ ghi chú này{mark}',
    ]
    entry = read(text)["faq"]["mot"]
    more = edited(text, phrasings=[*entry["phrasings"][:1], "mới: # lạ", *entry["phrasings"][1:], "- cuối"])
    assert changed(text, more) == [f"+    - 'mới: # lạ'{mark}", f"+    - '- cuối'{mark}"]
    fewer = edited(text, phrasings=entry["phrasings"][1:])
    assert changed(text, fewer) == [f"-    - một   # thường gặp{mark}"]
    assert changed(text, edited(text, owner="Lan")) == [f"+    owner: Lan{mark}"]
    source = {"title": 'B "b"', "url": "https://b.vn", "as_of": date(2026, 1, 2)}
    assert changed(text, edited(text, sources=[*entry["sources"], source])) == [
        f'+      - {{title: "B \\"b\\"", url: "https://b.vn", as_of: 2026-01-02}}{mark}'
    ]
    assert [each[0] for each in changed(text, edited(text, answer="một dòng"))] == ["-"] * 4 + ["+"]
    assert edited(edited(text, owner="Lan"), owner=None) == text


def test_an_entry_on_one_line_is_written_anew_and_nothing_else() -> None:
    lines = Lines(ODD)
    lines.set(["faq", "hai"], {**lines.data["faq"]["hai"], "owner": "Lan"}, ORDER)
    text = lines.text()
    assert ODD[: ODD.index("  hai:")] == text[: text.index("  hai:")]
    assert text.endswith("\n  # cuối tệp")


def test_new_entries_go_to_the_end_and_moved_ones_take_their_comments() -> None:
    source, target = Lines(ODD), Lines("topic: B\nfaq: {}\nlast: 1\n")
    value = deepcopy(source.data["faq"]["mot"])
    moved, column = source.remove(["faq", "mot"])
    target.put_lines(["faq"], moved, column, "mot", value)
    assert "mot:" not in source.text() and "# --- mục một ---" in source.text()
    assert read(target.text())["faq"]["mot"] == value
    into = Lines("faq:\n    ba:\n        x: 1\n# cuối\n")
    into.put_lines(["faq"], moved, column, "mot", value)
    assert "      # trước câu hai" in into.text() and into.text().endswith("# cuối\n")
    one = Lines("faq:\n  ba:\n    x: 1\n# cuối\n")
    one.remove(["faq", "ba"])
    assert one.text() == "faq: {}\n# cuối\n"
    bare = Lines("topic: C\n")
    bare.append(["vague"], {"choices": ["1.001193"], "phrasings": ["x"]})
    assert read(bare.text()) == {"topic": "C", "vague": [{"choices": ["1.001193"], "phrasings": ["x"]}]}


def test_text_blocks_grow_at_their_end() -> None:
    text = "nlu:\n  - intent: x\n    examples: |\n      - một\n\n  # sau\n  - intent: y\n    examples: |\n      - hai\n"
    lines = Lines(text)
    lines.add_lines_to_text(["nlu", 0, "examples"], ["- mới: #"])
    assert changed(text, lines.text()) == ["+      - mới: #"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: b: c", "dòng 1: có dấu hai chấm giữa câu"),
        ("a:\n\t- b", "dòng 2: có dấu tab"),
        ("a: 1\nb: [1", "ngoặc { hoặc [ mở ra mà chưa đóng"),
        ("a: 1\na: 2", "dòng 2: một tên mục được viết hai lần"),
        ('a: "x', "ngoặc kép"),
        ("x:\n  - a\n b: c", "dòng 3: thụt dòng sai"),
        ("a: \x01", "không đúng dạng YAML"),
    ],
)
def test_what_is_no_yaml_is_said_where_and_why(text: str, told: str) -> None:
    with pytest.raises(NotYaml, match=told.replace("[", r"\[").replace("{", r"\{")):
        Lines(text)


def test_shared_parts_are_left_to_people() -> None:
    with pytest.raises(CannotEdit, match="dòng 2"):
        Lines("a: 1\nb: &x [1]\nc: *x\n")


def test_lines_of_values() -> None:
    assert line_of(ODD, ["faq", "mot", "phrasings", 1]) == 11
    assert line_of(ODD, ["faq", "mot", "khong-co"]) == 6


_TEXT = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp"), blacklist_characters="\x85\ufeff"), max_size=40
)


@settings(max_examples=60)
@given(st.lists(_TEXT, min_size=1, max_size=5), _TEXT)
def test_whatever_is_written_is_read_again_or_refused(phrasings: list[str], question: str) -> None:
    try:
        edited(ODD, phrasings=phrasings, question=question)
    except CannotEdit:
        pytest.fail("nothing here is odd enough to be refused")


FIXED = "# Đầu tệp\nquestions:\n  - {ask: xin chào, expect: {kind: smalltalk}}  # lời chào\n  # cuối tệp\n"
SAYINGS = ["ở đâu?", "a? b", "a: b", "x:y", "50% thôi", "- a", "null", "true", "123", "1.5", "@a", "a #b", "{x}", "[y]"]
SAYINGS += [
    "*x",
    "&x",
    "!x",
    "a'b\"c",
    "phường A, xã B",
    "?",
    "~",
    "%a",
    "yes",
    "“ngoặc”",
    "a\\b",
    "2026-11-23",
    "=",
    "<<",
]


@given(st.one_of(st.sampled_from(SAYINGS), st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable())))
@settings(max_examples=200)
def test_whatever_a_fixed_question_says_can_be_written(text: str) -> None:
    one = {"ask": text, "expect": {"office": text, "procedure": "1.001193", "offers": ["2.000635", text]}}
    lines = Lines(FIXED)
    lines.append(["questions"], one)
    lines = Lines(lines.text())
    lines.set(["questions", 0], {"ask": ["a b", text], "expect": {"kind": "faq"}}, ("ask", "expect", "retired"))
    told = lines.text().split("\n")
    assert read(lines.text())["questions"] == [{"ask": ["a b", text], "expect": {"kind": "faq"}}, one]
    assert told[0] == "# Đầu tệp" and told[2].endswith("  # lời chào") and "  # cuối tệp" in told and len(told) == 6
