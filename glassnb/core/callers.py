"""Who called: so that a warning points at the line of the user."""

from __future__ import annotations

import sys

__all__ = ["caller_level"]


def caller_level() -> int:
    """Return the ``stacklevel`` of the first caller outside of glassnb.

    Returns
    -------
    int
        For :func:`warnings.warn` in the function that asks.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == "glassnb":
        level, frame = level + 1, frame.f_back
    return level
