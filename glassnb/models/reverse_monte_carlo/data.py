"""Data of reverse Monte Carlo, and the linear maps from pair histograms to what was measured.

Every diffraction result is linear in the number of atom pairs at each distance, so a refinement
needs no more than a matrix and a constant for each data set:
``calculated = constant + sum over pairs and bins of matrix[pair, bin] * histogram[pair, bin]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnb.models.reverse_monte_carlo.data_checks import (
    check_data,
    check_errors,
    default_error,
    in_range,
    point_errors,
)
from glassnb.models.reverse_monte_carlo.linear_maps import (
    Map,
    histogram_map,
    map_through_q,
    structure_factor_map,
)
from glassnb.scattering import ExperimentalData, PairDistribution, StructureFactor
from glassnb.scattering.composition import IsotopeShares, substituted
from glassnb.scattering.pair_function import ExperimentalPairFunction
from glassnb.scattering.weights import factor_products, mean_square

__all__ = [
    "Data",
    "PairDistributionData",
    "StructureFactorData",
    "as_data",
    "check_data",
    "prepared",
]


@dataclass(frozen=True)
class StructureFactorData:
    """A total structure factor to be reproduced, Faber-Ziman convention.

    Parameters
    ----------
    q : array_like, shape (n_points,)
        Scattering vector in Å⁻¹, rising.
    total : array_like, shape (n_points,)
        S(Q), tends to 1.
    radiation : str
        ``"neutron"``, ``"x-ray"`` or ``"electron"``; the weights of the last two depend on Q.
    sigma : float or array_like, shape (n_points,), optional
        Standard error that the refinement assumes, for all points or for each; when omitted, 5 %
        of the standard deviation of the data that are used.
    scale : str
        ``"refine"`` lets the refinement compare ``scale * model + offset`` with the data and fit
        the scale.
    offset : str
        ``"refine"`` lets it fit the offset.
    weight : float
        Factor on the chi-squared of this data set; 0 to follow it without fitting it.
    name : str, optional
        How reports call the data set.
    q_range : tuple of float, optional
        First and last Q to use, in Å⁻¹; all when omitted.
    isotopes : dict, optional
        Isotopes of the sample that neutrons saw, in place of those of the model, for the elements
        named: ``{"H": 2}``, or shares as ``{"Ni": {58: 0.7, 62: 0.3}}``.
    density : float, optional
        Atoms per Å³ of what was measured or modelled; the model that is refined must have it.
    composition : dict of str to float, optional
        Its atoms by symbol, such as ``{"Si": 1, "O": 2}``, which the model must have too.
    """

    q: ArrayLike
    total: ArrayLike
    radiation: str = "neutron"
    sigma: float | ArrayLike | None = None
    scale: str = "fixed"
    offset: str = "fixed"
    weight: float = 1.0
    name: str | None = None
    q_range: tuple[float, float] | None = None
    isotopes: Mapping[str, Any] | None = field(default=None, kw_only=True)
    density: float | None = field(default=None, kw_only=True)
    composition: Mapping[str, float] | None = field(default=None, kw_only=True)

    @property
    def points(self) -> NDArray[np.float64]:
        """Q in Å⁻¹, shape (n_points,)."""
        return np.asarray(self.q, dtype=np.float64)

    @property
    def measured(self) -> NDArray[np.float64]:
        """S(Q), shape (n_points,)."""
        return np.asarray(self.total, dtype=np.float64)

    @property
    def errors(self) -> NDArray[np.float64]:
        """Standard error of each point, shape (n_points,)."""
        return point_errors(self)

    @property
    def convention(self) -> str:
        """What is measured."""
        return "S(Q)"

    @property
    def used_range(self) -> tuple[float, float] | None:
        """First and last Q to use, in Å⁻¹; ``None`` for all."""
        return self.q_range

    def linear_map(
        self,
        species: Sequence[str],
        concentrations: ArrayLike,
        n_atoms: int,
        volume: float,
        edges: ArrayLike,
        isotopes: IsotopeShares | None = None,
    ) -> Map:
        """Return how S(Q) follows from the numbers of pairs.

        The transform is that of :func:`glassnb.scattering.structure_factor` without a window:
        atoms stand in the middle of their bin, and the density is homogeneous beyond the last.

        Parameters
        ----------
        species : sequence of str
            Chemical symbols; pairs are ``itertools.combinations_with_replacement(species, 2)``.
        concentrations : array_like, shape (n_species,)
            Fraction of the atoms of each species.
        n_atoms : int
            Number of atoms.
        volume : float
            Volume of the cell in Å³.
        edges : array_like, shape (n_bins + 1,)
            Edges of the distance bins in Å, equally spaced from 0.
        isotopes : dict, optional
            Isotopes of the model, as :func:`glassnb.scattering.isotope_shares` gives them.

        Returns
        -------
        matrix : ndarray, shape (n_pairs, n_bins, n_points)
            Change of S(Q) with each unordered pair of atoms.
        constant : ndarray, shape (n_points,)
            S(Q) of no pair at all.

        Raises
        ------
        ValueError
            If the data make no sense, or their Q is too large for the bins.
        """
        check_data(self, edges)
        shares = substituted(isotopes or {}, self.isotopes, species)
        return structure_factor_map(
            species, concentrations, n_atoms, volume, edges, self.points, self.radiation, shares
        )


@dataclass(frozen=True)
class PairDistributionData:
    """A measured pair distribution function to be reproduced.

    Parameters
    ----------
    r : array_like, shape (n_points,)
        Distance in Å, rising.
    values : array_like, shape (n_points,)
        The function.
    function : str
        Which one, in the definitions of :meth:`glassnb.scattering.PairDistribution.weighted`:
        ``"g"``, ``"G"`` (Keen; barn), ``"D"``, ``"T"`` (barn Å⁻²) or ``"G_PDF"`` (Å⁻², what
        PDFgetX3 calls G(r)). X-rays: electrons² instead of barn, with form factors at Q = 0;
        electrons: Å².
    radiation : str
        ``"neutron"``, ``"x-ray"`` or ``"electron"``.
    sigma : float or array_like, shape (n_points,), optional
        Standard error that the refinement assumes, for all points or for each; when omitted, 5 %
        of the standard deviation of the data that are used.
    q_max : float, optional
        Last Q of the measurement, in Å⁻¹. The model is transformed to Q, with weights that depend
        on Q, and back with this end, so that it has the ripples of the measured function. It may
        be left out only for neutrons, and then the histogram is compared as it is.
    window : str, optional
        ``"lorch"`` if the measured function was made with the modification function sin(x)/x,
        x = pi Q / q_max.
    weight : float
        Factor on the chi-squared of this data set; 0 to follow it without fitting it.
    scale : str
        ``"refine"`` lets the refinement compare ``scale * model + offset`` with the data and fit
        the scale.
    offset : str
        ``"refine"`` lets it fit the offset.
    name : str, optional
        How reports call the data set.
    r_range : tuple of float, optional
        First and last r to use, in Å; all when omitted.
    isotopes : dict, optional
        Isotopes of the sample that neutrons saw, in place of those of the model, for the elements
        named: ``{"H": 2}``, or shares as ``{"Ni": {58: 0.7, 62: 0.3}}``.
    density : float, optional
        Atoms per Å³ of what was measured or modelled; the model that is refined must have it.
    composition : dict of str to float, optional
        Its atoms by symbol, such as ``{"Si": 1, "O": 2}``, which the model must have too.
    """

    r: ArrayLike
    values: ArrayLike
    function: str = "G_PDF"
    radiation: str = "neutron"
    sigma: float | ArrayLike | None = None
    q_max: float | None = None
    window: str | None = None
    weight: float = 1.0
    scale: str = "fixed"
    offset: str = "fixed"
    name: str | None = None
    r_range: tuple[float, float] | None = None
    isotopes: Mapping[str, Any] | None = field(default=None, kw_only=True)
    density: float | None = field(default=None, kw_only=True)
    composition: Mapping[str, float] | None = field(default=None, kw_only=True)

    @property
    def points(self) -> NDArray[np.float64]:
        """Distance in Å, shape (n_points,)."""
        return np.asarray(self.r, dtype=np.float64)

    @property
    def measured(self) -> NDArray[np.float64]:
        """The function, shape (n_points,)."""
        return np.asarray(self.values, dtype=np.float64)

    @property
    def errors(self) -> NDArray[np.float64]:
        """Standard error of each point, shape (n_points,)."""
        return point_errors(self)

    @property
    def convention(self) -> str:
        """What is measured."""
        return f"{self.function}(r)"

    @property
    def used_range(self) -> tuple[float, float] | None:
        """First and last r to use, in Å; ``None`` for all."""
        return self.r_range

    def linear_map(
        self,
        species: Sequence[str],
        concentrations: ArrayLike,
        n_atoms: int,
        volume: float,
        edges: ArrayLike,
        isotopes: IsotopeShares | None = None,
    ) -> Map:
        """Return how the function follows from the numbers of pairs.

        With ``q_max``: to S(Q) with the weights of the radiation, and back by
        ``G_PDF(r) = 2/pi sum Q [S(Q) - 1] M(Q) sin(Qr) dQ`` from 0 to ``q_max``.

        Parameters
        ----------
        species : sequence of str
            Chemical symbols; pairs are ``itertools.combinations_with_replacement(species, 2)``.
        concentrations : array_like, shape (n_species,)
            Fraction of the atoms of each species.
        n_atoms : int
            Number of atoms.
        volume : float
            Volume of the cell in Å³.
        edges : array_like, shape (n_bins + 1,)
            Edges of the distance bins in Å, equally spaced from 0.
        isotopes : dict, optional
            Isotopes of the model, as :func:`glassnb.scattering.isotope_shares` gives them.

        Returns
        -------
        matrix : ndarray, shape (n_pairs, n_bins, n_points)
            Change of the function with each unordered pair of atoms.
        constant : ndarray, shape (n_points,)
            The function of no pair at all.

        Raises
        ------
        ValueError
            If the data make no sense, reach beyond the histogram, or need ``q_max``.

        References
        ----------
        D. A. Keen, J. Appl. Cryst. 34, 172 (2001); E. Lorch, J. Phys. C 2, 229 (1969).
        """
        check_data(self, edges)
        structure = (species, concentrations, n_atoms, volume, edges)
        r, shares = self.points, substituted(isotopes or {}, self.isotopes, species)
        if self.q_max is None:
            matrix, constant = histogram_map(*structure, r, self.radiation, shares)
        else:
            matrix, constant = map_through_q(
                *structure, r, self.radiation, self.q_max, self.window, shares
            )
        products = factor_products(species, 0.0, self.radiation, isotopes=shares)
        mean2 = float(mean_square(concentrations, products)[0])
        uniform = 4 * np.pi * n_atoms / volume * r
        factor, shift = {
            "G_PDF": (np.ones_like(r), 0.0),
            "D": (mean2 * np.ones_like(r), 0.0),
            "T": (mean2 * np.ones_like(r), mean2 * uniform),
            "G": (mean2 / uniform, 0.0),
            "g": (1 / uniform, 1.0),
        }[self.function]
        return matrix * factor, constant * factor + shift


Data: TypeAlias = StructureFactorData | PairDistributionData


def as_data(item: Any, **changes: Any) -> Data:
    """Turn a measurement, or a model's result as synthetic data, into checked data.

    Parameters
    ----------
    item : object
        :class:`glassnb.scattering.ExperimentalData`, ``ExperimentalPairFunction``,
        ``StructureFactor`` or ``PairDistribution`` (its total g(r) for neutrons), or data already.
        Measured errors below the default of ``sigma`` are raised to it: they are those of counting,
        and the default stands for corrections and the finite model too.
    **changes
        Fields to set, such as ``q_range=(0.6, 20)`` or ``sigma=0.02``.

    Returns
    -------
    StructureFactorData or PairDistributionData
        The points within ``q_range`` or ``r_range`` alone, with their errors and a name.

    Raises
    ------
    TypeError
        If the item is none of these, or has no such field.
    ValueError
        If the data make no sense; see :func:`check_data`.
    """
    return prepared(item, **changes)[0]


def prepared(item: Any, **changes: Any) -> tuple[Data, str]:
    """Return what :func:`as_data` does, and what was assumed of the errors.

    Parameters
    ----------
    item : object
        See :func:`as_data`.
    **changes
        See :func:`as_data`.

    Returns
    -------
    data : StructureFactorData or PairDistributionData
        The data.
    assumed : str
        In words; empty where the errors are as given.
    """
    data = replace(_converted(item), **changes)
    data = replace(data, name=data.name or f"{data.radiation} {data.convention}")
    check_data(data)
    use = in_range(data)
    x, y = data.points[use], data.measured[use]
    errors, assumed = data.errors[use], ""
    if data.sigma is None:
        errors = np.full(y.shape, default_error(data, use))
        assumed = f"sigma of {data.name} {errors[0]:.3g} (5 % of its spread)"
    elif isinstance(item, _MEASURED) and "sigma" not in changes:
        floor = default_error(data, use)
        low = int((errors < floor).sum())
        errors = np.maximum(errors, floor)
        if low:
            words = f"{low} of {y.size} measured errors of {data.name}"
            assumed = f"{words} raised to {floor:.3g} (5 % of its spread)"
    check_errors(errors, y)
    if isinstance(data, StructureFactorData):
        return replace(data, q=x, total=y, sigma=errors), assumed
    return replace(data, r=x, values=y, sigma=errors), assumed


_MEASURED = (ExperimentalData, ExperimentalPairFunction)


def _converted(item: Any) -> Data:
    if isinstance(item, StructureFactorData | PairDistributionData):
        return item
    if isinstance(item, StructureFactor):
        # shells without a scattering vector hold NaN
        use = np.isfinite(item.total)
        return StructureFactorData(
            item.q[use], item.total[use], item.radiation, isotopes=_named(item),
            density=item.density, composition=_composition(item),
        )  # fmt: skip
    if isinstance(item, ExperimentalData):
        return StructureFactorData(item.q, item.total, item.radiation, _known(item.sigma))
    if isinstance(item, ExperimentalPairFunction):
        return PairDistributionData(
            item.r, item.values, item.function, item.radiation, _known(item.sigma), item.q_max
        )
    if isinstance(item, PairDistribution):
        return PairDistributionData(
            item.r, item.weighted("g"), "g", isotopes=_named(item), density=item.density,
            composition=_composition(item),
        )  # fmt: skip
    raise TypeError(
        f"data: {type(item).__name__} is no data; give StructureFactorData, PairDistributionData, "
        "or what glassnb.scattering reads or computes"
    )


def _named(item: StructureFactor | PairDistribution) -> IsotopeShares:
    """Return the isotopes of a model's result, natural elements too: they are not to be guessed."""
    return {symbol: item.isotopes.get(symbol, {0: 1.0}) for symbol in item.symbols}


def _composition(item: StructureFactor | PairDistribution) -> dict[str, float]:
    return dict(zip(item.symbols, item.concentrations.tolist(), strict=True))


def _known(sigma: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return measured errors; those that stand in the file as 0 will be raised."""
    return None if sigma is None else np.where(sigma == 0, np.finfo(float).tiny, sigma)
