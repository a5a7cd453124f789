"""What all figures share: axes, colours, style, and saving with their history inside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnb.core.config import config
from glassnb.core.provenance import atomic_path, provenance, to_json

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "SPECIES_COLOURS",
    "add_legend",
    "new_axes",
    "paper_style",
    "save_figure",
    "species_colour",
]

SPECIES_COLOURS = {"Si": "#E69F00", "O": "#B22222", "Pd": "#0072B2", "Ge": "#009E73"}


def species_colour(symbol: str) -> str:
    """Return the colour in which a species is drawn.

    Parameters
    ----------
    symbol : str
        Chemical symbol.

    Returns
    -------
    str
        Colour as ``#rrggbb``.
    """
    if symbol in SPECIES_COLOURS:
        return SPECIES_COLOURS[symbol]
    from ase.data import atomic_numbers
    from ase.data.colors import jmol_colors
    from matplotlib.colors import to_hex

    return str(to_hex(jmol_colors[atomic_numbers[symbol]]))


@contextmanager
def paper_style() -> Iterator[None]:
    """Draw what is made in this block in the style of the papers.

    Yields
    ------
    None
        The style is in force until the block ends.
    """
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    with plt.style.context("glassnb.plotting.paper"):
        yield
        interactive = mpl.is_interactive()
    # The first figure of a notebook turns interactive mode on; the style must not turn it off.
    mpl.interactive(interactive)


def new_axes(ax: Axes | None) -> Axes:
    """Return the given axes, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        Axes to draw in.

    Returns
    -------
    matplotlib.axes.Axes
        Axes to draw in.
    """
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    with paper_style():
        return plt.subplots()[1]


def add_legend(ax: Axes, **options: Any) -> None:
    """Add a legend in the size of the axes' own labels.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes that hold labelled artists.
    **options
        Passed on to ``Axes.legend``.
    """
    size = 0.9 * float(ax.xaxis.label.get_fontsize())
    ax.legend(**({"fontsize": size, "frameon": False} | options))


def save_figure(
    figure: Figure,
    name: str | os.PathLike[str],
    *,
    seed: int | None = None,
    **parameters: Any,
) -> Path | None:
    """Save a figure with its history inside the file.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    name : str or path-like
        File to write (png, svg or pdf). A bare name goes to the folder in ``GLASSNB_FIGURES``;
        where that is not set, nothing is written.
    seed : int, optional
        Seed of the random numbers behind the figure.
    **parameters
        What the figure shows: names of models, settings. They are written into the file, with
        the version and the git commit; see :func:`glassnb.core.provenance`.

    Returns
    -------
    pathlib.Path or None
        The file written, if any.
    """
    path = Path(name)
    if path.parent == Path("."):
        folder = config().figures
        if folder is None:
            return None
        path = folder / path
    if not path.suffix:
        path = path.with_suffix(".png")
    record = to_json(provenance(seed=seed, **parameters))
    metadata: dict[str, Any] = {
        ".png": {"Software": None, "Comment": record},
        ".svg": {"Date": None, "Description": record},
        ".pdf": {"CreationDate": None, "Keywords": record},
    }.get(path.suffix, {})
    import matplotlib as mpl

    with atomic_path(path) as temporary, mpl.rc_context({"svg.hashsalt": "glassnb"}):
        figure.savefig(temporary, metadata=metadata, dpi=200)
    return path
