"""The door, as somebody who wants in tries it: log-in, lock-out, sessions, forged forms, cookies, headers."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from unicodedata import normalize
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from bot.runtime import Runtime
from bot.staff import audit
from bot.staff.accounts import PER_ACCOUNT, PER_ADDRESS, WINDOW, Accounts, LockedOut, Refused, Role, WrongPassword
from bot.staff.sessions import IDLE, LONGEST, Sessions
from tests.staff.conftest import PASSWORD, Console

INSIDE = ("", "/figures", "/catalogue", "/catalogue/import", "/people", "/people/log.csv", "/password", "/content")


@pytest.mark.parametrize("path", INSIDE)
def test_nothing_is_seen_without_a_log_in(console: Console, path: str) -> None:
    answer = console.visitor().get(f"/staff{path}")
    assert answer.status_code == 303 and answer.headers["location"].startswith("/staff/login")


@pytest.mark.parametrize(
    "host", ["x/staff/static/", "x/staff/login?", "x/staff/login#", "x/staff/static/?y", "x@y/staff/link/"]
)
def test_a_strange_host_header_opens_no_door(console: Console, host: str) -> None:
    console.accounts.add("lan", Role.ADMINISTRATOR, "Lan", PASSWORD, must_change=False)
    where = urlsplit(console.url)
    with socket.create_connection((where.hostname, where.port), 10) as line:
        line.settimeout(10)
        line.sendall(f"GET /staff/people HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := line.recv(65536):
            answer += piece
    assert b" 200 " not in answer.split(b"\r\n")[0] and b"lan" not in answer


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(console: Console) -> None:
    console.person("editor")
    visitor = console.visitor()
    visitor.get("/staff/login")
    before = visitor.client.cookies["motcua_staff"]
    cookie = visitor.log_in("thu.editor").headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/staff" in cookie and "Secure" not in cookie
    assert visitor.client.cookies["motcua_staff"] != before


def test_over_https_cookies_are_secure(console: Console, staff_runtime: Runtime) -> None:
    console.app.state.runtime = replace(staff_runtime, settings=replace(staff_runtime.settings, https=True))
    answer = console.visitor().get("/staff/login")
    assert "Secure" in answer.headers["set-cookie"] and "max-age" in answer.headers["strict-transport-security"]


def test_a_proxy_is_believed_about_https_only_if_it_is_ours(console: Console) -> None:
    answer = console.visitor().get("/staff/login", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" not in answer.headers["set-cookie"]


def test_every_answer_has_its_headers(console: Console) -> None:
    for path in ("/staff/login", "/staff/static/console.css", "/staff/khong-co", "/staff"):
        headers = console.visitor().get(path).headers
        assert "'unsafe" not in headers["content-security-policy"] and headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
    assert console.visitor().get("/staff/login").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_form_of_another_site_does_nothing_and_does_not_log_out(console: Console, headers: dict[str, str]) -> None:
    person = console.person("editor")
    assert person.post("/staff/logout", headers=headers).status_code == 403
    assert person.get("/staff").status_code == 200
    # As a browser sends it: without the cookie. No new cookie may push the old one out.
    answer = console.visitor().client.post("/staff/logout", data={}, headers=headers)
    assert "set-cookie" not in answer.headers


def test_a_form_without_the_token_or_with_anothers_does_nothing(console: Console) -> None:
    lan, binh = console.person("editor", "lan.nt"), console.person("editor", "binh.tv")
    lan.get("/staff")
    binh.get("/staff")
    for cells in ({}, {"csrf": ""}, {"csrf": binh.token}):
        assert lan.client.post("/staff/logout", data=cells).status_code == 403
    assert lan.client.post("/staff/logout", json={"csrf": lan.token}).status_code == 403
    assert lan.client.post("/staff/logout", headers={"X-CSRF-Token": lan.token}).status_code == 303


def test_too_many_failures_lock_out_even_the_right_password(console: Console) -> None:
    console.accounts.add("lan", Role.EDITOR, "Lan", PASSWORD, must_change=False)
    visitor = console.visitor()
    for _ in range(PER_ACCOUNT):
        assert visitor.log_in("lan", "sai rồi sai rồi").status_code == 422
    locked = visitor.log_in("lan")
    assert locked.status_code == 429 and "phút" in locked.text
    for _ in range(10):
        visitor.log_in("lan", "sai rồi sai rồi")
    noted = audit.entries(console.app.state.engine, action="session.fail")
    assert len(noted) == PER_ACCOUNT


@pytest.mark.parametrize("name", ["nobody", "lan\0", "x" * 5000, "' OR 1=1 --", "", "🙂"])
def test_a_name_that_is_none_is_answered_like_a_wrong_password(console: Console, name: str) -> None:
    console.accounts.add("lan", Role.EDITOR, "Lan", PASSWORD, must_change=False)
    visitor = console.visitor()
    wrong = visitor.log_in("lan", "sai rồi sai rồi")
    unknown = visitor.log_in(name, "sai rồi sai rồi")
    alert = r'role="alert"[^>]*>([^<]+)<'
    assert unknown.status_code == wrong.status_code == 422
    assert re.findall(alert, unknown.text) == re.findall(alert, wrong.text)


@pytest.mark.parametrize(
    "after", ["https://evil.example", "//evil.example", "/\\evil.example", "/webhooks", "javascript:1"]
)
def test_a_log_in_leads_nowhere_else(console: Console, after: str) -> None:
    console.accounts.add("lan", Role.EDITOR, "Lan", PASSWORD, must_change=False)
    visitor = console.visitor()
    visitor.get("/staff/login", params={"next": after})
    answer = visitor.post("/staff/login", {"name": "lan", "password": PASSWORD, "next": after})
    assert answer.headers["location"] == "/staff"


def test_a_first_password_must_be_changed_before_anything_else(console: Console) -> None:
    console.accounts.add("lan", Role.ADMINISTRATOR, "Lan", PASSWORD)
    visitor = console.visitor()
    visitor.log_in("lan")
    assert visitor.get("/staff/people").headers["location"] == "/staff/password"
    visitor.get("/staff/password")
    cells = {"old": PASSWORD, "new": "trời xanh mây trắng", "again": "trời xanh mây trắng"}
    assert visitor.post("/staff/password", cells).status_code == 303
    assert visitor.get("/staff/people").status_code == 200


def test_logging_out_ends_the_session_on_the_server(console: Console) -> None:
    person = console.person("editor")
    token = person.client.cookies["motcua_staff"]
    person.post("/staff/logout")
    again = console.visitor(cookies={"motcua_staff": token})
    assert again.get("/staff").status_code == 303


def test_a_failure_tells_nothing_and_is_logged(console: Console, caplog: pytest.LogCaptureFixture) -> None:
    person = console.person("editor")
    console.app.state.runtime = None
    answer = person.get("/staff/figures")
    assert answer.status_code == 500 and "Traceback" not in answer.text and "chưa được ghi" in answer.text
    assert "/staff/figures" in caplog.text and "AttributeError" in caplog.text


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(own_engine: sa.engine.Engine, clock: Clock) -> Accounts:
    found = Accounts(own_engine, clock)
    found.add("lan", Role.EDITOR, "Lan", PASSWORD, must_change=False)
    return found


def test_a_lock_out_ends_by_itself_and_counts_addresses_too(accounts: Accounts, clock: Clock) -> None:
    for _ in range(PER_ACCOUNT):
        with pytest.raises(WrongPassword):
            accounts.check("lan", "sai rồi sai rồi", "10.0.0.1")
    with pytest.raises(LockedOut):
        accounts.check("lan", PASSWORD, "10.0.0.9")
    clock.now += WINDOW + timedelta(seconds=1)
    assert accounts.check("lan", PASSWORD, "10.0.0.9").name == "lan"
    for at in range(PER_ADDRESS):
        # One IPv6 network is one address, however many it has.
        with pytest.raises(WrongPassword):
            accounts.check(f"ten{at}", "sai rồi sai rồi", f"2001:db8::{at + 1}")
    with pytest.raises(LockedOut):
        accounts.check("lan", PASSWORD, "2001:db8::ffff")
    assert accounts.check("lan", PASSWORD, "10.0.0.9")


def test_a_password_is_the_same_however_its_letters_are_put_together(accounts: Accounts) -> None:
    assert normalize("NFD", PASSWORD) != PASSWORD
    assert accounts.check("lan", normalize("NFD", PASSWORD), "10.0.0.1").name == "lan"


@pytest.mark.parametrize("password", ["ngắn", "1234567890", "matkhau123", "motcua2026", "lanlanlanlan", "a" * 300])
def test_weak_passwords_are_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(Refused):
        accounts.add("binh", Role.EDITOR, "Bình", password)


def test_sessions_end_by_idleness_and_by_age(own_engine: sa.engine.Engine, accounts: Accounts, clock: Clock) -> None:
    sessions = Sessions(own_engine, clock)
    person = accounts.named("lan")
    assert person is not None
    token = sessions.start(person, "10.0.0.1")
    for _ in range(int(LONGEST / (IDLE * 0.9))):
        clock.now += IDLE * 0.9
        assert sessions.find(token) is not None
    clock.now += IDLE * 0.9
    assert sessions.find(token) is None
    token = sessions.start(person, "10.0.0.1")
    clock.now += IDLE + timedelta(seconds=1)
    assert sessions.find(token) is None
    with own_engine.connect() as connection:
        assert token not in repr(connection.exec_driver_sql("SELECT id FROM staff_session").fetchall())


def test_passwords_are_kept_as_argon2(own_engine: sa.engine.Engine, accounts: Accounts) -> None:
    with own_engine.connect() as connection:
        (kept,) = connection.exec_driver_sql("SELECT password FROM staff_account").fetchone() or ("",)
    assert str(kept).startswith("$argon2id$")


def test_the_audit_log_only_grows(own_engine: sa.engine.Engine) -> None:
    audit.note(own_engine, "lan", "", "faq.edit")
    for verb in ("UPDATE staff_audit SET who = ''", "DELETE FROM staff_audit"):
        with pytest.raises(sa.exc.DatabaseError), own_engine.begin() as connection:
            connection.exec_driver_sql(verb)


def test_strangers_send_little(console: Console) -> None:
    files = {"file": ("a.xlsx", b"x" * 100_000)}
    answer = console.visitor().client.post("/staff/catalogue/import/preview", files=files)
    assert answer.status_code == 413
    person = console.person("editor")
    assert person.client.post("/staff/catalogue/import/preview", content=b"x" * 13_000_000).status_code == 413
