"""What is done with rings once found: choosing, counting, shape, statistics, compaction."""

import ase.build
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from ase import Atoms

import glassnb as gn
from glassnb.core import mass_density
from glassnb.network import (
    king_rings,
    primitive_rings,
    ring_compaction,
    ring_shape,
    ring_statistics,
)

CUTOFF = {("Si", "O"): 2.0}
SEARCHES = (king_rings, gn.network.guttman_rings, primitive_rings)
# Glasses hold a few oxygen atoms with one bond; test_rings.py looks at what is said of them.
pytestmark = pytest.mark.filterwarnings("ignore:.*have fewer than two bonds")


@pytest.fixture(scope="module")
def quartz():
    return king_rings(gn.models.crystal("alpha-quartz"), cutoff=CUTOFF)


@pytest.fixture(scope="module")
def glass_rings():
    return king_rings(gn.models.load("silica-pristine-3000"))


# -- choosing and counting -------------------------------------------------------------------------


def test_sizes_by_both_conventions(quartz):
    assert len(quartz) == 24
    assert set(quartz.sizes) == {12, 16}
    assert (quartz.former_sizes == quartz.sizes / 2).all()
    assert quartz.size_distribution() == {6: 1, 8: 7}
    assert quartz.size_distribution("nodes") == {12: 1, 16: 7}
    assert quartz.size_distribution(per="node") == {6: 1 / 3, 8: 7 / 3}
    assert quartz.size_distribution(per="ring") == {6: 1 / 8, 8: 7 / 8}
    assert quartz.size_distribution("nodes", "cell") == {12: 3, 16: 21}
    with pytest.raises(ValueError, match="counting='atoms': must be 'formers' or 'nodes'"):
        quartz.size_distribution("atoms")
    with pytest.raises(ValueError, match="per='Si': must be one of former, node, ring, cell"):
        quartz.size_distribution(per="Si")


def test_formers():
    """Three-fold rings of B2O3 and of a silicate; oxygen alone never counts."""
    angle = np.radians(60 * np.arange(6))
    boroxol = Atoms("BOBOBO", np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) * 1.38)
    rings = king_rings(boroxol, cutoff={("B", "O"): 1.5})
    assert rings.formers == ("B",)
    assert rings.former_sizes.tolist() == [3]
    assert king_rings(boroxol, cutoff=1.5, formers=["B", "O"]).former_sizes.tolist() == [6]


def test_select(quartz):
    six = quartz.select(former_size=6)
    assert len(six) == 3
    assert (six.sizes == 12).all()
    assert len(quartz.select(size=[12, 16])) == 24
    assert len(quartz.select(former_size=6, contains=0)) == sum(0 in ring for ring in six)
    assert quartz.select([5, 2]).former_sizes.tolist() == quartz.former_sizes[[2, 5]].tolist()
    assert len(quartz.select(quartz.sizes > 12)) == 21
    assert len(quartz.select(size=5)) == 0
    np.testing.assert_allclose(quartz.select([7]).polygon(0), quartz.polygon(7))
    with pytest.raises(IndexError, match="ring 24: there are 24 rings"):
        quartz.select([24])
    with pytest.raises(ValueError, match=r"which: shape \(3,\), but there are 24 rings"):
        quartz.select([True, False, True])
    with pytest.raises(ValueError, match="contains=99: atoms run from 0 to 8"):
        quartz.select(contains=99)


def test_rings_of_two_definitions():
    """Guttman's rings are King's and primitive too; two in seven of King's 8-rings of quartz have
    a shortcut."""
    for name in ("alpha-quartz", "coesite"):
        atoms = gn.models.crystal(name, repeat=(2, 1, 1))
        found = [search(atoms, cutoff=CUTOFF, max_size=40) for search in SEARCHES]
        king, guttman, primitive = found
        assert guttman.contained_in(king).all()
        assert guttman.contained_in(primitive).all()
        shared = king.contained_in(primitive)
        assert shared.sum() == primitive.contained_in(king).sum() < len(king)
        if name == "alpha-quartz":
            assert king.select(~shared).size_distribution() == {8: 2}
    with pytest.raises(ValueError, match="other: holds rings of another structure"):
        king.contained_in(king_rings(gn.models.crystal("alpha-quartz"), cutoff=CUTOFF))


