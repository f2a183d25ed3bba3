from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.catalogue import database
from bot.channels import telegram_inbox
from bot.channels.telegram_inbox import LEASE, Inbox, Lease, Waiting

KEY = b"k" * 32


@pytest.fixture
def inbox(either: sa.engine.Engine) -> Inbox:
    return Inbox(either, KEY)


def test_an_update_is_taken_once_and_waits_until_it_is_answered(inbox: Inbox) -> None:
    assert inbox.take(2**40, "hai") and inbox.take(7, "một")
    assert not inbox.take(7, "một")
    assert inbox.waiting() == [Waiting(7, "một"), Waiting(2**40, "hai")]
    assert inbox.waiting(known={7}) == [Waiting(2**40, "hai")]
    inbox.went_out(7, 2)
    assert inbox.waiting(most=1) == [Waiting(7, "một", 2)]
    inbox.done(7)
    assert inbox.waiting() == [Waiting(2**40, "hai")] and not inbox.take(7, "một")


def test_numbers_are_forgotten_when_telegram_has_forgotten_them(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    now = telegram_inbox._now()
    monkeypatch.setattr(telegram_inbox, "_now", lambda: now - telegram_inbox.SEEN - timedelta(hours=1))
    inbox.take(1, "{}")
    inbox.take(2, "{}")
    inbox.done(1)
    monkeypatch.undo()
    inbox.take(3, "{}")
    inbox.done(3)
    inbox.purge()
    assert inbox.take(1, "{}"), "an old number is forgotten"
    assert not inbox.take(2, "{}"), "what was never answered still waits"
    assert not inbox.take(3, "{}"), "a new number is remembered"


def test_what_waits_can_be_read_only_with_the_key(tmp_path: Path) -> None:
    engine = database.connect(f"sqlite:///{tmp_path / 'a.sqlite'}")
    mine, other = Inbox(engine, KEY), Inbox(engine, b"x" * 32)
    mine.take(1, "chuyện riêng")
    assert all("chuyện riêng".encode() not in file.read_bytes() for file in tmp_path.iterdir())
    assert mine.waiting() == [Waiting(1, "chuyện riêng")]
    assert other.waiting() == [] and mine.waiting() == [], "what nobody can open does not wait for ever"


def in_another_process(engine: sa.engine.Engine, code: str) -> str:
    """Runs code with a lease `lease`; gives what it prints."""
    url = engine.url.render_as_string(hide_password=False)
    setup = (
        "import os, sqlalchemy as sa\nfrom bot.channels.telegram_inbox import Lease\n"
        f"lease = Lease(sa.create_engine({url!r}, future=True), 'bot')\n"
    )
    return subprocess.run([sys.executable, "-c", setup + code], capture_output=True, text=True, check=True).stdout


def test_one_process_at_a_time_is_in_charge(either: sa.engine.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = Lease(either, "bot")
    assert lease.hold() and lease.hold()
    assert Lease(either, "another bot").hold()
    assert in_another_process(either, "print(lease.hold())") == "False\n"
    lease.let_go()
    # It ends without letting go; on the same machine that is seen.
    assert in_another_process(either, "print(lease.hold())") == "True\n"
    assert lease.hold()


def test_who_is_silent_on_another_machine_is_waited_for_a_little(
    either: sa.engine.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = Lease(either, "bot")
    with monkeypatch.context() as there:
        there.setattr(telegram_inbox.socket, "gethostname", lambda: "elsewhere")
        assert lease.hold()
    assert not lease.hold()
    now = telegram_inbox.time.time()
    monkeypatch.setattr(telegram_inbox.time, "time", lambda: now + LEASE + 1)
    assert lease.hold()


def test_a_process_that_lives_has_not_died() -> None:
    host = telegram_inbox.socket.gethostname()
    assert not telegram_inbox._has_died(f"{host}:{os.getpid()}")
    assert not telegram_inbox._has_died(f"elsewhere:{2**22 + 1}") and telegram_inbox._has_died(f"{host}:{2**22 + 1}")
