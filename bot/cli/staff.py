"""`motcua staff …`: the accounts of the staff console. The first administrator is made here."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from bot.cli.output import console, fail, say

if TYPE_CHECKING:
    from bot.staff.accounts import Accounts

app = typer.Typer(help="Tài khoản của trang cán bộ (/staff).", no_args_is_help=True)


@app.command("add")
def staff_add(
    name: str = typer.Argument(..., help="Tên đăng nhập: chữ thường không dấu, số, dấu chấm."),
    role: str = typer.Option("editor", "--role", help="editor, publisher hoặc administrator."),
    full_name: str = typer.Option("", "--full-name", help="Họ và tên."),
    link: bool = typer.Option(False, "--link", help="In liên kết một lần để người dùng tự đặt mật khẩu."),
) -> None:
    """Tạo một tài khoản; hỏi mật khẩu, hoặc in liên kết đặt mật khẩu dùng một lần."""
    from bot.staff.accounts import Role, hashed

    try:
        wanted = Role(role)
    except ValueError as error:
        raise fail(f"--role {role}: chọn {', '.join(each.value for each in Role)}") from error
    accounts = _accounts()
    first = not accounts.all()
    password = None if link else typer.prompt("Mật khẩu", hide_input=True, confirmation_prompt="Nhập lại mật khẩu")
    if password is not None:
        hashed(password, name)
    made = accounts.add(name, wanted, full_name, password, must_change=not first)
    _note("people.add", made.name, made.role.label)
    say(f"Đã tạo tài khoản {made.name} ({made.role.label}).")
    if link:
        _print_link(accounts.make_link(made.id))


@app.command("link")
def staff_link(name: str = typer.Argument(..., help="Tên đăng nhập.")) -> None:
    """In liên kết một lần để đặt mật khẩu mới; mật khẩu cũ và các phiên đăng nhập hết hiệu lực ngay."""
    accounts = _accounts()
    found = accounts.named(name)
    if found is None:
        raise fail(f"không có tài khoản {name}")
    token = accounts.make_link(found.id)
    _note("people.link", found.name)
    _print_link(token)


@app.command("list")
def staff_list() -> None:
    """Các tài khoản."""
    table = Table("Tên đăng nhập", "Họ và tên", "Vai trò", "Trạng thái")
    for each in _accounts().all():
        state = "đã khóa" if each.disabled else "đang dùng" if each.has_password else "chưa đặt mật khẩu"
        table.add_row(each.name, each.full_name, each.role.label, state)
    console.print(table)


def _accounts() -> Accounts:
    from bot.runtime import runtime
    from bot.staff.accounts import Accounts

    return Accounts(runtime().store.engine)


def _note(action: str, target: str, detail: str = "") -> None:
    from bot.runtime import runtime
    from bot.staff import audit

    audit.note(runtime().store.engine, getpass.getuser(), "dòng lệnh", action, target, detail)


def _print_link(token: str) -> None:
    from bot.runtime import runtime
    from bot.staff.access import ROOT
    from bot.staff.accounts import LINK_HOURS

    say(f"Liên kết đặt mật khẩu, dùng một lần, trong {LINK_HOURS} giờ (thay tên máy chủ nếu cần):")
    say(f"http://localhost:{runtime().settings.port}{ROOT}/link/{token}")
