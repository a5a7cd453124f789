"""What the beam scanner says in words and tables, and what it saves."""

from __future__ import annotations

import html
import io
from pathlib import Path

import numpy as np
import pandas as pd

from glassnb.core.provenance import atomic_path, provenance, to_json, write_table
from glassnb.diffraction import SpotSignificance
from glassnb_widgets.beam_model import BeamModel
from glassnb_widgets.beam_planes import BehindSpot
from glassnb_widgets.parts import line, table

__all__ = ["LEVEL", "behind_words", "chance_words", "p_text", "save", "slab_words", "spot_table"]

#: p-values below this one are called significant.
LEVEL = 0.05
_SUFFIXES = (".npz", ".png", ".csv")


def p_text(p: float) -> str:
    """Write a p-value.

    Parameters
    ----------
    p : float
        The value; NaN if it is not known yet.

    Returns
    -------
    str
        Two digits after the point, or the first digit that is not zero.
    """
    if np.isnan(p):
        return "?"
    return f"{p:.2f}" if p >= 0.01 else f"{p:.1g}"


def slab_words(model: BeamModel) -> str:
    """Say what stands under which beam.

    Parameters
    ----------
    model : BeamModel
        The state.

    Returns
    -------
    str
        HTML.
    """
    with model.lock:
        slab, probe, ring = model.prepared.slab, model.prepared.probe, model.k_range
        x0, x1, y0, y1 = model.prepared.scanner.field
    wide, high = slab.lengths
    seam = "without a seam" if slab.period else "turned"
    return line(
        f"<b>Slab</b>: {len(slab.atoms):,} atoms, {wide:.1f} × {high:.1f} × "
        f"{slab.thickness:.1f} Å, {seam}; the beam may stand "
        f"at x {x0:.1f} to {x1:.1f}, y {y0:.1f} to {y1:.1f} Å. "
        f"<b>Beam</b>: {probe.voltage / 1e3:g} kV, {probe.fwhm:.2f} Å wide (FWHM), "
        f"{probe.convergence_semiangle:.2f} mrad, half of the current within {probe.d50:.2f} Å. "
        f"<b>Spots</b> are sought at k {ring[0]:.3f} to {ring[1]:.3f} 1/Å (k = 1/d)."
    )


def chance_words(known: SpotSignificance | None) -> str:
    """Say what the scan over the whole slab tells.

    Parameters
    ----------
    known : SpotSignificance or None
        The scan against chance.

    Returns
    -------
    str
        HTML.
    """
    if known is None:
        return line("<b>Chance</b>: p-values follow when the null is known.")
    found, total = int(known.significant(LEVEL).sum()), known.p_values.size
    many, verb = found or "none", "are" if found > 1 else "is"
    middle, high = np.quantile(known.null_strength, [0.5, 0.95])
    return line(
        f"<b>Chance</b> ({html.escape(known.null)}, {known.null_strength.size:,} patterns without "
        f"order): the strongest pair of a pattern has the strength {middle:.1f} in the middle, one "
        f"in twenty more than {high:.1f}. <b>The slab as a whole</b>: {many} of {total} positions "
        f"{verb} significant with 5 % false discoveries; its strongest pair has p "
        f"{p_text(known.scan_p_value)} for the scan."
    )


def behind_words(model: BeamModel, behind: BehindSpot | None) -> str:
    """Say what makes the spot that was clicked.

    Parameters
    ----------
    model : BeamModel
        The state, for the p-value.
    behind : BehindSpot or None
        What makes it.

    Returns
    -------
    str
        HTML.
    """
    if behind is None:
        return line("Click a spot, or choose one by its number, for the atoms that make it.")
    spot, planes, probe = behind.spot, behind.planes, behind.prepared.probe
    known = model.significance
    p = float("nan") if known is None else float(known.p_value(spot.strength))
    if np.isnan(p):
        verdict = "p-value not known"
    elif p < LEVEL:
        verdict = f"p {p_text(p)}: chance seldom makes one so strong"
    else:
        verdict = f"p {p_text(p)}: chance alone makes such pairs"
    along, across, beam = (_length(width) for width in planes.coherence)
    share = float(planes.weights[behind.in_beam].sum())
    x, y = spot.position
    return line(
        f"<b>k {spot.k:.3f} 1/Å, d {spot.d:.2f} Å</b>, beam at x {x:.2f}, y {y:.2f} Å; strength "
        f"{spot.strength:.2f}, {verdict}.<br><b>Planes every {planes.spacing:.2f} Å</b>, in step "
        f"over {along} along k, {across} across, {beam} along the beam (a single atom gives "
        f"{planes.resolution:.1f} Å).<br>{int(behind.in_beam.sum())} atoms within "
        f"{probe.fwhm:.1f} Å of the axis, in full colour, make {share:.0%} of the "
        f"amplitude."
    )


