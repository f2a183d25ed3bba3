"""The journal counts turns without saying who asked."""

import sqlalchemy as sa

from bot import journal
from bot.journal import Journal

PAYLOAD = {"kind": "procedure", "facet": "fee", "procedure": {"code": "1.004222"}, "unit": None, "confidence": 0.9}


def rows(engine: sa.engine.Engine, table: sa.Table) -> list[dict[str, object]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def test_turns_of_one_conversation_are_one_session(either: sa.engine.Engine) -> None:
    kept = Journal(either)
    first = kept.turn("web", "an", True, PAYLOAD, 0.02)
    second = kept.turn("web", "an", False, {}, 0.02)
    kept.turn("web", "binh", True, PAYLOAD, 0.02)
    found = rows(either, journal.turn)
    assert first != second
    assert found[0]["procedure"] == "1.004222"
    assert found[0]["session"] == found[1]["session"] != found[2]["session"]
    assert not any("an" in str(row["session"]).split() for row in found)


def test_a_session_ends_by_silence(either: sa.engine.Engine, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    kept, clock = Journal(either), [1000.0]
    monkeypatch.setattr(journal.time, "monotonic", lambda: clock[0])
    kept.turn("web", "an", True, {}, 0.1)
    clock[0] += journal.SILENCE + 1
    kept.turn("web", "an", True, {}, 0.1)
    assert len({row["session"] for row in rows(either, journal.turn)}) == 2


def test_the_last_thumb_counts_and_its_reason_is_masked(either: sa.engine.Engine) -> None:
    kept = Journal(either)
    number = kept.turn("web", "an", True, PAYLOAD, 0.02)
    kept.rate(number, True)
    kept.rate(number, False, "gọi 0912345678 không ai nghe")
    (row,) = rows(either, journal.thumb)
    assert row["up"] is False
    assert "0912345678" not in str(row["reason"])