def test_rings_as_a_table_and_a_file(quartz, tmp_path):
    frame = quartz.to_frame()
    assert frame.columns.tolist() == ["size", "former_size", "atoms"]
    assert frame["atoms"][3] == tuple(quartz[3])
    assert frame["atoms"].map(len).tolist() == quartz.sizes.tolist()
    assert repr(quartz) == "Rings(king, 24 rings of Si {6: 3, 8: 21})"
    quartz.save(tmp_path / "rings.csv")
    again = pd.read_csv(tmp_path / "rings.csv", comment="#")
    assert [tuple(map(int, row.split())) for row in again["atoms"]] == frame["atoms"].tolist()


def test_no_rings_are_no_trouble():
    with pytest.warns(UserWarning, match="fewer than two bonds"):
        none = king_rings(Atoms("SiO", [[0, 0, 0], [1.6, 0, 0]]), cutoff=CUTOFF)
    assert len(none) == len(none.to_frame()) == len(ring_shape(none)) == 0
    assert none.size_distribution() == {}
    assert len(none.select(contains=0)) == 0
    with pytest.raises(ValueError, match="rings: there are none"):
        ring_statistics(none)
    plt.close(none.plot().figure)
    plt.close(ring_shape(none).plot().figure)


# -- shape -----------------------------------------------------------------------------------------


def test_regular_polygons_are_round_and_flat():
    for n in range(3, 12):
        angle = 2 * np.pi * np.arange(n) / n
        radius = 0.5 / np.sin(np.pi / n)
        corners = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) * radius
        shape = ring_shape(primitive_rings(Atoms(f"C{n}", corners), cutoff=1.01))
        np.testing.assert_allclose(shape.roundness, 1, atol=1e-12)
        np.testing.assert_allclose(shape.roughness, 0, atol=1e-12)
        np.testing.assert_allclose(shape.radius_of_gyration, radius)
        np.testing.assert_allclose(shape.perimeter, n)
        np.testing.assert_allclose(shape.area, n / 4 / np.tan(np.pi / n))
        np.testing.assert_allclose(np.abs(shape.normals), [[0, 0, 1]], atol=1e-12)


def test_cyclohexane_chair():
    """Six-rings of diamond: s3/s1 from the geometry of the chair, by hand."""
    rings = primitive_rings(ase.build.bulk("C", cubic=True), cutoff=1.6, max_size=6)
    assert rings.size_distribution() == {6: 2}
    shape = ring_shape(rings)
    # Bond b: atoms alternate by b/6 along the normal, at the distance b * sqrt(8/9) from the axis.
    s1, s3 = np.sqrt(3 * 8 / 9), np.sqrt(6 / 36)
    np.testing.assert_allclose(shape.roundness, 1, atol=1e-9)
    np.testing.assert_allclose(shape.roughness, s3 / s1, atol=1e-9)
    np.testing.assert_allclose(np.abs(shape.normals), np.full((16, 3), 3**-0.5), atol=1e-9)


def test_beta_cristobalite():
    """Chairs of Si with O half-way: facts, table 5.3 (roughness 0.1890, of Si alone 0.2500)."""
    rings = king_rings(gn.models.crystal("beta-cristobalite"), cutoff=CUTOFF)
    shape, formers = ring_shape(rings), ring_shape(rings, counting="formers")
    for of in (shape, formers):
        np.testing.assert_allclose(of.roundness, 1, atol=1e-9)
    np.testing.assert_allclose(shape.roughness, 1 / np.sqrt(28), atol=1e-9)
    np.testing.assert_allclose(formers.roughness, 0.25, atol=1e-9)
    assert (formers.sizes == 6).all()


