"""Learning on persistence diagrams: what in a diagram tells structures apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnb.topology.diagrams import PersistenceDiagrams
from glassnb.topology.image import PersistenceImage, Weight, persistence_image
from glassnb.topology.learned import Learned
from glassnb.topology.learning_data import vectors

__all__ = ["learn"]

_MODELS = ("pca", "logistic", "ridge")
_ITERATIONS = 10000  # of logistic regression
Item = PersistenceImage | PersistenceDiagrams | ArrayLike
Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Fitted = tuple[Floats, Floats, Floats]  # coefficients, intercepts, explained variance


def learn(
    images_or_diagrams: Sequence[Item],
    target: ArrayLike | None = None,
    *,
    model: str = "pca",
    groups: ArrayLike | None = None,
    n_components: int = 2,
    penalty: float = 0.1,
    folds: int = 5,
    seed: int = 0,
    dimension: int = 1,
    limits: tuple[float, float] = (0.0, 8.0),
    bins: int = 64,
    sigma: float = 0.15,
    weight: Weight = ("arctan", 0.5, 1),
) -> Learned:
    """Find what in their diagrams tells structures apart, and test it on structures not seen.

    Parameters
    ----------
    images_or_diagrams : sequence
        Persistence images of one kind, or :class:`PersistenceDiagrams`, or births and deaths in Å²
        of shape (n, 2). Images are divided by the number of atoms; arrays do not know theirs, and
        structures are then taken as equally large.
    target : array_like, shape (n_structures,), optional
        Classes (``model="logistic"``) or numbers (``model="ridge"``) to learn; with
        ``model="pca"`` it is only drawn.
    model : str
        ``"pca"`` finds what varies most (principal components), ``"logistic"`` tells classes apart
        (logistic regression), ``"ridge"`` predicts a number (ridge regression).
    groups : array_like, shape (n_structures,), optional
        Which structures belong together, such as blocks or snapshots of one model: those of a group
        are never in training and test at once. Each is a group of its own when omitted.
    n_components : int
        Number of principal components.
    penalty : float
        Strength of the regularisation: ``alpha`` of scikit-learn's ``Ridge``, ``1 / C`` of its
        ``LogisticRegression``.
    folds : int
        Number of parts in cross-validation; fewer where there are fewer groups.
    seed : int
        Seed that says which groups form a part.
    dimension : int
        0, 1 or 2. Like what follows it says how diagrams become images, see
        :func:`persistence_image`; images bring their own.
    limits : tuple of float
        Range of births and of deaths in Å².
    bins : int
        Number of pixels along each axis.
    sigma : float
        Standard deviation of the Gaussian in Å².
    weight : tuple or None
        How pairs are weighted by their lifetime.

    Returns
    -------
    Learned
        Scores, cross-validated predictions, and coefficients that lead back to the diagram, to its
        pairs and to atoms.

    Raises
    ------
    ValueError
        If an argument is none of these, images differ in kind, the target does not suit the model,
        or there are too few structures or groups to test on ones not seen.

    Notes
    -----
    I. Obayashi, Y. Hiraoka and M. Kimura, J. Appl. Comput. Topol. 1, 421 (2018): linear models on
    persistence images, whose coefficients are a picture themselves. All images are divided by the
    largest value of those that are trained on. Blocks of one model are more alike than two models,
    so that a test on blocks whose neighbours were trained on promises too much.

    Examples
    --------
    >>> import glassnb as gn
    >>> crystals = [gn.models.crystal("alpha-quartz", repeat=2) for _ in range(4)]
    >>> for k, crystal in enumerate(crystals):
    ...     crystal.rattle(0.05 * (k + 1), seed=k)
    >>> found = learn([gn.topology.persistence(crystal) for crystal in crystals])
    >>> found.scores.shape
    (4, 2)
    """
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    if model not in _MODELS:
        raise ValueError(f"model={model!r}: must be one of {', '.join(_MODELS)}")
    _whole("folds", folds, 2)
    if not (np.isfinite(penalty) and penalty > 0):
        raise ValueError(f"penalty={penalty!r}: must be a positive number")
    options = {
        "dimension": dimension, "limits": limits, "bins": bins, "sigma": sigma, "weight": weight
    }  # fmt: skip
    images = _images(images_or_diagrams, options)
    labels = _groups(groups, len(images))
    known = _target(target, model, len(images))
    if model == "pca":
        _whole("n_components", n_components, 1, len(images) - 1)
    classes = np.unique(known) if model == "logistic" and known is not None else None
    fit = _fitter(model, known, classes, n_components, penalty)

    data, per_atom = vectors(images)
    parts = _parts(labels, known if model == "logistic" else None, folds, seed)
    # Threads of the linear algebra gain nothing here, and wait for each other on a busy machine.
    with threadpool_limits(1, "blas"):
        scale = _largest(data)
        coefficients, intercepts, explained = fit(data / scale, np.arange(len(data)))
        coefficients, intercepts = _oriented(coefficients, intercepts, model)
        scores = data / scale @ coefficients.T + intercepts
        held_out = np.full_like(scores, np.nan)
        lost = np.zeros((2, int(parts.max()) + 1))
        for part in range(lost.shape[1]):
            train, test = np.flatnonzero(parts != part), np.flatnonzero(parts == part)
            scaled = data / _largest(data[train])
            found, offset, _ = fit(scaled[train], train)
            if model == "pca":
                held_out[test, : len(found)], lost[:, part] = _project(
                    scaled, train, test, found, offset, coefficients
                )
            else:
                held_out[test] = scaled[test] @ found.T + offset
    names = _names(model, len(coefficients), classes)
    predictions, score, by_part = _judge(model, held_out, known, classes, parts, lost)
    return Learned(
        model, images[0], scale, per_atom, coefficients, intercepts, names, classes, scores,
        held_out, predictions, known, labels, parts, explained if model == "pca" else None, score,
        by_part,
    )  # fmt: skip


# -- fitting -------------------------------------------------------------------------------------


def _fitter(
    model: str,
    target: NDArray[Any] | None,
    classes: NDArray[Any] | None,
    n_components: int,
    penalty: float,
) -> Callable[[Floats, Labels], Fitted]:
    """Return a function that fits rows of data, given with their numbers, by scikit-learn."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression, Ridge

    def components(data: Floats, rows: Labels) -> Fitted:
        found = PCA(min(n_components, len(data) - 1), svd_solver="full").fit(data)
        return found.components_, -found.components_ @ found.mean_, found.explained_variance_ratio_

    def classifier(data: Floats, rows: Labels) -> Fitted:
        assert target is not None
        assert classes is not None
        present = np.unique(target[rows])
        if len(present) < len(classes):
            missing = ", ".join(map(str, np.setdiff1d(classes, present)))
            raise ValueError(
                f"groups: without those of one part, nothing of class {missing} is left to train "
                "on; add groups of that class, or reduce folds"
            )
        # The solution lies in the span of the images: a few coordinates instead of all pixels give
        # the same in less time.
        axes, coordinates = np.linalg.qr(data.T)
        found = LogisticRegression(C=1 / penalty, max_iter=_ITERATIONS)
        found.fit(coordinates.T, target[rows])
        return found.coef_ @ axes.T, found.intercept_, np.empty(0)

    def regression(data: Floats, rows: Labels) -> Fitted:
        assert target is not None
        found = Ridge(alpha=penalty).fit(data, target[rows])
        return found.coef_[None], np.array([found.intercept_]), np.empty(0)

    return {"pca": components, "logistic": classifier, "ridge": regression}[model]


