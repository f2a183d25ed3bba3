"""Keeps secrets out of the log, whoever writes it."""

from __future__ import annotations

import logging
from typing import Any

HIDDEN = "•••"


def hide(*secrets: str) -> None:
    """From now on no log record holds one of these, nor does a traceback that is logged.

    Done where records are made, since libraries bring loggers and handlers of their own (python-telegram-bot's
    errors and httpx's request lines hold the token).
    """
    known = tuple(secret for secret in secrets if secret)
    make = logging.getLogRecordFactory()

    def guarded(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if record.exc_info:
            record.exc_text = _hidden(record.exc_text or logging.Formatter().formatException(record.exc_info), known)
        if record.stack_info:
            record.stack_info = _hidden(record.stack_info, known)
        try:
            text = record.getMessage()
        except Exception:  # a message that does not fit its arguments: logging tells of it, on its own terms
            return record
        if any(secret in text for secret in known):
            record.msg, record.args = _hidden(text, known), ()
        return record

    logging.setLogRecordFactory(guarded)


def _hidden(text: str, known: tuple[str, ...]) -> str:
    for secret in known:
        text = text.replace(secret, HIDDEN)
    return text