def test_shape_by_singular_values(glass_rings):
    shape = ring_shape(glass_rings)
    for k in range(0, len(glass_rings), 50):
        centred = glass_rings.polygon(k) - glass_rings.polygon(k).mean(axis=0)
        _, values, axes = np.linalg.svd(centred)
        np.testing.assert_allclose(shape.singular_values[k], values, atol=1e-12)
        np.testing.assert_allclose(np.abs((axes * shape.axes[k]).sum(axis=1)), 1, atol=1e-9)
        assert np.linalg.det(shape.axes[k]) == pytest.approx(1)
        gyration = np.sqrt((centred**2).sum() / len(centred))
        assert shape.radius_of_gyration[k] == pytest.approx(gyration)


def test_flat_and_thin_rings():
    """Two network formers lie on a line: no roughness; three in a plane: none to 1e-8."""
    edge = Atoms("SiOSiO", [[0, 0, 0], [1.2, 1, 0], [2.4, 0, 0], [1.2, -1, 0]])
    formers = ring_shape(king_rings(edge, cutoff=CUTOFF), counting="formers")
    assert formers.roundness.tolist() == [0.0]
    assert np.isnan(formers.roughness).all()
    with pytest.raises(ValueError, match="counting='all': must be"):
        ring_shape(king_rings(edge, cutoff=CUTOFF), counting="all")


def test_shape_as_a_table_and_a_picture(glass_rings, tmp_path):
    shape = ring_shape(glass_rings)
    shape.save(tmp_path / "shape.csv")
    again = pd.read_csv(tmp_path / "shape.csv", comment="#")
    np.testing.assert_allclose(again["roundness"], shape.to_frame()["roundness"], rtol=1e-7)
    ax = shape.plot()
    assert ax.get_xlabel() == "roundness"
    assert sum(line.get_xdata().size for line in ax.lines) == len(glass_rings)
    plt.close(ax.figure)
    ax = glass_rings.plot_ring(7)
    assert f"roundness {shape.roundness[7]:.2f}" in ax.get_title()
    plt.close(ax.figure)
    ax = glass_rings.plot()
    heights = [patch.get_height() for patch in ax.patches]
    np.testing.assert_allclose(heights, list(glass_rings.size_distribution().values()))
    plt.close(ax.figure)


# -- statistics as in R.I.N.G.S. -------------------------------------------------------------------


def test_statistics_of_quartz(quartz):
    """By hand from the vertex symbol 6.6.6(2).6(2).8(7).8(7): Si starts rings of both sizes, O
    those of 12 atoms."""
    table = ring_statistics(quartz).to_frame().set_index("size").loc[[12, 16]]
    np.testing.assert_allclose(table["rc"], [3 / 9, 21 / 9])
    np.testing.assert_allclose(table["pn"], [1, 1 / 3])
    np.testing.assert_allclose(table["pmax"], [2 / 3, 1])
    np.testing.assert_allclose(table["pmin"], [1, 0])
    silicon = king_rings(quartz.atoms, cutoff=CUTOFF, nodes="Si")
    table = ring_statistics(silicon).to_frame().set_index("size").loc[[12, 16]]
    np.testing.assert_allclose(table, [[1, 1, 0, 1], [7, 1, 1, 0]])


@pytest.mark.filterwarnings("ignore:.*have no ring up to max_size")
@pytest.mark.parametrize("search", SEARCHES)
def test_statistics_against_a_search_from_each_atom(search):
    """The origin of a ring is what finds it: every atom starts a search of its own."""
    glass = gn.models.load("silica-pristine-648")
    options = {"cutoff": {("Si", "O"): 2.2}, "max_size": 16}
    rings = search(glass, **options)
    for atom in range(0, 648, 27):
        alone = search(glass, nodes=[atom], **options)
        expected = np.zeros(17, dtype=bool)
        expected[alone.sizes] = True
        np.testing.assert_array_equal(rings.origins[atom], expected)
    statistics = ring_statistics(rings)
    sums = [
        (p * statistics.pn)[statistics.pn > 0].sum() for p in (statistics.pmax, statistics.pmin)
    ]
    np.testing.assert_allclose(sums, rings.origins.any(axis=1).mean())


