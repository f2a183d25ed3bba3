from __future__ import annotations

import io
import logging

from bot.secrets_filter import HIDDEN, hide


def test_no_log_line_and_no_traceback_holds_a_secret() -> None:
    factory = logging.getLogRecordFactory()
    out = io.StringIO()
    logger = logging.getLogger("httpx.test")
    handler = logging.StreamHandler(out)
    logger.addHandler(handler)
    try:
        hide("123:ABC", "")
        logger.error("POST https://api.telegram.org/bot%s/getMe", "123:ABC")
        try:
            raise ValueError("The token `123:ABC` was rejected")
        except ValueError:
            logger.exception("không lên được")
        logger.warning("chuyện khác: %d", 3)
    finally:
        logging.setLogRecordFactory(factory)
        logger.removeHandler(handler)
    text = out.getvalue()
    assert "123:ABC" not in text and text.count(HIDDEN) == 3
    assert "Traceback" in text and "chuyện khác: 3" in text
