"""Where conversations stand, in memory only: nothing that somebody said outlives the process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Optional

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

MOST = 20_000
"""Conversations that are kept; the one that was silent longest goes first."""
EVENTS = 60
"""Events of a conversation that are kept; slots hold all that a later turn needs."""


class ForgetfulTrackerStore(TrackerStore):  # type: ignore[misc]
    """Keeps trackers as they are.

    Rasa's own in-memory store writes and reads the whole conversation as text at every turn, so that each turn
    costs more than the one before, and never drops one.
    """

    def __init__(self, domain: Optional[Domain], event_broker: Optional[EventBroker] = None, **kwargs: Any) -> None:
        super().__init__(domain, event_broker, **kwargs)
        self._trackers: OrderedDict[str, DialogueStateTracker] = OrderedDict()

    async def save(self, tracker: DialogueStateTracker) -> None:
        await self.stream_events(tracker)
        self._trackers[tracker.sender_id] = tracker
        self._trackers.move_to_end(tracker.sender_id)
        while len(self._trackers) > MOST:
            self._trackers.popitem(last=False)

    async def retrieve(self, sender_id: str) -> Optional[DialogueStateTracker]:
        tracker = self._trackers.get(sender_id)
        while tracker is not None and len(tracker.events) > EVENTS:
            tracker.events.popleft()
        return tracker

    async def retrieve_full_tracker(self, sender_id: str) -> Optional[DialogueStateTracker]:
        return await self.retrieve(sender_id)

    async def keys(self) -> Iterable[str]:
        return self._trackers.keys()

    def forget(self, sender_id: str) -> None:
        """Drop a conversation."""
        self._trackers.pop(sender_id, None)