def test_statistics_as_a_picture(glass_rings, tmp_path):
    statistics = ring_statistics(glass_rings)
    assert np.isnan(statistics.pmax[1])  # no odd rings
    statistics.save(tmp_path / "statistics.csv")
    ax = statistics.plot()
    assert ax.get_xlabel() == "ring size (atoms)"
    plt.close(ax.figure)


# -- compaction ------------------------------------------------------------------------------------


def test_compaction_of_replicas():
    """Mean over rings of three models, and their jackknife error."""
    glasses = gn.models.load_series("silica-compressed-648")
    cutoff = {("Si", "O"): 2.2}
    series = ring_compaction(glasses, against="pressure", cutoff=cutoff)
    assert series.against == "pressure (GPa)"
    rows = series.of_size(6)
    assert rows["x"].tolist() == [0, 3, 6, 9, 12]
    assert (rows["n_samples"] == 3).all()
    of_zero = [king_rings(glass, cutoff=cutoff).select(former_size=6) for glass in glasses[:3]]
    shapes = [ring_shape(rings) for rings in of_zero]
    every = np.concatenate([shape.roundness for shape in shapes])
    assert rows["n_rings"][0] == every.size
    assert rows["roundness"][0] == pytest.approx(every.mean())
    assert rows["rings_per_former"][0] == pytest.approx(every.size / 648)
    without = [
        np.concatenate([s.roundness for s in shapes if s is not shape]).mean() for shape in shapes
    ]
    error = np.sqrt(2 / 3 * ((without - np.mean(without)) ** 2).sum())
    assert rows["roundness_error"][0] == pytest.approx(error)
    counts = [len(rings) / 216 for rings in of_zero]
    assert rows["rings_per_former_error"][0] == pytest.approx(np.std(counts, ddof=1) / np.sqrt(3))
    assert rows["density"][0] == pytest.approx(np.mean([mass_density(g) for g in glasses[:3]]))


def test_compaction_of_lone_models(tmp_path):
    """A crystal cut in blocks: means are those of the crystal."""
    small, large = (gn.models.crystal(name, repeat=2) for name in ("coesite", "beta-cristobalite"))
    series = ring_compaction([small, large], definition="primitive", cutoff=CUTOFF, max_size=16)
    assert series.table["x"].is_monotonic_increasing
    rows = series.of_size(6)
    np.testing.assert_allclose(rows["rings_per_former"], [2, 0.25])
    assert rows["roundness"][0] == pytest.approx(1)
    assert rows["roundness_error"][0] == pytest.approx(0, abs=1e-9)
    assert (rows["n_samples"] == 8).all()
    assert series.of_size(0)["n_rings"].tolist() == [128, 128]
    numbered = ring_compaction([[small], [large]], against=[1.0, 0.0], cutoff=CUTOFF, blocks=1)
    assert numbered.table["roundness_error"].isna().all()
    assert numbered.of_size(6)["density"].tolist() == pytest.approx(
        [mass_density(large), mass_density(small)]
    )
    series.save(tmp_path / "compaction.csv")
    for quantity in ("rings_per_former", "roundness", "roughness", "radius_of_gyration"):
        ax = series.plot(quantity=quantity)
        assert len(ax.containers) >= 1
        plt.close(ax.figure)
    with pytest.raises(ValueError, match="quantity='area': must be one of"):
        series.plot(quantity="area")
    with pytest.raises(ValueError, match="size=99: no model has such rings"):
        series.of_size(99)


@pytest.mark.parametrize(
    ("models", "options", "message"),
    [
        ([], {}, "models: must be a list"),
        ([[]], {}, r"models\[0\]: is an empty list"),
        (None, {"definition": "SP"}, "definition='SP': must be one of king"),
        (None, {"blocks": 0}, "blocks=0: must be a whole number"),
        (None, {"against": "volume"}, "against='volume': must be density"),
        (None, {"against": "pressure"}, "does not say at which pressure"),
        (None, {"against": [1, 2]}, "against: 2 numbers for 1 entries"),
    ],
)
def test_compaction_bad_input(models, options, message):
    models = [gn.models.crystal("alpha-quartz")] if models is None else models
    with pytest.raises(ValueError, match=message):
        ring_compaction(models, **options)
