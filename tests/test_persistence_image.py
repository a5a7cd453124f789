"""Persistence images against HomCloud's, and distances between diagrams."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import glassnb as gn
from glassnb.topology import diagram_distance, distance_matrix, persistence, persistence_image

IMAGES = {
    "128_sigma0.1_atan-0.5-1": {"bins": 128, "sigma": 0.1, "weight": ("arctan", 0.5, 1)},
    "128_sigma0.1_none": {"bins": 128, "sigma": 0.1, "weight": None},
    "64_sigma0.2_atan-0.01-3": {"bins": 64, "sigma": 0.2, "weight": ("arctan", 0.01, 3)},
}
PAIRS = np.array([[1.0, 3.0], [1.0, 3.0], [2.0, 2.5], [9.0, 9.5]])


@pytest.mark.parametrize("name", IMAGES)
def test_equals_homcloud(shared_data, name):
    """HomCloud 5.4.0, from its own diagram: the same numbers to the last digits (1e-12)."""
    table = pd.read_csv(shared_data / "ph" / "glass3000_all_homcloud5.4.0.csv.gz")
    table = table[(table["dim"] == 1) & np.isfinite(table["death_A2"])]
    pairs = table[["birth_A2", "death_A2"]].to_numpy()
    image = persistence_image(pairs, 1, limits=(0, 8), **IMAGES[name])
    with np.load(shared_data / "ph" / f"glass3000_all_D1_PI_{name}_homcloud.npz") as file:
        np.testing.assert_allclose(image.vector, file["vector"], rtol=1e-12, atol=1e-12)


def test_of_diagrams(shared_data):
    found = persistence(gn.models.crystal("alpha-quartz", 2))
    image = persistence_image(found, 1, limits=(0, 8), bins=64, sigma=0.15)
    assert image.vector.size == 64 * 65 // 2
    assert image.n_atoms == 72
    assert image.vector.sum() > 0


def test_plane_and_weights():
    """Without weights and before smoothing, the sum is the number of pairs inside."""
    image = persistence_image(PAIRS, limits=(0, 8), bins=16, sigma=0.25, weight=None)
    plane = image.plane
    assert plane.shape == (16, 16)
    np.testing.assert_array_equal(plane[image.mask], image.vector)
    assert np.isnan(plane[~image.mask]).all()
    row, column = np.unravel_index(np.nanargmax(plane), plane.shape)
    assert (image.edges[row], image.edges[column]) == (3.0, 1.0)  # death up, birth right
    assert image.vector.sum() == pytest.approx(3.0, rel=0.1)
    linear = persistence_image(PAIRS[:2], limits=(0, 8), bins=16, sigma=0.25, weight=("linear", 2))
    assert linear.vector.sum() == pytest.approx(2 * 2 * 2.0, rel=0.01)
    back = image.to_plane(-image.vector)
    assert np.nanmin(back) == -np.nanmax(plane)
    with pytest.raises(ValueError, match="this image has 136 pixels"):
        image.to_plane([1.0])


def test_plot():
    image = persistence_image(PAIRS, limits=(0, 8), bins=16, sigma=0.5)
    ax = image.plot()
    assert ax.get_ylabel() == "death (Å²)"
    signed = image.plot(vector=image.vector - 0.1)
    assert signed.collections[0].get_cmap().name == "RdBu_r"
    plt.close("all")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigma": 0.03}, "sigma=0.03: must be at least half a bin, 0.03125"),
        ({"sigma": np.nan}, "sigma=nan"),
        ({"limits": (8, 0)}, "limits="),
        ({"limits": 8}, "limits=8"),
        ({"bins": 0}, "bins=0"),
        ({"bins": 12.5}, "bins=12.5"),
        ({"weight": ("atan", 1, 1)}, "weight="),
        ({"weight": ("arctan", -1, 1)}, "weight="),
        ({"weight": ("arctan", 1)}, "weight="),
        ({"weight": ()}, "weight="),
        ({"weight": "arctan"}, "weight="),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        persistence_image(PAIRS, **options)


def test_bad_diagrams():
    with pytest.raises(ValueError, match="diagrams: shape"):
        persistence_image([1.0, 2.0])
    with pytest.raises(ValueError, match="dimension=4"):
        persistence_image(persistence(gn.models.crystal("alpha-quartz")), 4)


# -- distances -------------------------------------------------------------------------------------


def test_distances_by_hand():
    """One pair moves by 0.1, the other goes to the diagonal, half its lifetime away."""
    a, b = np.array([[0.0, 4.0], [1.0, 1.5]]), np.array([[0.1, 4.05]])
    assert diagram_distance(a, b) == pytest.approx(0.25)
    assert diagram_distance(a, b, kind="wasserstein") == pytest.approx(0.35, rel=0.01)
    assert diagram_distance(a, a) == 0
    assert diagram_distance(a, np.empty((0, 2))) == pytest.approx(2.0)


def test_distance_matrix():
    crystals = [gn.models.crystal(name, 2) for name in ("alpha-quartz", "coesite")]
    glass = gn.models.load("silica-pristine-648")
    found = [persistence(atoms, species="Si") for atoms in [*crystals, glass]]
    matrix = distance_matrix(found, 1)
    assert matrix.shape == (3, 3)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert (np.diag(matrix) == 0).all()
    assert matrix[0, 2] == diagram_distance(found[0], found[2], 1)
    np.testing.assert_array_equal(distance_matrix(found[:1], 2), [[0.0]])


def test_bad_distances():
    with pytest.raises(ValueError, match="kind='hausdorff'"):
        diagram_distance(PAIRS, PAIRS, kind="hausdorff")
    with pytest.raises(ValueError, match="kind='hausdorff'"):
        distance_matrix([PAIRS], kind="hausdorff")
    with pytest.raises(ValueError, match=r"b: shape \(2,\)"):
        diagram_distance(PAIRS, [1.0, 2.0])
    with pytest.raises(ValueError, match="client="):
        distance_matrix([PAIRS, PAIRS], client="scheduler")
