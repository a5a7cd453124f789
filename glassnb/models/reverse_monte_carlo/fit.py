"""From histograms to chi-squared: the linear maps of all data sets, made small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from glassnb.models.reverse_monte_carlo import _kernels
from glassnb.models.reverse_monte_carlo.data import Data
from glassnb.models.reverse_monte_carlo.system import System

__all__ = ["Fit"]

FloatArray = NDArray[np.float64]

# Singular values below this share of the largest are rounding.
_RANK = 1e-13
_SCALES = (0.2, 5.0)  # no measurement is normalised worse


@dataclass
class _Term:
    """One data set: calculated = scale * (constant + histogram @ matrix) + offset."""

    data: Data
    matrix: FloatArray
    constant: FloatArray
    left: FloatArray  # matrix / errors = left @ right, with rows of right that are orthonormal
    right: FloatArray
    weight: float
    scale: float = 1.0
    offset: float = 0.0


class Fit:
    """All data sets, and the residual and gradient with which the kernel works.

    S(Q) is band-limited by ``r_max``, so its points are not independent: an orthogonal change of
    basis for each data set leaves chi-squared as it is and halves the work.

    Parameters
    ----------
    system : System
        The structure.
    data : sequence of Data
        The data sets, with names that differ.
    """

    def __init__(self, system: System, data: Sequence[Data]) -> None:
        self.terms: list[_Term] = []
        for item in data:
            matrix, constant = item.linear_map(
                system.symbols, system.concentrations, len(system), system.volume, system.edges,
                system.isotopes,
            )  # fmt: skip
            matrix = matrix.reshape(-1, constant.size)
            # One thread: the last digits must not depend on the number of threads.
            with threadpool_limits(1):
                left, values, right = np.linalg.svd(matrix / item.errors, full_matrices=False)
            keep = values > _RANK * values[0]
            term = _Term(
                item, matrix, constant, left[:, keep] * values[keep], right[keep], item.weight
            )
            self.terms.append(term)
        self.histogram = np.ascontiguousarray(system.histogram())
        self._assemble()
        self.update()

    @property
    def calculated(self) -> list[FloatArray]:
        """What the model gives at the points of each data set."""
        flat = self.histogram.ravel().astype(float)
        # not by BLAS, whose sums depend on the number of threads
        sums = [np.einsum("k,kp->p", flat, term.matrix) for term in self.terms]
        pairs = zip(self.terms, sums, strict=True)
        return [term.scale * (term.constant + s) + term.offset for term, s in pairs]

    @property
    def arrays(self) -> _kernels.Curves:
        """What the kernel needs."""
        return _kernels.Curves(
            self.histogram, self.matrix, self.transposed, self.residual, self.gradient
        )

    def chi2_terms(self) -> dict[str, float]:
        """Return the chi-squared of each data set."""
        found = {}
        for term, calculated in zip(self.terms, self.calculated, strict=True):
            deviation = (calculated - term.data.measured) / term.data.errors
            found[str(term.data.name)] = float(term.weight * np.sum(deviation**2))
        return found

    def weights(self) -> dict[str, float]:
        """Return the weight of each data set."""
        return {str(term.data.name): term.weight for term in self.terms}

    def set_weight(self, name: str, weight: float) -> bool:
        """Change the weight of a data set; return whether there is one of that name."""
        for term in self.terms:
            if term.data.name == name:
                term.weight = weight
                self._assemble()
                return True
        return False

    def update(self) -> None:
        """Make scales, offsets, residual and gradient anew from the histogram."""
        calculated = self.calculated
        changed = False
        for k, term in enumerate(self.terms):
            if "refine" in (term.data.scale, term.data.offset):
                bare = (calculated[k] - term.offset) / term.scale
                term.scale, term.offset = _scale_and_offset(term.data, bare)
                changed = True
        if changed:
            self._assemble()
        self._differentiate()

    def restore(self) -> None:
        """Make residual and gradient anew, with scales, offsets and weights as they are now."""
        self._assemble()
        self._differentiate()

    def _differentiate(self) -> None:
        calculated = self.calculated
        at = 0
        for term, values in zip(self.terms, calculated, strict=True):
            deviation = (values - term.data.measured) / term.data.errors
            size = term.right.shape[0]
            self.residual[at : at + size] = np.sqrt(term.weight) * np.einsum(
                "kp,p->k", term.right, deviation
            )
            at += size
        self.gradient[:] = np.einsum("ik,k->i", self.matrix, self.residual)

    def _assemble(self) -> None:
        """Put the data sets side by side."""
        parts = [term.left * (term.scale * np.sqrt(term.weight)) for term in self.terms]
        empty = np.empty((self.histogram.size, 0))
        self.matrix = np.ascontiguousarray(np.hstack([empty, *parts]))
        self.transposed = np.ascontiguousarray(self.matrix.T)
        self.residual = np.zeros(self.matrix.shape[1])
        self.gradient = np.zeros(self.histogram.size)


def _scale_and_offset(data: Data, bare: FloatArray) -> tuple[float, float]:
    """Fit measured = scale * bare + offset by weighted least squares."""
    errors = data.errors
    columns, fixed = [], np.zeros_like(bare)
    if data.scale == "refine":
        columns.append(bare)
    else:
        fixed = fixed + bare
    if data.offset == "refine":
        columns.append(np.ones_like(bare))
    design = np.array(columns).T / errors[:, None]
    wanted = (data.measured - fixed) / errors
    with threadpool_limits(1):
        values = list(np.linalg.lstsq(design, wanted, rcond=None)[0])
    scale = float(values.pop(0)) if data.scale == "refine" else 1.0
    # A model without structure yet may ask for a scale that turns the data upside down.
    if not _SCALES[0] < scale < _SCALES[1]:
        return 1.0, 0.0
    return scale, float(values.pop(0)) if data.offset == "refine" else 0.0
