"""The command line, as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.catalogue.test_importer import jsonl
from tests.catalogue.test_portal import record


def motcua(*words: str, home: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    where = {"MOTCUA_HOME": str(home)} if home else {}
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *words],
        env={**os.environ, **where, **env},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_import_loads_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "p.jsonl", record(), {**record(code="1.000002"), "detail": "name_only"})
    first = motcua("catalogue", "import", str(file), home=tmp_path / "home")
    assert first.returncode == 0 and "thêm 2, sửa 0" in first.stdout and "bỏ qua 1" in first.stdout
    assert "thêm 0, sửa 0" in motcua("catalogue", "import", str(file), home=tmp_path / "home").stdout


def test_import_refuses_with_row_column_and_reason(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "p.jsonl", record(), record(code="sai"))
    done = motcua("catalogue", "import", str(file), home=tmp_path / "home")
    assert done.returncode == 1
    assert "dòng 2, cột code" in done.stderr and "Chưa nạp dòng nào" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_reports_and_its_json_can_be_read(tmp_path: Path) -> None:
    done = motcua("catalogue", "check", home=tmp_path / "home")
    assert done.returncode == 0 and "THIẾU" in done.stdout and "HẾT HẠN" in done.stdout
    findings = json.loads(motcua("catalogue", "check", "--json", home=tmp_path / "home").stdout)
    assert {"severity", "table", "key", "problem"} == findings[0].keys()


def test_the_clock_can_be_set_to_see_what_ends(tmp_path: Path) -> None:
    done = motcua("catalogue", "check", "--json", home=tmp_path / "home", MOTCUA_TODAY="2027-03-02")
    ended = {f["key"] for f in json.loads(done.stdout) if f["severity"] == "het_han"}
    assert "151/2025/NĐ-CP" in ended and "1.013978 / 151/2025/NĐ-CP" in ended


@pytest.mark.parametrize(("env", "named"), [({"PORT": "abc"}, "PORT"), ({"MOTCUA_TODAY": "mai"}, "MOTCUA_TODAY")])
def test_a_bad_setting_is_named_in_one_line(tmp_path: Path, env: dict[str, str], named: str) -> None:
    done = motcua("catalogue", "check", home=tmp_path / "home", **env)
    assert done.returncode == 1 and named in done.stderr and "Traceback" not in done.stderr


def test_a_database_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    done = motcua("catalogue", "check", home=tmp_path, DATABASE_URL="postgresql://x@127.0.0.1:1/none")
    assert done.returncode == 1 and "cơ sở dữ liệu" in done.stderr and "Traceback" not in done.stderr


def test_ask_talks_in_the_terminal(model: Path) -> None:
    done = motcua("ask", "Đăng ký thường trú ở phường Bạch Mai nộp ở đâu?", "the lệ phí bao nhiêu")
    assert done.returncode == 0
    assert "Công an phường Bạch Mai" in done.stdout and "Lệ phí" in done.stdout
    assert done.stderr.strip() == "", "only what is ours is printed"


def test_eval_prints_the_figures(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    cases = [
        {"id": "1", "text": "đăng ký thường trú ở đâu", "kind": "procedure", "facet": "office", "codes": ["1.004222"]},
        {"id": "2", "text": "thời tiết hôm nay", "kind": "oos", "codes": []},
    ]
    file.write_text("".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases), encoding="utf-8")
    done = motcua("eval", str(file), "--output", str(tmp_path / "out.jsonl"))
    assert done.returncode == 0
    for figure in ("hit@1", "hit@3", "facet", "right: oos", "wrong and confident"):
        assert figure in done.stdout
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["1", "2", "1", "2"]


def test_eval_names_a_bad_line(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"text": "x"}\n', encoding="utf-8")
    done = motcua("eval", str(file))
    assert done.returncode == 1 and "dòng 1" in done.stderr
