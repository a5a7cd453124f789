"""Pictures of what lies around rings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnb.plotting.figures import add_legend, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.network import RingEnvironment

__all__ = ["plot_ring_environment", "plot_ring_map"]

_AXES = {"x": "major axis", "y": "minor axis", "z": "normal"}
_CYLINDER = ("distance from the normal", "along the normal")


def plot_ring_environment(
    environment: RingEnvironment, ax: Axes | None = None, species: str | None = None
) -> Axes:
    """Draw the densities along the normal of the rings and in their plane.

    Parameters
    ----------
    environment : RingEnvironment
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    species : str, optional
        Species; all that were counted, taken together, when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    r = environment.r
    normal, plane = environment.profile("normal", species), environment.profile("plane", species)
    ax.axhline(1, color="0.7", lw=0.6, zorder=0)
    ax.plot(r, normal, color="#D55E00", label="along the normal")
    ax.plot(r, plane, color="#0072B2", label="in the plane")
    ax.set(
        xlabel="distance from the centre of the ring (Å)",
        ylabel="density / mean" if species is None else f"{species} density / mean",
        xlim=(0, environment.edges[-1]),
        ylim=(0, 1.3 * max(1.5, normal.max(), plane.max())),
    )
    size = 0.9 * float(ax.xaxis.label.get_fontsize())
    add_legend(ax, loc="upper right", title=_rings(environment), title_fontsize=size)
    return ax


def plot_ring_map(
    environment: RingEnvironment,
    ax: Axes | None = None,
    species: str | None = None,
    plane: str | None = None,
    smoothing: float = 0.25,
    **options: Any,
) -> Axes:
    """Draw the density around rings as a map: red is denser than the mean, blue less dense.

    The ellipse in the middle is the ring: its half axes are the root mean square distances of its
    atoms, times sqrt(2) in a section, so that a circular ring lies on it.

    Parameters
    ----------
    environment : RingEnvironment
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    species : str, optional
        Species; all that were counted, taken together, when omitted.
    plane : str, optional
        Plane of a section through the centre, such as ``"xz"``; the cylindrical map when omitted.
    smoothing : float
        Standard deviation in Å of the Gaussian with which the picture is smoothed; 0 for none.
    **options
        Passed on to ``Axes.pcolormesh``.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If the species was not counted, ``plane`` is not made of two axes, or ``smoothing`` is
        negative.
    """
    from matplotlib.colors import TwoSlopeNorm
    from matplotlib.patches import Ellipse
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import MaxNLocator

    if not 0 <= smoothing < np.inf:
        raise ValueError(f"smoothing={smoothing}: must be a distance in Å, or 0 for none")
    x, y, z = environment.extent
    if plane is None:
        quarter, names, ring = environment.cylindrical(species), _CYLINDER, (np.hypot(x, y), z)
        volumes = np.broadcast_to(environment.r[:, None], quarter.shape)
    else:
        quarter = environment.section(plane, species)
        names = f"along the {_AXES[plane[0]]}", f"along the {_AXES[plane[1]]}"
        ring = tuple(np.sqrt(2) * environment.extent["xyz".index(axis)] for axis in plane)
        volumes = np.ones_like(quarter)
    quarter = _smoothed(quarter, volumes, smoothing / environment.edges[1])
    top = max(2.0, float(np.quantile(quarter, 0.998)))
    edges = np.concatenate([-environment.edges[:0:-1], environment.edges])
    ax = new_axes(ax)
    style: dict[str, Any] = {
        "cmap": "RdBu_r",
        "norm": TwoSlopeNorm(1.0, 0.0, top),
        "rasterized": True,
    }
    image = ax.pcolormesh(edges, edges, _mirrored(quarter).T, **(style | options))
    outline = Ellipse((0, 0), 2 * ring[0], 2 * ring[1], fill=False, ec="w", lw=1.0)
    outline.set_path_effects([withStroke(linewidth=2.2, foreground="k")])
    ax.add_patch(outline)
    ax.set(xlabel=f"{names[0]} (Å)", ylabel=f"{names[1]} (Å)", aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    # as high as the map, which a colour bar that takes its room from the axes is not
    bar = ax.figure.colorbar(
        image, cax=ax.inset_axes((1.04, 0.0, 0.05, 1.0)),
        extend="max" if quarter.max() > top else "neither",
    )  # fmt: skip
    bar.set_label(
        "density / mean" if species is None else f"{species} density / mean",
        fontsize=ax.yaxis.label.get_fontsize(),
    )
    bar.ax.tick_params(labelsize=ax.yaxis.get_ticklabels()[0].get_fontsize())
    return ax


def _rings(environment: RingEnvironment) -> str:
    """Say around which rings."""
    sizes = ", ".join(map(str, environment.sizes[:6])) + (", …" * (len(environment.sizes) > 6))
    return f"{environment.n_rings} rings, n = {sizes}"


def _smoothed(
    quarter: NDArray[np.float64], volumes: NDArray[np.float64], width: float
) -> NDArray[np.float64]:
    """Average over a Gaussian of some bins' width, weighted with the volumes of the bins."""
    if width == 0:
        return quarter
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(quarter * volumes, width) / gaussian_filter(volumes, width)


def _mirrored(quarter: NDArray[np.float64]) -> NDArray[np.float64]:
    """Complete a map of absolute coordinates to the other three quarters."""
    half = np.concatenate([quarter[::-1], quarter])
    return np.concatenate([half[:, ::-1], half], axis=1)
