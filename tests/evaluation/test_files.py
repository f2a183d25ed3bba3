from __future__ import annotations

from pathlib import Path

import pytest

from bot.evaluation import files

GOOD = [
    '{"text": "a", "kind": "oos", "facet": null}',
    '{"turns": [{"user": "a", "expect": {"procedure": "1.001193", "kind": ["procedure", "choices"]}}]}',
    '{"id": "p1", "text": "phường Láng", "found": "unit", "units": ["00187"]}',
]


def test_a_file_may_hold_all_three(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text("\n\n".join(GOOD), encoding="utf-8")
    found = files.read(file)
    assert [case.kind for case in found.questions] == ["oos"]
    assert found.dialogues[0].turns[0].expect.procedure == ("1.001193",)
    assert found.places[0].units == ("00187",)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"text": "b"}', "thiếu kind"),
        ('{"turns": [{"expect": {}}]}', "thiếu turns.0.user"),
        ("[1]", "JSON"),
        ("{", "JSON"),
        ('{"text": "b", "found": "unit", "units": 3}', "sai units"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, problem: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(f"{GOOD[0]}\n{line}\n", encoding="utf-8")
    with pytest.raises(files.BadQuestion, match=rf"q.jsonl, dòng 2.*{problem}"):
        files.read(file)
