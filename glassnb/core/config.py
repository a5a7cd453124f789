"""Settings that users change through environment variables.

====================  =========================  ================================================
variable              values                     meaning
====================  =========================  ================================================
``GLASSNB_SIZE``      ``teaching`` or ``paper``  size of the models the notebooks build
``GLASSNB_PROGRESS``  ``auto`` or ``off``        progress bars of long work
``GLASSNB_FIGURES``   a folder, or ``off``       where notebooks save figures (default: nowhere)
====================  =========================  ================================================
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Config", "config"]


@dataclass(frozen=True)
class Config:
    """Settings in force.

    Parameters
    ----------
    size : str
        ``"teaching"`` or ``"paper"``.
    progress : bool
        Whether long work shows a progress bar by default.
    figures : pathlib.Path or None
        Folder in which notebooks save their figures.
    """

    size: str
    progress: bool
    figures: Path | None

    @property
    def paper(self) -> bool:
        """Whether notebooks build models of the size used in the papers."""
        return self.size == "paper"


def config() -> Config:
    """Read the settings from the environment.

    Returns
    -------
    Config
        The settings in force.

    Raises
    ------
    ValueError
        If a variable holds a value that is not allowed.
    """
    size = _choice("GLASSNB_SIZE", ("teaching", "paper"))
    progress = _choice("GLASSNB_PROGRESS", ("auto", "off")) == "auto"
    figures = os.environ.get("GLASSNB_FIGURES", "off")
    return Config(size, progress, None if figures in ("", "off") else Path(figures))


def _choice(variable: str, allowed: tuple[str, ...]) -> str:
    value = os.environ.get(variable, allowed[0])
    if value not in allowed:
        raise ValueError(f"{variable}={value!r}: must be one of {', '.join(allowed)}")
    return value
