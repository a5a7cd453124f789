"""Two groups of numbers: how different, how sure, and how often by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["GroupComparison", "compare_groups"]

FloatArray = NDArray[np.float64]

_N_BOOTSTRAP = 2000


@dataclass(frozen=True, eq=False, repr=False)
class GroupComparison:
    """How much two groups differ.

    Parameters
    ----------
    first, second : numpy.ndarray, shapes (n_1,) and (n_2,)
        The groups.
    cohen_d : float
        Difference of the means, first less second, over the pooled standard deviation: 0.2 is
        called small, 0.8 large.
    cohen_d_interval : tuple of float
        Its 95 % interval by bootstrap (percentiles).
    rank_biserial : float
        Share of pairs of one of each group in which the first is larger, less the share in which
        the second is: from -1 to 1, 0 without difference.
    p_value : float
        Two-sided, of the difference of the means under random exchange of members.
    n_permutations : int
        Number of exchanges.
    """

    first: FloatArray
    second: FloatArray
    cohen_d: float
    cohen_d_interval: tuple[float, float]
    rank_biserial: float
    p_value: float
    n_permutations: int

    def __repr__(self) -> str:
        """Say in a line what was found."""
        low, high = self.cohen_d_interval
        return (
            f"GroupComparison({self.first.size} and {self.second.size} members, Cohen's d "
            f"{self.cohen_d:.2f} [{low:.2f}, {high:.2f}], rank-biserial {self.rank_biserial:.2f}, "
            f"p = {self.p_value:.2g})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the groups as a table.

        Returns
        -------
        pandas.DataFrame
            Two rows, ``first`` and ``second``: number, mean, standard error and median.
        """
        import pandas as pd

        rows = {
            name: {
                "n": values.size,
                "mean": values.mean(),
                "standard error": values.std(ddof=1) / np.sqrt(values.size),
                "median": np.median(values),
            }
            for name, values in (("first", self.first), ("second", self.second))
        }
        return pd.DataFrame(rows).T.astype({"n": int})

    def plot(
        self, ax: Axes | None = None, *, labels: tuple[str, str] = ("first", "second")
    ) -> Axes:
        """Draw all members, and the means with their standard errors.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        labels : tuple of str
            Names of the groups.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.linking import plot_comparison

        return plot_comparison(self, ax, labels=labels)


def compare_groups(
    first: ArrayLike, second: ArrayLike, *, n_permutations: int = 9999, seed: int = 0
) -> GroupComparison:
    """Compare two groups of independent numbers.

    Members must be independent: of regions that overlap, or come from few models, the p-value
    promises too much.

    Parameters
    ----------
    first, second : array_like, shapes (n_1,) and (n_2,)
        The groups, of at least two members each.
    n_permutations : int
        Number of random exchanges; all exchanges where there are fewer.
    seed : int
        Of the exchanges and of the bootstrap.

    Returns
    -------
    GroupComparison
        Effect sizes with an interval, and a p-value.

    Raises
    ------
    ValueError
        If a group has fewer than two members or one that is not finite, all are equal, or
        ``n_permutations`` is less than 1.

    References
    ----------
    J. Cohen, Statistical Power Analysis for the Behavioral Sciences (1988), chapter 2; D. S. Kerby,
    Compr. Psychol. 3, 1 (2014); B. Phipson and G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 9, 39
    (2010).
    """
    from scipy import stats

    a, b = (np.asarray(values, dtype=float).ravel() for values in (first, second))
    for name, values in (("first", a), ("second", b)):
        if values.size < 2 or not np.isfinite(values).all():
            raise ValueError(f"{name}: must be at least two finite numbers, not {values.tolist()}")
    if n_permutations < 1:
        raise ValueError(f"n_permutations={n_permutations}: must be at least 1")
    if not _pooled_variance(a, b) > 0:
        raise ValueError("first, second: the members of each group are all equal")
    rng = np.random.default_rng(seed)
    test = stats.permutation_test(
        (a, b), lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        n_resamples=n_permutations, vectorized=True, rng=rng,
    )  # fmt: skip
    drawn = _cohen_d(rng.choice(a, (_N_BOOTSTRAP, a.size)), rng.choice(b, (_N_BOOTSTRAP, b.size)))
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    ranks = stats.mannwhitneyu(a, b).statistic
    return GroupComparison(
        a, b, float(_cohen_d(a, b)), (float(low), float(high)),
        float(2 * ranks / (a.size * b.size) - 1), float(test.pvalue), len(test.null_distribution),
    )  # fmt: skip


def _pooled_variance(a: FloatArray, b: FloatArray) -> FloatArray:
    n, m = a.shape[-1], b.shape[-1]
    squares = (n - 1) * a.var(axis=-1, ddof=1) + (m - 1) * b.var(axis=-1, ddof=1)
    pooled: FloatArray = squares / (n + m - 2)
    return pooled


def _cohen_d(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the effect size; NaN for a draw in which all members are equal."""
    spread = np.sqrt(_pooled_variance(a, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        size = (a.mean(axis=-1) - b.mean(axis=-1)) / spread
    return np.where(spread > 0, size, np.nan)
