"""Reverse Monte Carlo: a model is moved, atom by atom, until it agrees with data."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.progress import ProgressOption, progress_bar
from glassnb.models.checkpoint import Checkpoint
from glassnb.models.reverse_monte_carlo import _kernels, storage
from glassnb.models.reverse_monte_carlo.checks import (
    apart,
    check_constraints,
    energy_of,
    first_and_last,
)
from glassnb.models.reverse_monte_carlo.constraints import Constraint, not_negative, positive
from glassnb.models.reverse_monte_carlo.data import prepared
from glassnb.models.reverse_monte_carlo.defaults import (
    check_material,
    chosen_width,
    closest_approach,
    of_model,
)
from glassnb.models.reverse_monte_carlo.energy import Energy
from glassnb.models.reverse_monte_carlo.fit import Fit
from glassnb.models.reverse_monte_carlo.moves import Moves
from glassnb.models.reverse_monte_carlo.refinement import (
    Curve,
    Record,
    Refinement,
    assumed_words,
)
from glassnb.models.reverse_monte_carlo.report import Report, make_report
from glassnb.models.reverse_monte_carlo.shells import Shells
from glassnb.models.reverse_monte_carlo.system import System

__all__ = ["ReverseMonteCarlo"]

_BLOCK = 2000  # moves between two looks at the clock: a tenth of a second with 3,000 atoms
_SAVE_SECONDS = 20.0
_RECORDS = 200  # of a run, when update_every is left out


class ReverseMonteCarlo:
    """Refinement of a structure against diffraction data and constraints.

    Each move is accepted with probability ``min(1, exp(-d / (2 T)))``, where ``d`` is the change
    of ``chi2 = sum weight (calculated - measured)^2 / sigma^2 + costs of the constraints`` and
    ``T`` the temperature of the run. The cost of a :class:`PotentialEnergy`, which has its own
    temperature, is not divided by ``T``. A data set with refinable scale or offset is compared with
    ``scale * calculated + offset``, fitted by least squares every 2000 moves; within such a block
    chain and move size are left alone, so that it obeys detailed balance.

    The chain is one of single-threaded moves: the same seed gives the same structure, whatever the
    number of threads, with or without checkpoints.

    Parameters
    ----------
    atoms : ase.Atoms
        The start, periodic in three directions; any cell. The cell stays as it is. Constraints of
        ASE are refused: see :class:`FixedAtoms`.
    data : sequence
        :class:`StructureFactorData`, :class:`PairDistributionData`, or what
        :mod:`glassnb.scattering` reads or computes. Where they know the density and composition of
        what they are of, as a ``StructureFactor`` does, the start must have the same.
    constraints : sequence
        :class:`MinimumDistance`, :class:`Coordination`, :class:`BondAngle`, :class:`FixedAtoms`,
        :class:`PotentialEnergy`.
    seed : int
        Seed of the random numbers.
    r_max : float, optional
        Largest distance in Å that is counted; half the smallest height of the cell when omitted.
    bin_width : float, optional
        Width of the distance bins in Å. When omitted 0.05, or the step in r of pair functions
        without ``q_max`` where that is finer (but at least 0.002): they are compared with the
        histogram as it is. A width coarser than such a step is warned of.
    move_size : float
        Largest displacement along each axis in Å, at the start.
    target_acceptance : float or None
        Share of the moves to be accepted, towards which the move size is changed between blocks;
        None keeps it.
    moves : dict, optional
        How often each kind is tried: ``"single"`` (one atom; all moves when omitted), ``"swap"``
        (two atoms of different species exchange places), ``"tetrahedron"`` (a centre with its
        neighbours, as the first coordination has them, is shifted and turned as a rigid body).
    early_rejection : bool
        Reject as soon as the outcome is certain; the chain is the same, only slower, without.
    repair : bool
        Push atoms apart that are closer than a minimum distance, instead of stopping.
    keep_apart : bool
        Pairs of species that no :class:`MinimumDistance` names get one from the start, a tenth
        below its shortest distance, if atoms at random would have come closer; otherwise, or with
        ``False``, they may come as close as they like. :attr:`assumptions` says which they are.
    density_tolerance : float or None
        By how much the density of the start may differ from that of the data (relative), and the
        concentrations (absolute); None does not compare them.

    Attributes
    ----------
    assumptions : tuple of str
        What was assumed and not given, such as errors of the data and minimum distances, in words.

    Raises
    ------
    ValueError
        If data or constraints make no sense, the start breaks a minimum distance, two of its atoms
        overlap, or it has another density or composition than the data.
    TypeError
        If an entry of ``data`` is no data.

    References
    ----------
    R. L. McGreevy and L. Pusztai, Mol. Simul. 1, 359 (1988); R. L. McGreevy, J. Phys.: Condens.
    Matter 13, R877 (2001).

    Examples
    --------
    >>> import glassnb as gn
    >>> glass = gn.models.load("silica-pristine-3000")
    >>> data = gn.scattering.structure_factor(glass, [1.0, 1.5, 2.0, 3.0, 5.0])
    >>> rmc = ReverseMonteCarlo(glass, [data], seed=1)
    >>> rmc.run(2000, progress=False)
    Refinement(3000 atoms, 1 data set, 2000 moves, chi2 ...)
    """

    def __init__(
        self,
        atoms: Atoms,
        data: Sequence[Any] = (),
        constraints: Sequence[Constraint] = (),
        seed: int = 0,
        *,
        r_max: float | None = None,
        bin_width: float | None = None,
        move_size: float = 0.1,
        target_acceptance: float | None = 0.3,
        moves: Mapping[str, float] | None = None,
        early_rejection: bool = True,
        repair: bool = False,
        keep_apart: bool = True,
        density_tolerance: float | None = 0.01,
    ) -> None:
        ready = [prepared(item) for item in data]
        sets, assumed = [item for item, _ in ready], [words for _, words in ready if words]
        check_constraints(sets, constraints)
        if not isinstance(seed, int | np.integer) or seed < 0:
            raise ValueError(f"seed={seed!r}: must be a whole number, 0 or more")
        bin_width, words = chosen_width(sets, bin_width)
        assumed += words
        shares = {"single": 1.0} if moves is None else moves
        self._settings: dict[str, Any] = {
            "seed": int(seed), "r_max": r_max, "bin_width": bin_width, "move_size": move_size,
            "target_acceptance": target_acceptance, "moves": dict(shares),
            "early_rejection": bool(early_rejection),
        }  # fmt: skip
        self._constraints = list(constraints)
        self._system = System(atoms, r_max, bin_width)
        check_material(sets, self._system.start, density_tolerance)
        sets = [of_model(item, self._system.symbols) for item in sets]
        start, self.repaired = apart(self._system, constraints, repair)
        if self.repaired:
            self._system = System(start, r_max, bin_width)
        if keep_apart:
            wall, words = closest_approach(self._system, constraints)
            self._constraints += [] if wall is None else [wall]
            assumed += words
            check_constraints(sets, self._constraints)
        self.assumptions = tuple(assumed)
        limits = self._system.minimum_distances(self._constraints)
        self._system.box.minimum2[:] = limits**2
        self._moves = Moves(self._system, constraints, shares, move_size, target_acceptance)
        self._shells = Shells(self._system, constraints)
        self._energy = Energy(self._system, energy_of(constraints))
        self._fit = Fit(self._system, sets)
        self._generator = np.random.SeedSequence(int(seed)).generate_state(1, np.uint64)
        self._done = 0
        self._last_rate = float("nan")
        self._history: list[Record] = []
        self._first_terms = self.chi2_terms

    def __repr__(self) -> str:
        """Say in a line what is refined, and how far it is."""
        return (
            f"ReverseMonteCarlo({len(self._system)} atoms, {len(self._fit.terms)} data sets, "
            f"{len(self._constraints)} constraints, {self._done} moves, chi2 {self.chi2:.6g}"
            f"{assumed_words(self.assumptions)})"
        )

    @property
    def atoms(self) -> Atoms:
        """The present structure, with the atoms in the order given and not wrapped."""
        return self._system.atoms()

    @property
    def chi2(self) -> float:
        """Chi-squared of all data sets and constraints together."""
        return float(sum(self.chi2_terms.values()))

    @property
    def chi2_terms(self) -> dict[str, float]:
        """Chi-squared by name of data set or constraint; hard constraints cost nothing."""
        return self._fit.chi2_terms() | self._shells.terms() | self._energy.terms()

    @property
    def acceptance(self) -> float:
        """Share of the moves accepted in the last block; NaN before the first."""
        return self._last_rate

    @property
    def moves_done(self) -> int:
        """Number of moves tried so far."""
        return self._done

    @property
    def move_size(self) -> float:
        """Largest displacement of a single atom along each axis, in Å."""
        return float(self._moves.sizes[0])

    def calculated(self, index: int) -> NDArray[np.float64]:
        """Return what the present model gives for a data set.

        Parameters
        ----------
        index : int
            Number of the data set.

        Returns
        -------
        ndarray, shape (n_points,)
            At the points of the data, with its scale and offset.
        """
        return self._fit.calculated[index]

    @property
    def potential_energy(self) -> float | None:
        """Energy of the present structure in eV; None without a :class:`PotentialEnergy`."""
        constraint = self._energy.constraint
        return None if constraint is None else self._energy.total(self._system)

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each data set and constraint that has a cost, by name."""
        return self._fit.weights() | self._shells.weights() | self._energy.weights()

    def set_weight(self, name: str, value: float) -> None:
        """Change the weight of a data set or a constraint, for all moves to come.

        Parameters
        ----------
        name : str
            One of :attr:`chi2_terms`.
        value : float
            The weight, 0 or more.

        Raises
        ------
        ValueError
            If nothing of that name has a weight, or the weight is negative.
        """
        not_negative("value", value)
        if not any(part.set_weight(name, value) for part in self._parts):
            known = ", ".join(self.chi2_terms)
            raise ValueError(f"name={name!r}: must be one of {known}")
        self._fit.update()

    def run(
        self,
        moves: int,
        *,
        temperature: float | tuple[float, float] = 1.0,
        progress: ProgressOption = None,
        checkpoint: str | os.PathLike[str] | None = None,
        stop: Callable[[], bool] | None = None,
        on_update: Callable[[Refinement], None] | None = None,
        update_every: int | None = None,
    ) -> Refinement:
        """Try a number of moves.

        Parameters
        ----------
        moves : int
            How many to try.
        temperature : float or tuple of float
            T in the acceptance ``exp(-d / (2 T))``; two numbers anneal geometrically from the
            first to the second. A :class:`PotentialEnergy` keeps the temperature that it has.
        progress : bool, callable or None
            See :func:`glassnb.core.progress.progress_bar`; counts moves.
        checkpoint : path-like, optional
            Folder in which the state is saved every 20 seconds. A refinement made with the same
            arguments and run with the same folder goes on from there, to the same bits.
        stop : callable, optional
            Called without arguments between blocks of 2000 moves; ends the run once it is true.
        on_update : callable, optional
            Called with the :class:`Refinement` so far at every record.
        update_every : int, optional
            Moves between records, in whole blocks; some 200 records a run when omitted.

        Returns
        -------
        Refinement
            Structure, curves and history so far.

        Raises
        ------
        ValueError
            If an argument is out of range, or ``checkpoint`` holds another run.
        """
        if not isinstance(moves, int | np.integer) or moves < 1:
            raise ValueError(f"moves={moves!r}: must be a whole number, 1 or more")
        first, last = first_and_last(temperature)
        positive("temperature", first, "of chi-squared")
        positive("temperature", last, "of chi-squared")
        every = moves // _RECORDS if update_every is None else int(update_every)
        begin = self._done
        arguments = {
            "moves": moves, "temperature": [first, last], "begin": begin, "update_every": every,
        }  # fmt: skip
        if self._energy.constraint is not None and (first, last) != (1.0, 1.0):
            arguments["energy"] = "at its own temperature"  # once it was annealed like the rest
        with ExitStack() as stack:
            saved = None
            if checkpoint is not None:
                saved = stack.enter_context(
                    Checkpoint(checkpoint, storage.fingerprint(self) | arguments)
                )
                if saved.step:
                    storage.load_state(self, saved.restart)
            bar = stack.enter_context(progress_bar(moves, "reverse Monte Carlo", progress))
            bar.update(self._done - begin)
            if not self._history:
                self._record(first)
            clock, recorded = time.monotonic(), self._history[-1].moves
            while self._done < begin + moves and not (stop is not None and stop()):
                n = min(_BLOCK, begin + moves - self._done)
                share = min(1.0, (self._done - begin) / max(1, moves - _BLOCK))
                now = first * (last / first) ** share
                self._run_block(n, now)
                end = self._done == begin + moves
                if end or self._done - recorded >= every:
                    recorded = self._done
                    self._record(now)
                    if on_update is not None:
                        on_update(self.refinement())
                if saved is not None and (end or time.monotonic() - clock > _SAVE_SECONDS):
                    self._checkpoint(saved)
                    clock = time.monotonic()
                bar.update(n, f"accepted {self._last_rate:.0%}")
            if saved is not None and saved.step != self._done:
                self._checkpoint(saved)
        return self.refinement()

    def refinement(self) -> Refinement:
        """Return the present state.

        Returns
        -------
        Refinement
            Structure, curves and history so far.
        """
        curves = []
        for term, calculated in zip(self._fit.terms, self._fit.calculated, strict=True):
            data = term.data
            curves.append(
                Curve(
                    str(data.name),
                    data.convention,
                    data.radiation,
                    data.points,
                    data.measured,
                    data.errors,
                    calculated,
                    term.scale,
                    term.offset,
                )  # fmt: skip
            )
        atoms = self.atoms
        atoms.info["history"] = storage.history(self)
        return Refinement(atoms, tuple(curves), tuple(self._history), self.assumptions)

    def report(self) -> Report:
        """Return how far atoms moved and what each constraint cost.

        Returns
        -------
        Report
            Tables of displacements, costs and moves.
        """
        return make_report(
            self._system, self._moves, self._first_terms, self.chi2_terms, self.repaired,
            self.assumptions,
        )  # fmt: skip

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write data, constraints, structure and the state of the chain to one file.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        storage.save(self, path)

    @classmethod
    def resume(cls, path: str | os.PathLike[str]) -> ReverseMonteCarlo:
        """Read what :meth:`save` wrote; the chain goes on as if it had not been interrupted.

        Parameters
        ----------
        path : path-like
            A file of :meth:`save`, or the checkpoint folder of a run.

        Returns
        -------
        ReverseMonteCarlo
            At the state saved.

        Raises
        ------
        ValueError
            If the file is no such file, or was made when a :class:`PotentialEnergy` was annealed.
        """
        return storage.resume(cls, path)

    @property
    def _parts(self) -> tuple[Fit, Shells, Energy]:
        return self._fit, self._shells, self._energy

    def _run_block(self, n_moves: int, temperature: float) -> float:
        """Make moves, then all that is not allowed to change within a block; return the change."""
        moves, fit = self._moves, self._fit
        tried, accepted = moves.tried.copy(), moves.accepted.copy()
        change = _kernels.run_block(
            n_moves, temperature, self._settings["early_rejection"], self._done, self._generator,
            self._system.fractional, self._system.box, moves.arrays, self._shells.arrays,
            self._energy.arrays, fit.arrays,
        )  # fmt: skip
        self._done += n_moves
        tried, accepted = moves.tried - tried, moves.accepted - accepted
        self._last_rate = float(accepted.sum() / tried.sum())
        moves.adapt(tried, accepted)
        fit.update()
        return float(change)

    def _record(self, temperature: float) -> None:
        terms = self.chi2_terms
        self._history.append(
            Record(
                self._done, sum(terms.values()), terms, self._last_rate, temperature, self.move_size
            )
        )

    def _checkpoint(self, saved: Checkpoint) -> None:
        saved.save(self._done, lambda path: storage.write(self, Path(path)), {})
