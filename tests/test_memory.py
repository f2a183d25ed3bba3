from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot import memory as memory_module
from bot.catalogue import database
from bot.memory import Memory, key_in, mask

ANSWER = {"kind": "procedure"}


@pytest.fixture
def memory(either: sa.engine.Engine) -> Memory:
    return Memory(either, b"k" * 32)


def test_nothing_is_kept_without_consent(memory: Memory) -> None:
    person = memory.person("telegram", "42")
    memory.note("telegram", person, 1, "đăng ký khai sinh", ANSWER)
    assert memory.messages(person) == [] and not memory.has_agreed(person)


def test_what_was_agreed_to_is_kept_masked_and_deleted_on_request(memory: Memory) -> None:
    person, other = memory.person("telegram", "42"), memory.person("telegram", "43")
    for one in (person, other):
        memory.agree("telegram", one)
        memory.agree("telegram", one)
        memory.note("telegram", one, 1, "số em 0912345678 làm khai sinh", ANSWER)
    assert memory.messages(person) == ["số em [số điện thoại] làm khai sinh"]
    assert memory.forget(person) == 1
    assert memory.messages(person) == [] and not memory.has_agreed(person)
    assert memory.messages(other) and memory.has_agreed(other)


def test_what_was_deleted_is_not_in_the_file_any_more(tmp_path: Path) -> None:
    path = tmp_path / "people.sqlite"
    memory = Memory(database.connect(f"sqlite:///{path}"), b"k" * 32)
    person = memory.person("telegram", "42")
    memory.agree("telegram", person)
    memory.note("telegram", person, 1, "câu hỏi rất riêng", ANSWER)

    def files() -> bytes:
        return b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert "rất riêng".encode() in files()
    memory.forget(person)
    assert "rất riêng".encode() not in files() and person.encode() not in files()


def test_a_row_names_nobody(memory: Memory, either: sa.engine.Engine) -> None:
    assert "42" not in memory.person("telegram", "42")
    assert memory.person("telegram", "42") != memory.person("web", "42")
    assert memory.person("telegram", "42") != Memory(either, b"x" * 32).person("telegram", "42")


def test_old_messages_are_purged(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    person = memory.person("telegram", "42")
    memory.agree("telegram", person)
    now = memory_module._now()
    monkeypatch.setattr(memory_module, "_now", lambda: now - timedelta(days=memory_module.KEPT_DAYS, hours=1))
    memory.note("telegram", person, 1, "cũ", ANSWER)
    monkeypatch.undo()
    memory.note("telegram", person, 1, "mới", ANSWER)
    memory.purge()
    assert memory.messages(person) == ["mới"]


@pytest.mark.parametrize("payload", ["/choose", "/choose" + "ậ" * 40])
def test_a_payload_fits_and_comes_back(memory: Memory, payload: str) -> None:
    for _ in range(2):
        short = memory.shorten(payload, 64)
        assert len(short.encode()) <= 64 and memory.lengthen(short) == payload
    assert memory.lengthen("#khong-co") is None


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("cccd 001099012345 của tôi", "cccd [số định danh] của tôi"),
        ("sđt 0912.345.678 nhé", "sđt [số điện thoại] nhé"),
        ("+84 912 345 678", "[số điện thoại]"),
        ("cmnd 012345678", "cmnd [số giấy tờ]"),
        ("thư a.b@mail.vn ạ", "thư [thư điện tử] ạ"),
        ("thủ tục 1.004222 năm 2025, ngày 1/3/2024, nghị định 125/2025", None),
    ],
)
def test_what_leads_to_a_person_is_masked(text: str, masked: str | None) -> None:
    assert mask(text) == (masked or text)


@given(st.from_regex(r"0[35789][0-9]{8}", fullmatch=True))
def test_no_telephone_number_is_left(number: str) -> None:
    assert number not in mask(f"gọi {number} giúp em")


def test_the_key_is_made_once_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "home" / "person.key"
    key = key_in(path)
    assert key_in(path) == key and len(key) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
