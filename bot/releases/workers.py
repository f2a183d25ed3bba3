"""Starts the processes that train (`bot.releases.trainer`), and keeps one warm: loading Rasa takes ten seconds."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Optional

from bot.releases.job import DIED, Jobs
from bot.runtime import Runtime


class Workers:
    """The training processes of one server. They outlive it: how a training ends stands in the database."""

    def __init__(self, mine: Runtime) -> None:
        self._mine = mine
        self._lock = threading.Lock()
        self._waiting: Optional[subprocess.Popen[str]] = None

    def warm(self) -> None:
        """Have a process ready, because somebody is likely to train soon."""
        with self._lock:
            if self._waiting is None or self._waiting.poll() is not None:
                self._waiting = self._spawn("--wait")

    def start(self, job: int) -> None:
        """Let a process do a job."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
            if waiting is not None and waiting.poll() is None and waiting.stdin is not None:
                try:
                    waiting.stdin.write(f"{job}\n")
                    waiting.stdin.close()
                    self._watch(waiting, job)
                    return
                except BrokenPipeError:
                    pass
            self._watch(self._spawn(str(job)), job)

    def close(self) -> None:
        """Let go of a process that waits; one that works goes on."""
        with self._lock:
            if self._waiting is not None and self._waiting.stdin is not None:
                self._waiting.stdin.close()
            self._waiting = None

    def _spawn(self, argument: str) -> subprocess.Popen[str]:
        settings = self._mine.settings
        place = {
            "MOTCUA_HOME": str(settings.home),
            "DATABASE_URL": self._mine.store.engine.url.render_as_string(hide_password=False),
            "MOTCUA_NLU_DATA": str(settings.nlu_data),
        }
        # A session of its own: Ctrl-C on the server does not end a training.
        return subprocess.Popen(
            [sys.executable, "-m", "bot.releases.trainer", argument],
            env={**os.environ, **place},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def _watch(self, process: subprocess.Popen[str], job: int) -> None:
        """Note it at once when a process dies of its job."""

        def wait() -> None:
            if process.wait():
                Jobs(self._mine.store.engine).end(job, "failed", DIED)

        threading.Thread(target=wait, daemon=True).start()
