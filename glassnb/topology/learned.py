"""What was learned on diagrams, and the way back to pairs and atoms."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassnb.core.parallel import map_tasks
from glassnb.core.progress import ProgressOption
from glassnb.core.provenance import write_table
from glassnb.topology.diagrams import PersistenceDiagrams
from glassnb.topology.image import PersistenceImage, persistence_image
from glassnb.topology.learning_data import (
    SETTINGS,
    atoms_of_cycle,
    pixels_of_pairs,
    size_threshold,
    vectors,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Learned"]

_SIGNS = ("both", "positive", "negative")


@dataclass(frozen=True, repr=False)
class Learned:
    """A linear model on persistence images.

    The score of a structure is the sum, over all pixels of its image, of value times coefficient,
    plus the intercept.

    Parameters
    ----------
    model : str
        ``"pca"``, ``"logistic"`` or ``"ridge"``.
    image : PersistenceImage
        One of the images, which knows their kind.
    scale : float
        By what images were divided.
    per_atom : bool
        Whether images were divided by the number of atoms before.
    coefficients : ndarray, shape (n_maps, n_pixels)
        Coefficients: a row for each principal component, for each class (for the second alone where
        there are two), or one.
    intercepts : ndarray, shape (n_maps,)
        Scores of an empty image.
    names : tuple of str
        What each row is: ``"PC1"``, the name of a class, or ``"target"``.
    classes : ndarray or None
        The classes of logistic regression.
    scores : ndarray, shape (n_structures, n_maps)
        Scores with everything trained on: positions along principal components, decision functions
        of classes, or predicted numbers.
    held_out_scores : ndarray, shape (n_structures, n_maps)
        Scores of each structure without its part of the groups; NaN for principal components that
        too few structures were left for.
    predictions : ndarray
        Cross-validated predictions: a class or number for each structure; for principal components
        ``held_out_scores``.
    target : ndarray or None
        What was to be learned.
    groups : ndarray, shape (n_structures,)
        Number of the group of each structure.
    parts : ndarray, shape (n_structures,)
        Part of the cross-validation in which it was tested.
    explained_variance : ndarray, shape (n_maps,), or None
        Share of the variance along each principal component.
    score : float
        Cross-validated: share of right classes, coefficient of determination R², or share of the
        variance of structures not seen that the principal components explain.
    part_scores : ndarray, shape (n_parts,)
        The same part by part; R² against the variance of all.
    """

    model: str
    image: PersistenceImage
    scale: float
    per_atom: bool
    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    names: tuple[str, ...]
    classes: NDArray[Any] | None
    scores: NDArray[np.float64]
    held_out_scores: NDArray[np.float64]
    predictions: NDArray[Any]
    target: NDArray[Any] | None
    groups: NDArray[np.int64]
    parts: NDArray[np.int64]
    explained_variance: NDArray[np.float64] | None
    score: float
    part_scores: NDArray[np.float64]

    def __repr__(self) -> str:
        """Say in a line what was found."""
        kind = {"pca": "explained variance", "logistic": "accuracy", "ridge": "R²"}[self.model]
        return (
            f"Learned({self.model}, {len(self.scores)} structures, {len(np.unique(self.groups))} "
            f"groups, cross-validated {kind} {self.score:.3f})"
        )

    def coefficient_map(self, component: int | str = 0) -> NDArray[np.float64]:
        """Put the coefficients back on to the diagram.

        Parameters
        ----------
        component : int or str
            Row of :attr:`coefficients`, or its name.

        Returns
        -------
        ndarray, shape (bins, bins)
            Coefficients, deaths by births, on the edges of ``image.edges``; NaN below the diagonal.
            Pairs where they are positive raise the score.

        Raises
        ------
        ValueError
            If there is no such row.
        """
        return self.image.to_plane(self.coefficients[self._row(component)])

    def region(
        self,
        threshold: float | None = None,
        *,
        component: int | str = 0,
        sign: str = "both",
    ) -> NDArray[np.bool_]:
        """Return where the coefficients are large.

        Parameters
        ----------
        threshold : float, optional
            Size from which a coefficient is large; when omitted, one that 1 % of the pixels reach.
        component : int or str
            Row of :attr:`coefficients`, or its name.
        sign : str
            ``"both"``, or ``"positive"`` or ``"negative"`` coefficients alone.

        Returns
        -------
        ndarray of bool, shape (bins, bins)
            Deaths by births.

        Raises
        ------
        ValueError
            If an argument is none of these.
        """
        if sign not in _SIGNS:
            raise ValueError(f"sign={sign!r}: must be one of {', '.join(_SIGNS)}")
        values = self.coefficients[self._row(component)]
        least = size_threshold(values, threshold)
        large = np.abs(values) >= least
        if sign != "both":
            large &= values > 0 if sign == "positive" else values < 0
        plane = np.zeros(self.image.mask.shape, dtype=bool)
        plane[self.image.mask] = large & (values != 0)
        return plane

    def pairs_in(
        self,
        diagrams: PersistenceDiagrams,
        threshold: float | None = None,
        *,
        component: int | str = 0,
        sign: str = "both",
    ) -> NDArray[np.int64]:
        """Return the pairs of a structure that lie where the coefficients are large.

        Parameters
        ----------
        diagrams : PersistenceDiagrams
            The structure.
        threshold : float, optional
            Size from which a coefficient is large; see :meth:`region`.
        component : int or str
            Row of :attr:`coefficients`, or its name.
        sign : str
            ``"both"``, ``"positive"`` or ``"negative"``.

        Returns
        -------
        ndarray, shape (n,)
            Numbers of the pairs, into the rows of ``diagrams.pairs(dimension)``, those with the
            largest coefficients first.

        Raises
        ------
        ValueError
            If an argument is none of these.
        """
        region = self.region(threshold, component=component, sign=sign)
        rows, pixels = pixels_of_pairs(self.image, diagrams)
        size = np.abs(self.coefficient_map(component)[pixels])
        inside = region[pixels]
        return rows[inside][np.argsort(-size[inside], kind="stable")]

    def pair_coefficients(
        self, diagrams: PersistenceDiagrams, component: int | str = 0
    ) -> NDArray[np.float64]:
        """Return the coefficient at each pair of a structure.

        Parameters
        ----------
        diagrams : PersistenceDiagrams
            The structure.
        component : int or str
            Row of :attr:`coefficients`, or its name.

        Returns
        -------
        ndarray, shape (n_pairs,)
            That of the pixel in which the pair lies; 0 outside the image.

        Raises
        ------
        ValueError
            If an argument is none of these.
        """
        plane = self.coefficient_map(component)
        rows, pixels = pixels_of_pairs(self.image, diagrams)
        values = np.zeros(len(diagrams.pairs(self.image.dimension)))
        values[rows] = plane[pixels]
        return values

    def atom_scores(
        self,
        diagrams: PersistenceDiagrams,
        *,
        component: int | str = 0,
        threshold: float | None = 0.0,
        cycle: Callable[[PersistenceDiagrams, int, int], Any] | None = None,
        client: Any = None,
        progress: ProgressOption = None,
    ) -> NDArray[np.float64]:
        """Tell how much each atom takes part in what was found.

        The coefficient at every pair is shared equally by the atoms behind the pair.

        Parameters
        ----------
        diagrams : PersistenceDiagrams
            The structure.
        component : int or str
            Row of :attr:`coefficients`, or its name.
        threshold : float, optional
            Size from which coefficients count, all by default; ``None`` for the largest 1 %, as in
            :meth:`region`, which is what cycles are best drawn for.
        cycle : callable, optional
            Called as ``cycle(diagrams, dimension, index)``, such as ``optimal_cycle``; returns
            indices of atoms, or has them as ``atoms`` or ``indices``. When omitted, the atoms of a
            pair are those of its two simplices: where the hole closes, and where it is filled.
        client : dask.distributed.Client, optional
            Where to look for cycles; threads of this process when omitted.
        progress : bool, callable or None
            See :func:`glassnb.core.progress_bar`; counts cycles.

        Returns
        -------
        ndarray, shape (n_atoms,)
            A number for each atom of ``diagrams.complex.atoms``. The sum is that of the
            coefficients at the pairs.

        Raises
        ------
        ValueError
            If an argument is none of these, or ``cycle`` does not return atoms.
        """
        row = self._row(component)
        values = self.pair_coefficients(diagrams, row)
        rows = np.flatnonzero(
            (np.abs(values) >= size_threshold(self.coefficients[row], threshold)) & (values != 0)
        )
        dimension = self.image.dimension
        n_atoms = len(diagrams.complex.atoms)
        if cycle is None:
            birth, _ = diagrams.birth_simplices(dimension)
            death, _ = diagrams.death_simplices(dimension)
            both = np.concatenate([birth[rows], death[rows]], axis=1)
            members = [np.unique(listed) for listed in both]
        else:
            find = partial(atoms_of_cycle, diagrams=diagrams, cycle=cycle, dimension=dimension)
            members = map_tasks(
                find, rows.tolist(), client=client, progress=progress, description="cycles"
            )
        scores = np.zeros(n_atoms)
        for value, atoms in zip(values[rows], members, strict=True):
            scores[atoms] += value / len(atoms)
        return scores

    def predict(self, images_or_diagrams: Sequence[Any]) -> NDArray[Any]:
        """Apply what was found to other structures.

        Parameters
        ----------
        images_or_diagrams : sequence
            As for :func:`learn`.

        Returns
        -------
        ndarray
            Classes, numbers, or positions along principal components.

        Raises
        ------
        ValueError
            If an image is of another kind, or does not know its number of atoms where those learned
            on did.
        """
        settings = {name: getattr(self.image, name) for name in SETTINGS}
        images = [
            item if isinstance(item, PersistenceImage) else persistence_image(item, **settings)
            for item in images_or_diagrams
        ]
        data, _ = vectors([self.image, *images])
        scores = data[1:] / self.scale @ self.coefficients.T + self.intercepts
        if self.classes is not None:
            one = len(self.classes) == 2
            decided = scores[:, 0] > 0 if one else scores.argmax(axis=1)
            return self.classes[np.asarray(decided, dtype=np.int64)]
        return scores[:, 0] if self.model == "ridge" else scores

    def to_frame(self) -> pd.DataFrame:
        """Return one row per structure.

        Returns
        -------
        pandas.DataFrame
            Columns ``group`` and ``part``, the scores and, as ``held_out_...``, those without the
            part; ``target`` and ``prediction`` where there are any.
        """
        table = pd.DataFrame({"group": self.groups, "part": self.parts})
        for k, name in enumerate(self.names):
            table[name if self.model == "pca" else f"score_{name}"] = self.scores[:, k]
            table[f"held_out_{name}"] = self.held_out_scores[:, k]
        if self.target is not None:
            table["target"] = self.target
        if self.model != "pca":
            table["prediction"] = self.predictions
        return table

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table of :meth:`to_frame` as comma-separated text.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        settings = {name: getattr(self.image, name) for name in SETTINGS}
        write_table(path, self.to_frame(), model=self.model, score=self.score, **settings)

    def plot(self, ax: Axes | None = None, *, labels: Sequence[str] | None = None) -> Axes:
        """Draw the structures by their scores, coloured by the target.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        labels : sequence of str, optional
            A name for each structure, written beside it.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn: the first two principal components, or predictions of structures not
            seen against the target.
        """
        from glassnb.plotting.learning import plot_learned

        return plot_learned(self, ax, labels=labels)

    def plot_map(self, ax: Axes | None = None, *, component: int | str = 0) -> Axes:
        """Draw the coefficients on the diagram, and outline where they are large.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        component : int or str
            Row of :attr:`coefficients`, or its name.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.learning import plot_coefficient_map

        return plot_coefficient_map(self, ax, component=component)

    def _row(self, component: int | str) -> int:
        if isinstance(component, str) and component in self.names:
            return self.names.index(component)
        number = isinstance(component, int | np.integer) and not isinstance(component, bool)
        if number and 0 <= int(component) < len(self.names):
            return int(component)
        raise ValueError(
            f"component={component!r}: must be one of {', '.join(self.names)}, or its number from "
            f"0 to {len(self.names) - 1}"
        )
