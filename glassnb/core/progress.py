"""Progress bars that suit a terminal, a notebook and a log file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from glassnb.core.config import config

__all__ = ["Progress", "ProgressOption", "progress_bar"]

#: ``None``: as ``GLASSNB_PROGRESS`` says; ``True`` or ``False``: show or not;
#: a callable: called as ``callable(done, total, message)`` instead of drawing a bar.
ProgressOption = bool | Callable[[int, int, str], None] | None


class Progress:
    """A running count of work done; use it in a ``with`` block.

    Parameters
    ----------
    total : int
        Number of units of work.
    description : str
        What the work is, shown in front of the bar.
    progress : bool, callable or None
        See :data:`ProgressOption`.
    """

    def __init__(self, total: int, description: str, progress: ProgressOption) -> None:
        self.done = 0
        self.total = total
        self.message = description
        self._callback = progress if callable(progress) else None
        show = config().progress if progress is None else bool(progress)
        self._bar = _tqdm(total, description) if show and self._callback is None else None

    def __enter__(self) -> Progress:
        """Start counting."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the bar."""
        self.close()

    def update(self, units: int = 1, message: str | None = None) -> None:
        """Add ``units`` of finished work, and say what is going on."""
        self.done += units
        if message is not None:
            self.message = message
        if self._callback is not None:
            self._callback(self.done, self.total, self.message)
        elif self._bar is not None:
            if message is not None:
                self._bar.set_postfix_str(message, refresh=False)
            self._bar.update(units)

    def close(self) -> None:
        """Close the bar; later updates still count, but are not drawn."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def progress_bar(total: int, description: str, progress: ProgressOption = None) -> Progress:
    """Start a progress bar.

    Parameters
    ----------
    total : int
        Number of units of work.
    description : str
        What the work is.
    progress : bool, callable or None
        ``None`` follows ``GLASSNB_PROGRESS``; ``True`` or ``False`` shows or hides the bar; a
        callable receives ``(done, total, message)`` instead.

    Returns
    -------
    Progress
        The bar, a context manager with ``update(units, message)``.
    """
    return Progress(total, description, progress)


def _tqdm(total: int, description: str) -> Any:
    """Make the bar: nothing for work under a second, a line every 30 s in a log."""
    from tqdm.auto import tqdm
    from tqdm.std import tqdm as plain

    options: dict[str, Any] = {"total": total, "desc": description, "leave": False, "delay": 1.0}
    if "ipykernel" in sys.modules:
        return tqdm(**options)
    if not sys.stderr.isatty():
        options |= {"mininterval": 30.0, "ascii": True, "ncols": 100}
    return plain(**options)