def _oriented(coefficients: Floats, intercepts: Floats, model: str) -> tuple[Floats, Floats]:
    """Turn principal components, whose sign means nothing, so that their largest is positive."""
    if model != "pca":
        return coefficients, intercepts
    top = np.abs(coefficients).argmax(axis=1)
    sign = np.where(coefficients[np.arange(len(top)), top] < 0, -1.0, 1.0)
    return coefficients * sign[:, None], intercepts * sign


def _project(
    data: Floats, train: Labels, test: Labels, found: Floats, offset: Floats, reference: Floats
) -> tuple[Floats, Floats]:
    """Project structures not seen; return scores, and the variance that is missed and all of it."""
    scores = data[test] @ found.T + offset
    centred = data[test] - data[train].mean(axis=0)
    missed = (centred**2).sum() - (scores**2).sum()
    sign = np.where((found * reference[: len(found)]).sum(axis=1) < 0, -1.0, 1.0)
    return scores * sign, np.array([missed, (centred**2).sum()])


def _judge(
    model: str,
    held_out: Floats,
    target: NDArray[Any] | None,
    classes: NDArray[Any] | None,
    parts: Labels,
    lost: Floats,
) -> tuple[NDArray[Any], float, Floats]:
    """Return predictions, and how good they are in all and part by part."""
    if model == "pca":
        with np.errstate(invalid="ignore"):
            return held_out, float(1 - lost[0].sum() / lost[1].sum()), 1 - lost[0] / lost[1]
    assert target is not None
    if model == "logistic":
        assert classes is not None
        decided = held_out[:, 0] > 0 if len(classes) == 2 else held_out.argmax(axis=1)
        predicted = classes[np.asarray(decided, dtype=np.int64)]
        right = predicted == target
        counts = np.bincount(parts)
        return predicted, float(right.mean()), np.bincount(parts, right) / counts
    predicted = held_out[:, 0]
    error = (predicted - target) ** 2
    spread = (target - target.mean()) ** 2
    # of a part alone the variance may be nothing: its errors count against that of all
    by_part = 1 - np.bincount(parts, error) / np.bincount(parts) / spread.mean()
    return predicted, float(1 - error.sum() / spread.sum()), by_part


