from __future__ import annotations

import asyncio

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SlotSet, UserUttered

from bot import trackers
from bot.trackers import ForgetfulTrackerStore

DOMAIN = Domain.from_dict({"slots": {"unit": {"type": "any", "mappings": [{"type": "custom"}]}}})


def test_a_long_conversation_keeps_its_slots_and_few_events() -> None:
    async def talk() -> None:
        store = ForgetfulTrackerStore(DOMAIN)
        tracker = await store.get_or_create_tracker("a")
        tracker.update(SlotSet("unit", "00277"))
        for number in range(3 * trackers.EVENTS):
            tracker.update(UserUttered(str(number)))
        await store.save(tracker)
        found = await store.get_or_create_tracker("a")
        assert found.get_slot("unit") == "00277"
        assert len(found.events) <= trackers.EVENTS

    asyncio.run(talk())


def test_a_conversation_is_forgotten() -> None:
    async def talk() -> None:
        store = ForgetfulTrackerStore(DOMAIN)
        await store.save(await store.get_or_create_tracker("a"))
        store.forget("a")
        assert await store.retrieve("a") is None
        assert "a" not in await store.keys()

    asyncio.run(talk())


def test_the_silent_ones_go_first(monkeypatch: object) -> None:
    async def talk() -> None:
        store = ForgetfulTrackerStore(DOMAIN)
        for name in ("a", "b", "a", "c"):
            await store.save(await store.get_or_create_tracker(name))
        assert list(await store.keys()) == ["a", "c"]

    most, trackers.MOST = trackers.MOST, 2
    try:
        asyncio.run(talk())
    finally:
        trackers.MOST = most
