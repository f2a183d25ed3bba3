"""Which version a server answers with: the published one, from its start on, and whenever another one is published."""

from __future__ import annotations

import asyncio
import copy
import logging
import tempfile
import threading
from pathlib import Path
from typing import Optional

from rasa.core.tracker_store import TrackerStore

from bot.live import LiveAgent, Processor
from bot.releases import snapshot
from bot.releases.starting import usable_model
from bot.releases.store import Release, Releases
from bot.runtime import Runtime
from bot.trackers import ForgetfulTrackerStore

EVERY = 2.0
"""Seconds between looks at what is published."""
log = logging.getLogger(__name__)


class CannotServe(RuntimeError):
    """A version cannot be loaded; the message says why, in Vietnamese. What answered before still does."""


class Serving:
    """The versions that one process has loaded: the published one for the citizens, the draft for the staff."""

    def __init__(self, agent: LiveAgent, mine: Runtime) -> None:
        self.agent = agent
        self._mine = mine
        self.releases = Releases(mine.store.engine, mine.settings.models)
        self._draft: Optional[Processor] = None
        self._lock = threading.Lock()

    def made(self, number: int) -> Processor:
        """A version, loaded and tried; takes seconds.

        Raises:
            CannotServe: it cannot be loaded.
        """
        found = self.releases.get(number)
        model = usable_model(self.releases, found) if found else None
        if found is None or model is None:
            raise CannotServe(f"Mô hình của phiên bản {number} không còn trên máy chủ; cần dựng lại từ dữ liệu đã lưu.")
        return self._loaded(found, model)

    def _loaded(self, found: Release, model: Path) -> Processor:
        try:
            with tempfile.TemporaryDirectory(prefix="motcua-release-") as folder:
                mine = self._mine.with_data(snapshot.unpack(self.releases.snapshot(found.id), Path(folder) / "data"))
            return self.agent.made(model, mine, found.id)
        except Exception as error:
            log.exception("release %s cannot be loaded", found.id)
            raise CannotServe(f"Không nạp được phiên bản {found.id}: {error}") from error

    def start(self) -> None:
        """Load what is published. Raises CannotServe."""
        _, number = self.releases.published_id()
        self.agent.put(self.made(number))

    def publish(self, number: int, who: str, kind: str, reason: str = "") -> None:
        """Load a version, publish it, and answer with it from the next turn on.

        Raises:
            CannotServe: it cannot be loaded; nothing was published.
        """
        with self._lock:
            processor = self._draft if self._draft and self._draft.release == number else self.made(number)
            processor = self._bound(processor, self.agent.tracker_store)
            self.releases.publish(number, who, kind, reason)
            self.agent.put(processor)
        self.releases.prune()

    async def follow(self) -> None:
        """Answer with whatever is published, here or on another server, for ever."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await asyncio.to_thread(self.catch_up)
            except Exception:
                log.exception("cannot follow what is published")

    def catch_up(self) -> None:
        """Load what is published, if that is not what answers."""
        with self._lock:
            _, number = self.releases.published_id()
            if number and number != self.agent.release:
                self.agent.put(self.made(number))

    # Trying out

    def trial(self, number: int) -> LiveAgent:
        """A version to talk to, with conversations of its own.

        Raises:
            CannotServe: it cannot be loaded.
        """
        if number == self.agent.release and self.agent.processor:
            return self._apart(self.agent.processor)
        with self._lock:
            if self._draft is None or self._draft.release != number:
                self._draft = self.made(number)
            return self._apart(self._draft)

    def _apart(self, processor: Processor) -> LiveAgent:
        agent = LiveAgent(
            tracker_store=ForgetfulTrackerStore(processor.domain), action_endpoint=self.agent.action_endpoint
        )
        bound = self._bound(processor, agent.tracker_store)
        bound.lock_store = agent.lock_store
        agent.put(bound)
        return agent

    def _bound(self, processor: Processor, trackers: TrackerStore) -> Processor:
        """The same model, for the conversations of another store."""
        bound = copy.copy(processor)
        bound.tracker_store = trackers
        return bound