# -- arguments -----------------------------------------------------------------------------------


def _images(items: Sequence[Item], options: dict[str, Any]) -> list[PersistenceImage]:
    """Turn whatever was given into images of one kind."""
    if isinstance(items, PersistenceDiagrams | PersistenceImage | str) or not hasattr(
        items, "__len__"
    ):
        raise ValueError(
            f"images_or_diagrams={type(items).__name__}: must be a list, one entry a structure"
        )
    if len(items) < 3:
        raise ValueError(
            f"images_or_diagrams: {len(items)} structures; at least three are needed, to test on "
            "one what was found on others"
        )
    images = []
    for k, item in enumerate(items):
        try:
            image = (
                item if isinstance(item, PersistenceImage) else persistence_image(item, **options)
            )
        except (TypeError, ValueError) as error:
            raise ValueError(f"images_or_diagrams[{k}]: {error}") from error
        images.append(image)
    return images


def _target(target: ArrayLike | None, model: str, n: int) -> NDArray[Any] | None:
    if target is None:
        if model == "pca":
            return None
        raise ValueError(
            f"target=None: model={model!r} needs a class or number for each structure; or take "
            'model="pca"'
        )
    known = np.asarray(target)
    if known.shape != (n,):
        raise ValueError(
            f"target: has shape {known.shape} for {n} structures; give one entry for each"
        )
    numeric = known.dtype.kind in "iuf"
    if known.dtype.kind not in "iufbUS" or (numeric and not np.isfinite(known).all()):
        raise ValueError("target: holds what is neither a finite number nor text; repair it")
    if model == "ridge":
        if not numeric or np.ptp(known.astype(np.float64)) == 0:
            raise ValueError(
                'target: model="ridge" needs numbers that differ; for classes take model="logistic"'
            )
        return known.astype(np.float64)
    if model == "logistic" and (len(np.unique(known)) < 2 or len(np.unique(known)) > n // 2):
        raise ValueError(
            f'target: {len(np.unique(known))} classes among {n} structures; model="logistic" needs '
            'two or more, each with several structures; for numbers take model="ridge"'
        )
    return known


def _groups(groups: ArrayLike | None, n: int) -> Labels:
    """Return the number of the group of each structure."""
    if groups is None:
        return np.arange(n)
    given = np.asarray(groups)
    if given.shape != (n,):
        raise ValueError(
            f"groups: has shape {given.shape} for {n} structures; give one entry for each"
        )
    names, numbers = np.unique(given, return_inverse=True)
    if len(names) < 2:
        raise ValueError(
            f"groups: all structures are of group {names[0]!r}; what is found on a model must be "
            "tested on another: give structures of at least two"
        )
    return numbers.astype(np.int64)


def _parts(groups: Labels, classes: NDArray[Any] | None, folds: int, seed: int) -> Labels:
    """Return the part of each structure, groups kept whole and classes spread over the parts."""
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    n_groups = len(np.unique(groups))
    shuffled = np.random.default_rng(seed).permutation(n_groups)[groups]
    blank = np.zeros((len(groups), 1))
    if classes is None:
        splitter: Any = GroupKFold(min(folds, n_groups))
    else:
        fewest = n_groups
        for name in np.unique(classes):
            of_class = len(np.unique(groups[classes == name]))
            if of_class < 2:
                raise ValueError(
                    f"groups: class {name} comes from one group alone; to test whether it is known "
                    "again, give structures of at least two groups of each class"
                )
            fewest = min(fewest, of_class)
        splitter = StratifiedGroupKFold(min(folds, fewest))
    parts = np.empty(len(groups), dtype=np.int64)
    for part, (train, test) in enumerate(splitter.split(blank, classes, shuffled)):
        if len(train) < 2:
            raise ValueError(
                f"groups: without those of one part, {len(train)} structure is left to train on; "
                "add structures"
            )
        parts[test] = part
    return parts


def _names(model: str, n: int, classes: NDArray[Any] | None) -> tuple[str, ...]:
    if model == "pca":
        return tuple(f"PC{k + 1}" for k in range(n))
    if classes is None:
        return ("target",)
    return tuple(map(str, classes)) if n > 1 else (str(classes[1]),)


def _largest(data: Floats) -> float:
    """Return the largest value, by which all are divided."""
    top = float(np.abs(data).max())
    if top == 0:
        raise ValueError(
            "limits: no pair of any structure lies within them; see persistence(...).pairs()"
        )
    return top


def _whole(name: str, value: Any, lowest: int, highest: int | None = None) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | np.integer)
        or value < lowest
        or (highest is not None and value > highest)
    ):
        limits = f"{lowest} or more" if highest is None else f"from {lowest} to {highest}"
        raise ValueError(f"{name}={value!r}: must be a whole number, {limits}")