def _length(width: float) -> str:
    return f"{width:.1f} Å" if np.isfinite(width) else "the whole slab"


def spot_table(frame: pd.DataFrame) -> str:
    """Write the spots of the pattern.

    Parameters
    ----------
    frame : pandas.DataFrame
        What :meth:`BeamModel.to_frame` gives.

    Returns
    -------
    str
        HTML.
    """
    if not len(frame):
        return line("No pair of spots is twice as strong as the mean of its ring.")
    shown = frame[["k", "d", "k_x", "k_y", "strength"]].round(3)
    shown.columns = ["k (1/Å)", "d (Å)", "k_x (1/Å)", "k_y (1/Å)", "strength"]
    shown.insert(0, "pair", np.arange(1, len(frame) + 1))
    shown["p"] = [p_text(p) for p in frame["p_value"]]
    shown["intensity"] = [f"{value:.2e}" for value in frame["intensity"]]
    return table(shown)


def save(model: BeamModel, path: str) -> Path:
    """Write the pattern and its spots.

    Parameters
    ----------
    model : BeamModel
        The state.
    path : str
        ``.npz`` for the numbers (``pattern``, ``k_x``, ``k_y``, ``position``, ``spots`` with the
        names of its columns in ``spot_columns``, and ``info``), ``.png`` for a picture, ``.csv``
        for the table of spots.

    Returns
    -------
    pathlib.Path
        What was written.

    Raises
    ------
    ValueError
        If the name has none of these endings.
    """
    target = Path(path).expanduser().resolve()
    if target.suffix.lower() not in _SUFFIXES:
        raise ValueError(f"{path!r}: must end in {', '.join(_SUFFIXES)}")
    with model.lock:
        pattern, prepared, position = model.pattern.copy(), model.prepared, model.position
        frame, ring, null = model.to_frame(), model.k_range, model.null
    settings = prepared.settings
    about = {
        "probe": repr(prepared.probe), "position": list(position), "axis": settings.axis,
        "euler_angles": list(settings.angles), "thickness": prepared.slab.thickness,
        "start": settings.start, "k_range": list(ring), "null": null,
    }  # fmt: skip
    suffix = target.suffix.lower()
    if suffix == ".csv":
        write_table(target, frame, seed=model.seed, **about)
    elif suffix == ".npz":
        info = to_json(provenance(seed=model.seed, **about))
        with atomic_path(target) as temporary:
            np.savez_compressed(
                temporary, pattern=pattern, k_x=prepared.scanner.k_x, k_y=prepared.scanner.k_y,
                position=np.array(position), spots=frame.to_numpy(dtype=float),
                spot_columns=np.array(frame.columns, dtype=str), info=np.array(info),
            )  # fmt: skip
    else:
        with atomic_path(target) as temporary:
            temporary.write_bytes(_png(model, pattern))
    return target


def _png(model: BeamModel, pattern: np.ndarray) -> bytes:
    """Draw the pattern with its spots."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    from glassnb.plotting.diffraction import plot_pattern

    with model.lock:
        prepared, spots, p_values = model.prepared, model.spots, model.p_values
    figure = Figure(figsize=(5, 5), dpi=200, layout="constrained")
    ax = figure.add_subplot()
    disc = prepared.reference.k_disc
    plot_pattern(pattern, prepared.scanner.k_x, prepared.scanner.k_y, ax, k_disc=disc)
    ax.add_patch(Circle((0, 0), disc, color="0.45"))
    for k_x, k_y, p in zip(spots.k_x, spots.k_y, p_values, strict=True):
        colour = "#ffb000" if p < LEVEL else "#56b4e9"
        for sign in (1, -1):
            place = (sign * k_x, sign * k_y)
            ax.add_patch(Circle(place, prepared.probe.k_aperture, fill=False, ec=colour))
        above = (k_x, k_y + prepared.probe.k_aperture)
        ax.annotate(f"p {p_text(p)}", above, color=colour, fontsize=7, ha="center", va="bottom")
    x, y = model.position
    ax.set_title(f"beam {prepared.probe.fwhm:.1f} Å wide at x {x:.2f}, y {y:.2f} Å", fontsize=9)
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()
