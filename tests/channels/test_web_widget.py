"""The component's files: small, cached, the same module that the sources make."""

from __future__ import annotations

import gzip
import re

from bot.channels import web_widget

MOST = 15 * 1024
"""Bytes, gzipped, of everything together."""


def test_everything_together_is_small() -> None:
    sizes = {name: len(file.zipped) for name, file in web_widget.files().items()}
    assert sum(sizes.values()) <= MOST, sizes


def test_the_module_is_whole_and_needs_nothing() -> None:
    script = web_widget.files()["mot-cua-chat.js"].body.decode()
    assert "customElements.define(" in script
    assert not re.search(r"(?m)^\s*(import|export)\b|\bimport\(", script)


def test_every_source_is_served() -> None:
    names = {path.name for path in web_widget.HERE.iterdir() if path.is_file()}
    assert names == {*web_widget.MODULES, "chat.css"}


def test_no_script_makes_markup_or_styles_of_text() -> None:
    for path in web_widget.HERE.glob("*.js"):
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", path.read_text()
        )
        assert not found, path


def test_what_is_sent_zipped_is_the_same() -> None:
    for file in web_widget.files().values():
        assert gzip.decompress(file.zipped) == file.body and not file.body.startswith(b"\xef\xbb\xbf")
