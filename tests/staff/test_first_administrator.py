"""`motcua staff …`: how the first administrator is made, with no password that anybody knows beforehand."""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa

from tests.test_cli import motcua


def test_the_first_administrator_gets_a_link_and_nobody_is_there_before(tmp_path: Path) -> None:
    home = tmp_path / "home"
    refused = motcua("staff", "add", "lan", "--role", "trum", "--link", home=home)
    assert refused.returncode == 1 and "administrator" in refused.stderr and "Traceback" not in refused.stderr
    done = motcua(
        "staff", "add", "lan", "--role", "administrator", "--full-name", "Nguyễn Thị Lan", "--link", home=home
    )
    link = re.search(r"/staff/link/([\w-]{40,})", done.stdout)
    assert done.returncode == 0 and link
    with sa.create_engine(f"sqlite:///{home / 'catalogue.sqlite'}", future=True).connect() as connection:
        accounts = list(connection.execute(sa.text("SELECT name, role, password, link FROM staff_account")))
        log = list(connection.execute(sa.text("SELECT action, target FROM staff_audit")))
    assert [tuple(row)[:3] for row in accounts] == [("lan", "administrator", None)]
    assert link[1] not in repr(accounts) and ("people.add", "lan") in [tuple(row) for row in log]
    again = motcua("staff", "add", "lan", "--link", home=home)
    assert again.returncode != 0 and "Traceback" not in again.stderr and "lan" in again.stderr
    assert "chưa đặt mật khẩu" in motcua("staff", "list", home=home).stdout
