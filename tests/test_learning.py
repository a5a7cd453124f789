"""Learning on diagrams, the way back to pairs and atoms, and maps of structures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib import use
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge

from glassnb.models import crystal, load, load_series
from glassnb.topology import PersistenceDiagrams, distance_matrix, persistence, persistence_image
from glassnb.topology.embedding import embed
from glassnb.topology.learned import Learned
from glassnb.topology.learning import learn

use("Agg")
PLANTED = (2.0, 5.0)  # Å², where there are more pairs in some structures


def diagram(random: np.random.Generator, planted: int, background: int = 300) -> np.ndarray:
    """Pairs anywhere above the diagonal, and some about PLANTED."""
    pairs = np.sort(random.uniform(0.5, 7.5, (background, 2)), axis=1)
    return np.concatenate([pairs, random.normal(PLANTED, 0.15, (planted, 2))])


@pytest.fixture(scope="module")
def synthetic() -> tuple[list[np.ndarray], np.ndarray]:
    random = np.random.default_rng(11)
    numbers = np.tile([0, 20, 40, 60], 6)
    return [diagram(random, n) for n in numbers], numbers


@pytest.fixture(scope="module")
def compressed() -> tuple[list[PersistenceDiagrams], np.ndarray, np.ndarray]:
    """Glasses of the package at five pressures (GPa), of three seeds each."""
    glasses = load_series("silica-compressed-648")
    histories = [glass.info["history"] for glass in glasses]
    pressures = np.array([history["parameters"]["pressure"] for history in histories])
    seeds = np.array([history["seed"] for history in histories])
    return [persistence(glass) for glass in glasses], pressures, seeds


@pytest.fixture(scope="module")
def glass() -> PersistenceDiagrams:
    return persistence(load("silica-pristine-648"))


def peak(learned: Learned, component: int | str = 0) -> np.ndarray:
    """Birth and death where the coefficient is largest."""
    plane = np.nan_to_num(learned.coefficient_map(component), nan=-np.inf)
    row, column = np.unravel_index(plane.argmax(), plane.shape)
    edges = learned.image.edges
    return np.array([edges[column], edges[row]]) + (edges[1] - edges[0]) / 2


# -- known answers -------------------------------------------------------------------------------


def test_ridge_finds_the_planted_pairs(synthetic: tuple[list[np.ndarray], np.ndarray]) -> None:
    diagrams, numbers = synthetic
    found = learn(diagrams, numbers, model="ridge")
    assert found.score > 0.95
    assert np.abs(peak(found) - PLANTED).max() < 0.3
    assert found.names == ("target",)
    np.testing.assert_allclose(found.predictions, numbers, atol=15)


def test_logistic_finds_the_planted_pairs(synthetic: tuple[list[np.ndarray], np.ndarray]) -> None:
    diagrams, numbers = synthetic
    classes = np.where(numbers > 30, "many", "few")
    found = learn(diagrams, classes, model="logistic")
    assert found.score == 1
    assert found.names == ("many",)
    assert (found.predictions == classes).all()
    assert np.abs(peak(found, "many") - PLANTED).max() < 0.3
    assert (found.predict(diagrams) == classes).all()


def test_pca_finds_the_planted_pairs(synthetic: tuple[list[np.ndarray], np.ndarray]) -> None:
    diagrams, numbers = synthetic
    found = learn(diagrams, numbers)
    assert np.abs(peak(found) - PLANTED).max() < 0.3
    assert np.corrcoef(found.scores[:, 0], numbers)[0, 1] > 0.99
    assert np.corrcoef(found.held_out_scores[:, 0], numbers)[0, 1] > 0.99
    assert found.explained_variance is not None
    assert 0.5 < found.score < found.explained_variance.sum()


def test_nothing_is_learned_from_noise() -> None:
    """Cross-validation knows better than the fit, which separates any 20 images of 2080 pixels."""
    random = np.random.default_rng(3)
    diagrams = [diagram(random, 0) for _ in range(20)]
    target = random.normal(size=20)
    found = learn(diagrams, target, model="ridge", penalty=1e-3)
    assert np.corrcoef(found.scores[:, 0], target)[0, 1] > 0.99
    assert found.score < 0.1


def test_several_classes(compressed: tuple[list[PersistenceDiagrams], np.ndarray, Any]) -> None:
    diagrams, pressures, _ = compressed
    found = learn(diagrams, pressures, model="logistic")
    assert found.names == ("0", "3", "6", "9", "12")
    assert found.score > 0.85
    assert found.scores.shape == found.held_out_scores.shape == (15, 5)
    assert found.predict(diagrams[:3]).tolist() == [0, 0, 0]


# -- equal to scikit-learn -----------------------------------------------------------------------


def test_same_as_scikit_learn(
    compressed: tuple[list[PersistenceDiagrams], np.ndarray, np.ndarray],
) -> None:
    """Images per atom, divided by the largest value of the training set; groups left out whole."""
    diagrams, pressures, seeds = compressed
    images = [persistence_image(d, 1, limits=(0, 8), bins=64, sigma=0.15) for d in diagrams]
    data = np.array([image.vector / image.n_atoms for image in images])
    scaled = data / data.max()
    found = learn(images, pressures, model="ridge", groups=seeds, penalty=0.3)
    model = Ridge(alpha=0.3).fit(scaled, pressures)
    np.testing.assert_allclose(found.coefficients[0], model.coef_)
    np.testing.assert_allclose(found.scores[:, 0], model.predict(scaled))
    for seed in (1, 2, 3):
        train = seeds != seed
        largest = data[train].max()
        model = Ridge(alpha=0.3).fit(data[train] / largest, pressures[train])
        np.testing.assert_allclose(found.predictions[~train], model.predict(data[~train] / largest))
    parts = PCA(3, svd_solver="full").fit(scaled)
    components = learn(diagrams, n_components=3)
    np.testing.assert_allclose(np.abs(components.scores), np.abs(parts.transform(scaled)))
    np.testing.assert_allclose(components.explained_variance, parts.explained_variance_ratio_)
    np.testing.assert_allclose(components.predict(diagrams), components.scores, atol=1e-12)
    dense = pressures > 5
    classes = learn(diagrams, dense, model="logistic", penalty=2)
    logistic = LogisticRegression(C=0.5, max_iter=10000).fit(scaled, dense)
    np.testing.assert_allclose(classes.coefficients, logistic.coef_, atol=1e-6)


# -- real structures -----------------------------------------------------------------------------


def test_first_component_follows_disorder() -> None:
    diagrams = []
    for amplitude in (0.02, 0.05, 0.1, 0.2, 0.3):
        atoms = crystal("alpha-cristobalite", repeat=(4, 4, 3))
        atoms.rattle(amplitude, seed=1)
        diagrams.append(persistence(atoms))
    found = learn(diagrams)
    steps = np.diff(found.scores[:, 0])
    assert (steps < 0).all() or (steps > 0).all()
    assert found.explained_variance is not None
    assert found.explained_variance[0] > 0.7


def test_first_component_from_crystal_to_glass() -> None:
    """Rattled crystals at growing amplitude, then a slowly and a fast quenched glass."""
    diagrams = []
    for amplitude in (0.02, 0.1, 0.2):
        atoms = crystal("alpha-cristobalite", repeat=(5, 5, 4))
        atoms.rattle(amplitude, seed=1)
        diagrams.append(persistence(atoms))
    diagrams += [persistence(load(f"silica-{n}-3000")) for n in ("pristine", "quench-fast")]
    first = learn(diagrams).scores[:, 0]
    assert (np.diff(first) < 0).all() or (np.diff(first) > 0).all()


def test_pressure_of_glasses_not_seen(
    compressed: tuple[list[PersistenceDiagrams], np.ndarray, np.ndarray],
) -> None:
    diagrams, pressures, seeds = compressed
    found = learn(diagrams, pressures, model="ridge", groups=seeds)
    assert found.score > 0.95
    assert len(found.part_scores) == 3
    assert (found.part_scores > 0.9).all()
    # rings of Si and O are filled earlier in dense glasses (facts section 6: coesite below glass)
    plane = found.coefficient_map()
    edges = found.image.edges[:-1]
    births = (edges > 0.5) & (edges < 0.8)
    assert plane[np.ix_((edges > 2) & (edges < 2.7), births)].mean() > 0
    assert plane[np.ix_((edges > 3.5) & (edges < 5), births)].mean() < 0


# -- no leak between groups ----------------------------------------------------------------------


def test_groups_stay_whole(synthetic: tuple[list[np.ndarray], np.ndarray]) -> None:
    diagrams, numbers = synthetic
    groups = np.arange(24) // 3
    for model, target in (("ridge", numbers), ("pca", None), ("logistic", numbers > 30)):
        for seed in (0, 1):
            found = learn(diagrams, target, model=model, groups=groups, folds=4, seed=seed)
            for group in range(8):
                assert len(set(found.parts[groups == group])) == 1
            assert len(set(found.parts)) == 4
    parts = [learn(diagrams, groups=groups, folds=4, seed=seed).parts.tolist() for seed in range(4)]
    assert any(parts[0] != other for other in parts[1:])


def test_blocks_of_one_model_promise_too_much() -> None:
    """Each model has a mark of its own and no class: only leaking lets its blocks be told apart."""
    random = np.random.default_rng(5)
    diagrams, classes, groups = [], [], []
    for group in range(8):
        mark = np.array([random.uniform(0.5, 2), random.uniform(4, 7)])
        for _ in range(6):
            own = random.normal(mark, 0.05, (40, 2))
            diagrams.append(np.concatenate([diagram(random, 0, 40), own]))
            classes.append("ab"[group % 2])
            groups.append(group)
    leaking = learn(diagrams, classes, model="logistic", penalty=0.01)
    honest = learn(diagrams, classes, model="logistic", penalty=0.01, groups=groups)
    assert leaking.score > 0.95
    assert honest.score < 0.75


def test_test_structures_do_not_reach_the_training() -> None:
    """Neither the largest value of all nor the target of a structure is known without it."""
    random = np.random.default_rng(8)
    diagrams = [diagram(random, n) for n in range(0, 55, 5)] + [diagram(random, 500)]
    target = np.arange(12.0)
    found = learn(diagrams, target, model="ridge", folds=12)
    data = np.array([persistence_image(d, bins=64, sigma=0.15).vector for d in diagrams])
    assert data[-1].max() > 2 * data[:-1].max()
    scale = data[:-1].max()
    model = Ridge(alpha=0.1).fit(data[:-1] / scale, target[:-1])
    assert found.predictions[-1] == pytest.approx(model.predict(data[-1:] / scale)[0])
    target[-1] = -50
    other = learn(diagrams, target, model="ridge", folds=12)
    assert other.predictions[-1] == pytest.approx(found.predictions[-1])


# -- back to pairs and atoms ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def learned(compressed: tuple[list[PersistenceDiagrams], np.ndarray, np.ndarray]) -> Learned:
    diagrams, pressures, seeds = compressed
    return learn(diagrams, pressures, model="ridge", groups=seeds)


def test_region_and_pairs(learned: Learned, glass: PersistenceDiagrams) -> None:
    region = learned.region()
    assert region.sum() == pytest.approx(0.01 * learned.image.mask.sum(), abs=1.5)
    plane = learned.coefficient_map()
    assert np.nanmin(np.abs(plane[region])) >= np.nanmax(np.abs(plane[~region]))
    positive, negative = learned.region(sign="positive"), learned.region(sign="negative")
    assert (positive ^ negative == region).all()
    rows = learned.pairs_in(glass)
    pairs = glass.pairs(1)
    width = learned.image.edges[1]
    slow = [
        k
        for k, (birth, death) in enumerate(pairs)
        if death < 8 and region[int(death / width), int(birth / width)]
    ]
    assert sorted(rows.tolist()) == slow
    values = learned.pair_coefficients(glass)
    assert (np.diff(np.abs(values[rows])) <= 0).all()
    least = float(np.abs(values).max()) * 0.9
    assert set(learned.pairs_in(glass, least)) == set(np.flatnonzero(np.abs(values) >= least))
    dense = learned.pairs_in(glass, sign="positive")
    assert (values[dense] > 0).all()


def test_the_score_of_a_structure_is_that_of_its_image(
    learned: Learned, glass: PersistenceDiagrams
) -> None:
    image = persistence_image(glass, bins=64, sigma=0.15)
    plane = np.nan_to_num(image.plane) * np.nan_to_num(learned.coefficient_map())
    score = plane.sum() / image.n_atoms / learned.scale + learned.intercepts[0]
    assert learned.predict([glass])[0] == pytest.approx(score)
    assert -2 < score < 2  # a glass made without pressure


def test_atom_scores_by_hand(learned: Learned, glass: PersistenceDiagrams) -> None:
    values = learned.pair_coefficients(glass)
    scores = learned.atom_scores(glass)
    assert scores.shape == (648,)
    assert scores.sum() == pytest.approx(values.sum())
    slow = np.zeros(648)
    birth, death = glass.birth_simplices(1)[0], glass.death_simplices(1)[0]
    for value, edge, triangle in zip(values, birth, death, strict=True):
        members = set(edge.tolist()) | set(triangle.tolist())
        for atom in members:
            slow[atom] += value / len(members)
    np.testing.assert_allclose(scores, slow, atol=1e-12)
    few = learned.atom_scores(glass, threshold=None)
    assert few.sum() == pytest.approx(values[learned.pairs_in(glass)].sum())


def test_atom_scores_follow_the_atoms(learned: Learned) -> None:
    glass = load("silica-pristine-648")
    order = np.random.default_rng(2).permutation(len(glass))
    scores = learned.atom_scores(persistence(glass))
    np.testing.assert_allclose(
        learned.atom_scores(persistence(glass[order])), scores[order], atol=1e-9
    )
    glass.positions += [1.3, -0.4, 7.7]
    glass.wrap()
    np.testing.assert_allclose(learned.atom_scores(persistence(glass)), scores, atol=1e-6)


def test_atom_scores_over_cycles(learned: Learned, glass: PersistenceDiagrams) -> None:
    calls = []

    class Cycle:
        def __init__(self, atoms: np.ndarray) -> None:
            self.atoms = atoms

    def as_object(diagrams: PersistenceDiagrams, dimension: int, index: int) -> Cycle:
        calls.append((dimension, index))
        return Cycle(diagrams.death_simplices(dimension)[0][index])

    def as_list(diagrams: PersistenceDiagrams, dimension: int, index: int) -> list[int]:
        atoms = diagrams.death_simplices(dimension)[0][index].tolist()
        return [*atoms, atoms[0]]  # closed: the first again

    one = learned.atom_scores(glass, threshold=None, cycle=as_object)
    rows = learned.pairs_in(glass)
    assert sorted(calls) == [(1, int(row)) for row in np.sort(rows)]
    np.testing.assert_allclose(
        one, learned.atom_scores(glass, threshold=None, cycle=as_list), atol=1e-12
    )
    slow = np.zeros(648)
    values = learned.pair_coefficients(glass)
    for row in rows:
        slow[glass.death_simplices(1)[0][row]] += values[row] / 3
    np.testing.assert_allclose(one, slow, atol=1e-12)
    bad: list[Callable[..., Any]] = [lambda *_: None, lambda *_: [], lambda *_: [0.5]]
    for cycle in bad:
        with pytest.raises(ValueError, match="cycle: returned"):
            learned.atom_scores(glass, threshold=None, cycle=cycle)


# -- results -------------------------------------------------------------------------------------


def test_tables_and_pictures(
    compressed: tuple[list[PersistenceDiagrams], np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    diagrams, pressures, seeds = compressed
    found = {
        "pca": learn(diagrams, pressures),
        "ridge": learn(diagrams, pressures, model="ridge", groups=seeds),
        "logistic": learn(diagrams, pressures > 5, model="logistic"),
    }
    for name, result in found.items():
        table = result.to_frame()
        assert len(table) == 15
        assert ("prediction" in table) == (name != "pca")
        result.save(tmp_path / "table.csv")
        assert len(pd.read_csv(tmp_path / "table.csv", comment="#")) == 15
        assert name in repr(result)
        ax = result.plot(labels=[str(k) for k in range(15)])
        assert len(ax.texts) == 15
        assert result.plot_map(component=result.names[0]).get_xlabel() == "birth (Å²)"
    points = found["pca"].plot().collections[0].get_offsets()
    np.testing.assert_allclose(points, found["pca"].scores)
    learn(diagrams, n_components=1).plot()
    learn(diagrams, pressures, model="logistic").plot()
    plt.close("all")


def test_same_again(synthetic: tuple[list[np.ndarray], np.ndarray]) -> None:
    diagrams, numbers = synthetic
    one, other = (learn(diagrams, numbers > 30, model="logistic", seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.coefficients, other.coefficients)
    np.testing.assert_array_equal(one.parts, other.parts)


# -- maps ----------------------------------------------------------------------------------------


def test_embedding_of_points_is_exact() -> None:
    points = np.random.default_rng(6).normal(size=(12, 3)) * [3, 2, 1]
    apart = cdist(points, points)
    found = embed(apart, 3)
    np.testing.assert_allclose(cdist(found.coordinates, found.coordinates), apart, atol=1e-9)
    assert found.stress < 1e-9
    assert found.explained.sum() == pytest.approx(1)
    flat = embed(apart, 2)
    # principal axes: those of the centred points
    np.testing.assert_allclose(
        np.abs(flat.coordinates), np.abs(PCA(2).fit_transform(points)), atol=1e-9
    )
    assert 0 < flat.stress < 0.3


def test_map_of_structures() -> None:
    diagrams = []
    for amplitude in (0.02, 0.08, 0.16, 0.3):
        atoms = crystal("alpha-quartz", repeat=3)
        atoms.rattle(amplitude, seed=1)
        diagrams.append(persistence(atoms))
    names = ["a", "b", "c", "d"]
    found = embed(distance_matrix(diagrams, kind="wasserstein"), labels=names)
    steps = np.diff(found.coordinates[:, 0])
    assert (steps > 0).all() or (steps < 0).all()
    assert list(found.to_frame()["label"]) == names
    ax = found.plot(target=[0.02, 0.08, 0.16, 0.3], show=["a", "d"])
    assert [text.get_text() for text in ax.texts] == ["a", "d"]
    assert len(found.plot(target=["x", "x", "y", "y"]).collections) == 2
    plt.close("all")


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "forest"}, "model='forest': must be one of pca"),
        ({"groups": [0] * 24}, "must be tested on another"),
        ({"groups": [0, 1]}, "groups: has shape"),
        ({"model": "ridge"}, "needs a class or number"),
        ({"model": "ridge", "target": ["a"] * 24}, "needs numbers that differ"),
        ({"model": "ridge", "target": [1.0] * 24}, "needs numbers that differ"),
        ({"model": "ridge", "target": [np.nan] * 24}, "neither a finite number nor text"),
        ({"model": "ridge", "target": [1.0]}, "target: has shape"),
        ({"model": "logistic", "target": ["a"] * 24}, "1 classes among 24"),
        ({"model": "logistic", "target": list(range(24))}, "24 classes among 24"),
        (
            {"model": "logistic", "target": ["a", "b"] * 12, "groups": [0, 1] * 12},
            "comes from one group alone",
        ),
        ({"n_components": 24}, "n_components=24: must be a whole number, from 1 to 23"),
        ({"folds": 1}, "folds=1"),
        ({"penalty": 0}, "penalty=0"),
        ({"limits": (20, 30)}, "no pair of any structure"),
        ({"sigma": 0.01}, r"images_or_diagrams\[0\]: sigma=0.01"),
    ],
)
def test_bad_arguments(
    arguments: dict[str, Any], message: str, synthetic: tuple[list[np.ndarray], np.ndarray]
) -> None:
    with pytest.raises(ValueError, match=message):
        learn(synthetic[0], **arguments)


def test_bad_structures(
    synthetic: tuple[list[np.ndarray], np.ndarray], glass: PersistenceDiagrams, learned: Learned
) -> None:
    arrays = synthetic[0]
    with pytest.raises(ValueError, match="at least three"):
        learn(arrays[:2])
    with pytest.raises(ValueError, match="must be a list"):
        learn(glass)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"images_or_diagrams\[2\]"):
        learn([*arrays[:2], np.ones(3)])
    with pytest.raises(ValueError, match="some know their number of atoms"):
        learn([*arrays[:3], glass])
    images = [persistence_image(arrays[0], bins=bins) for bins in (64, 64, 80)]
    with pytest.raises(ValueError, match="bins of image 2 is 80"):
        learn(images)
    with pytest.raises(ValueError, match="component='PC1': must be one of target"):
        learned.coefficient_map("PC1")
    with pytest.raises(ValueError, match="component=3"):
        learned.coefficient_map(3)
    with pytest.raises(ValueError, match="threshold=-1"):
        learned.region(-1)
    with pytest.raises(ValueError, match="sign='up'"):
        learned.region(sign="up")
    with pytest.raises(ValueError, match="must be PersistenceDiagrams"):
        learned.pairs_in(glass.pairs(1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="labels: 1 for 15"):
        learned.plot(labels=["a"])
    with pytest.raises(ValueError, match="some know their number of atoms"):
        learned.predict(arrays[:1])


def test_bad_distances() -> None:
    good = np.ones((4, 4)) - np.eye(4)
    bad = good.copy()
    bad[0, 1] = 3
    for matrix in (bad, -good, np.ones((4, 4))):
        with pytest.raises(ValueError, match="symmetric and not negative"):
            embed(matrix)
    for matrix in (np.zeros((2, 2)), np.zeros((3, 4)), good * np.nan):
        with pytest.raises(ValueError, match="finite distances between three"):
            embed(matrix)
    with pytest.raises(ValueError, match="n_components=4"):
        embed(good, 4)
    with pytest.raises(ValueError, match="labels: 2 for 4"):
        embed(good, labels=["a", "b"])
    with pytest.raises(ValueError, match="one axis alone"):
        embed(good, 1).plot()
    with pytest.raises(ValueError, match="not among the labels"):
        embed(good, labels="abcd").plot(show=["z"])
    with pytest.raises(ValueError, match="target: has shape"):
        embed(good).plot(target=[1, 2])
