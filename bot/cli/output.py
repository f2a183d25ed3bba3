"""What every command prints with, and how one fails."""

from __future__ import annotations

import typer
from rich.console import Console

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def say(line: str) -> None:
    """One line as it is: no markup, not cut."""
    console.print(line, markup=False, soft_wrap=True)


def fail(message: str) -> typer.Exit:
    """Tell what is wrong; raise what this gives."""
    errors.print(f"Lỗi: {message}", markup=False, soft_wrap=True)
    return typer.Exit(1)
