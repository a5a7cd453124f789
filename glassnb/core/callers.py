"""Warn at the line of the user who called, however deep the function is that speaks."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn"]


def warn(message: str | Warning) -> None:
    """Warn the first caller outside of glassnb and of ASE, which calls the calculators of others.

    Parameters
    ----------
    message : str or Warning
        What the user should know; a text is a :class:`UserWarning`.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in (
        "glassnb",
        "ase",
    ):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)
