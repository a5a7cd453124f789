"""Viewers that record what they send to the browser, and are closed after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest


class Browser:
    """Stands in for the browser: it can appear, and it keeps every message."""

    def __init__(self, canvas: Any) -> None:
        self.canvas = canvas
        self.messages: list[dict[str, Any]] = []
        canvas.widget.send = self.messages.append

    def appear(self) -> None:
        """Report, as nglview's JavaScript does, that a view is there."""
        self.canvas.widget._handle_custom_msg({"type": "request_loaded", "data": True}, [])

    @property
    def drawn(self) -> list[set[str]]:
        """What each message names."""
        return [set(message["kwargs"]) - {"serial"} for message in self.messages]

    def last(self, name: str) -> Any:
        """Return what the last message that names something says of it."""
        return next(m["kwargs"][name] for m in reversed(self.messages) if name in m["kwargs"])


@pytest.fixture
def shown() -> Iterator[Callable[[Any], Browser]]:
    """Show a widget in a pretended browser, and close it after the test."""
    widgets = []

    def show(widget: Any) -> Browser:
        widgets.append(widget)
        browser = Browser(widget._canvas)
        browser.appear()
        browser.messages.clear()
        return browser

    yield show
    for widget in widgets:
        widget.close()
