"""State of the beam scanner: the slab, the beam on it, its pattern and spots. No widget here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray
from traitlets import Float, Int, TraitError, Unicode, observe, validate

from glassnb.diffraction import (
    Probe,
    Spot,
    SpotSignificance,
    cut_slab,
)
from glassnb_widgets.background import Background
from glassnb_widgets.beam_planes import BehindSpot, PlaneFinder
from glassnb_widgets.beam_slab import (
    PreparedSlab,
    Settings,
    chance,
    euler_angles,
    prepare,
    with_angle,
)

__all__ = ["AXES", "NULLS", "BeamModel"]

AXES = ("x", "y", "z")
#: What patterns are compared with.
NULLS = ("speckle", "phase")
_KEPT = 8  # null distributions that are remembered
_SLAB = ("semiangle", "thickness", "start", "axis", "angle_1", "angle_2", "angle_3")


class BeamModel(Background):
    """A beam that stands somewhere on a slab of a model.

    Positions, patterns and spots follow at once. A new slab, and how strong spots are by chance
    there, are made in the background; so are the planes behind a spot.

    Parameters
    ----------
    atoms : ase.Atoms
        The periodic model.
    probe : Probe
        The beam at first.
    k_max : float
        Half the edge of the patterns in 1/Å.
    seed : int
        Of the null model.
    **traits
        Values of the attributes.

    Attributes
    ----------
    semiangle : float
        Half the opening angle of the beam in mrad.
    thickness, start : float
        Of the slab, and its lower face, in Å.
    axis : str
        Direction of the model along the beam: ``"x"``, ``"y"`` or ``"z"``.
    angle_1, angle_2, angle_3 : float
        Euler angles of the model in degrees, about z, the new x and the new z.
    k_low, k_high : float
        Ring in which spots are sought, in 1/Å.
    null : str
        What chance is: ``"speckle"`` or ``"phase"``.
    x, y : float
        Where the beam stands, in Å; brought into the field of the slab.
    current : int
        Number of the pair of spots that is looked at, from 0; -1 for none.
    slab_changes, pattern_changes, null_changes, plane_changes : int
        Grow when there is another slab, pattern, null distribution, or wave behind a spot.
    prepared : PreparedSlab
        The slab that is there.
    pattern : ndarray, shape (n_k_x, n_k_y)
        Fraction of the current on each pixel.
    spots : PairedSpots
        Pairs of spots in it, the strongest first.
    significance : SpotSignificance or None
        How strong spots are by chance; ``None`` until that is known.
    behind : BehindSpot or None
        What makes the spot that was asked for last.
    finder : PlaneFinder
        Looks for that.
    """

    work = "preparation"

    semiangle = Float(3.3)
    thickness = Float(30.0)
    start = Float(0.0)
    axis = Unicode("z")
    angle_1 = Float(0.0)
    angle_2 = Float(0.0)
    angle_3 = Float(0.0)
    k_low = Float(0.0)
    k_high = Float(1.2)
    null = Unicode("speckle")
    x = Float(0.0)
    y = Float(0.0)
    current = Int(-1)
    slab_changes = Int(0)
    pattern_changes = Int(0)
    null_changes = Int(0)
    plane_changes = Int(0)

    def __init__(
        self, atoms: Atoms, probe: Probe, *, k_max: float = 1.2, seed: int = 0, **traits: Any
    ) -> None:
        self.atoms = atoms.copy()
        self.atoms.calc = None
        self.k_max, self.seed = k_max, seed
        self._first_probe = probe
        # While one of these holds, changes of slab or position are looked at later, together.
        self._turning = self._placing = True
        self._known: dict[Any, SpotSignificance] = {}
        self.significance: SpotSignificance | None = None
        self.behind: BehindSpot | None = None
        # What cannot be is refused at once, here and where the slab is prepared.
        whole = cut_slab(self.atoms, axis=traits.get("axis", "z"))
        traits = {"k_high": k_max, "thickness": round(whole.thickness, 3)} | traits
        super().__init__(semiangle=probe.convergence_semiangle, **traits)
        self.finder = PlaneFinder(self._on_planes)
        prepared = prepare(self.atoms, self.settings)
        self.k_range = prepared.ring(self.k_low, self.k_high)
        self._publish(prepared)
        self._turning = self._placing = False
        self.ask()

    # -- what is wanted ----------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """What the slab is made for."""
        angles = (self.angle_1, self.angle_2, self.angle_3)
        probe = self._first_probe
        if self.semiangle != probe.convergence_semiangle:
            probe = with_angle(probe, self.semiangle)
        return Settings(probe, self.axis, angles, self.thickness, self.start, self.k_max)

    @property
    def position(self) -> tuple[float, float]:
        """Where the beam stands, in Å."""
        return self.x, self.y

    def set_fwhm(self, fwhm: float) -> None:
        """Open the beam so that it is as wide as wanted, in focus.

        Parameters
        ----------
        fwhm : float
            Full width at half maximum in Å.
        """
        probe = self._first_probe
        focused = Probe(probe.voltage, fwhm=fwhm, aperture=probe.aperture)
        self.semiangle = round(focused.convergence_semiangle, 4)

    def turn(self, angles: tuple[float, float, float]) -> None:
        """Turn the model.

        Parameters
        ----------
        angles : tuple of float
            Euler angles in degrees.
        """
        self._together(angle_1=angles[0], angle_2=angles[1], angle_3=angles[2])

    def turn_at_random(self, seed: int) -> None:
        """Turn the model into a direction drawn evenly from all.

        Parameters
        ----------
        seed : int
            Of the random numbers.
        """
        self.turn(euler_angles(seed))

    def set_ring(self, low: float, high: float) -> None:
        """Seek spots in another ring.

        Parameters
        ----------
        low, high : float
            Radii in 1/Å; what lies in the central disc is left out.
        """
        self._together(k_low=low, k_high=high)

    def move(self, x: float, y: float) -> None:
        """Move the beam; its pattern and spots follow at once.

        Parameters
        ----------
        x, y : float
            Where to, in Å; the nearest place of the field is taken.
        """
        with self.lock:
            self._place(round(float(x), 3), round(float(y), 3))  # a number to read
            self._look()

    def pick(self, number: int) -> None:
        """Look for what makes a pair of spots, in the background.

        Parameters
        ----------
        number : int
            Of the pair in :attr:`spots`; -1 for none.
        """
        with self.lock:
            self.current = number
            if number >= 0:
                self.finder.ask(self.prepared, self.spot)

    def pick_at(self, k_x: float, k_y: float) -> None:
        """Look for what makes the pair of spots at or next to a place of the pattern, if any.

        Parameters
        ----------
        k_x, k_y : float
            The place in 1/Å.
        """
        with self.lock:
            if not len(self.spots):
                return
            places = np.stack([self.spots.k_x, self.spots.k_y], axis=1)
            here = np.array([k_x, k_y])
            away = np.minimum(*(np.linalg.norm(places - s * here, axis=1) for s in (1, -1)))
            nearest = int(away.argmin())
            if away[nearest] <= 1.2 * self.prepared.probe.k_aperture:
                self.pick(nearest)

    def go_to_strongest(self) -> None:
        """Move the beam to the strongest pair of the scan over the slab."""
        with self.lock:
            if self.significance is not None:
                place = int(self.significance.strength.argmax())
                self.move(*self.prepared.reference.positions[place])

    @property
    def spot(self) -> Spot | None:
        """The pair that is looked at, with the position of the beam."""
        if self.current < 0:
            return None
        return replace(self.spots[self.current], position=self.position)

    @property
    def p_values(self) -> NDArray[np.float64]:
        """Of each of the spots; NaN until the null distribution is known."""
        if self.significance is None:
            return np.full(len(self.spots), np.nan)
        return self.significance.p_value(self.spots.strength)

    def to_frame(self) -> pd.DataFrame:
        """Return the spots as a table.

        Returns
        -------
        pandas.DataFrame
            One row per pair: ``k``, ``k_x`` and ``k_y`` in 1/Å, ``d`` in Å, ``intensity`` (fraction
            of the current per pixel), ``strength`` and ``p_value``.
        """
        with self.lock:
            frame = self.spots.to_frame()[["k", "k_x", "k_y", "d", "intensity", "strength"]]
            frame["p_value"] = self.p_values
            return frame

    # -- checks and changes ------------------------------------------------------------------------

    @validate("axis", "null")
    def _check_choice(self, proposal: Any) -> str:
        name, value = proposal["trait"].name, proposal["value"]
        known = AXES if name == "axis" else NULLS
        if value not in known:
            raise TraitError(f"{name}={value!r}: must be one of {', '.join(known)}")
        return value

    @validate("x", "y")
    def _check_position(self, proposal: Any) -> float:
        if "prepared" not in self.__dict__:
            return proposal["value"]
        x0, x1, y0, y1 = self.prepared.scanner.field
        low, high = (x0, x1) if proposal["trait"].name == "x" else (y0, y1)
        return float(np.clip(round(float(np.nan_to_num(proposal["value"])), 3), low, high))

    @validate("current")
    def _check_current(self, proposal: Any) -> int:
        if not -1 <= proposal["value"] < len(self.spots):
            raise TraitError(
                f"there is no pair {proposal['value']}: there are {len(self.spots)}, from 0"
            )
        return proposal["value"]

    @observe("x", "y")
    def _on_position(self, change: Any) -> None:
        if not self._placing:
            with self.lock:
                self._look()

    @observe(*_SLAB, "null", "k_low", "k_high")
    def _on_slab(self, change: Any) -> None:
        if not self._turning:
            self.ask()

    def _together(self, **values: float) -> None:
        """Change several things, after which is asked once."""
        self._turning = True
        try:
            for name, value in values.items():
                setattr(self, name, value)
        finally:
            self._turning = False
        self._on_slab(None)

    def _place(self, x: float, y: float) -> None:
        """Move the beam; nobody looks yet."""
        before, self._placing = self._placing, True
        self.x, self.y = x, y
        self._placing = before

    def _look(self) -> None:
        self._compute()
        self.pattern_changes += 1

    def _compute(self) -> None:
        """Compute the pattern under the beam and find its spots."""
        self.pattern = self.prepared.scanner.pattern(self.position)
        self.spots = self.prepared.spots(self.pattern, self.k_range)
        self.current = -1

    # -- in the thread -----------------------------------------------------------------------------

    def _run(self, *wanted: Any) -> None:
        settings, low, high, null = self.settings, self.k_low, self.k_high, self.null
        prepared = self.prepared
        if settings != prepared.settings:
            self.status = "Preparing the slab ..."
            prepared = prepare(self.atoms, settings)
            self.check_wanted()
        k_range = prepared.ring(low, high)
        key = (settings, k_range, null)
        found = self._known.get(key)
        with self.lock:
            self.check_wanted()
            self.significance = found
            if prepared is not self.prepared or k_range != self.k_range:
                self.k_range = k_range
                self._publish(prepared)
            self.null_changes += 1
        if found is None:
            self.status = "Computing the null ..."
            found = chance(prepared, k_range, null, self.seed, self._on_progress)
            with self.lock:
                self.check_wanted()
                if len(self._known) >= _KEPT:
                    del self._known[next(iter(self._known))]
                self._known[key] = self.significance = found
                self.null_changes += 1
        self.status = "Ready."

    def _on_progress(self, done: int, total: int, message: str) -> None:
        self.check_wanted()
        self.status = f"Computing the null: {done} of {total} scans without order ..."

    def _publish(self, prepared: PreparedSlab) -> None:
        """Put another slab under the beam; where it stood is kept, if that is there."""
        before = self.__dict__.get("prepared")
        self.prepared = prepared
        if before is None or before.scanner.field != prepared.scanner.field:
            x0, x1, y0, y1 = prepared.scanner.field
            self._place((x0 + x1) / 2, (y0 + y1) / 2)
        self._compute()
        if before is not prepared:
            self.slab_changes += 1
        self.pattern_changes += 1

    def _on_planes(self, behind: BehindSpot) -> None:
        with self.lock:
            self.behind = behind
            self.plane_changes += 1

    def stop(self) -> None:
        """Give up what goes on in the background."""
        super().stop()
        self.finder.stop()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until slab, null distribution and planes are there.

        Parameters
        ----------
        timeout : float, optional
            Longest wait for each in s.
        """
        super().wait(timeout)
        self.finder.wait(timeout)
