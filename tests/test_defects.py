"""Defects of silica: made where they should be, found again, and drawn."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from ase import Atoms

from glassnb.models import crystal, load_series
from glassnb.models.defects import e_prime_centre, local_environments, oxygen_vacancy
from glassnb.plotting import plot_atom_values, plot_division
from glassnb.tightbinding.divided import partition

mpl.use("Agg")


@pytest.fixture(scope="module")
def quartz():
    return crystal("alpha-quartz", 2)


def silicon_of(atoms, oxygen):
    """By the minimum-image distances of ASE."""
    return np.flatnonzero(
        (atoms.get_distances(oxygen, range(len(atoms)), mic=True) < 2.0) & (atoms.symbols == "Si")
    )


def test_a_crystal_has_no_defects(quartz):
    found = local_environments(quartz)
    assert found.counts == {"OSi2": 48, "SiO4": 24}
    assert found.defects.size == 0
    assert set(found.smallest_ring) == {6}  # the rings of quartz: 6 and 8
    assert found.to_frame()["environment"].tolist() == found.names.tolist()


def test_vacancy(quartz):
    oxygen = int(np.flatnonzero(quartz.symbols == "O")[5])
    ends = silicon_of(quartz, oxygen)
    made = oxygen_vacancy(quartz, oxygen)
    assert made.symbols.formula.count() == {"Si": 24, "O": 47}
    kept = np.delete(np.arange(len(quartz)), oxygen)
    np.testing.assert_array_equal(made.positions, quartz.positions[kept])
    found = local_environments(made)
    assert found.counts == {"OSi2": 47, "SiO4": 22, "SiO3": 2}
    np.testing.assert_array_equal(kept[found.defects], ends)


def test_silicon_atoms_of_a_vacancy_bond(quartz):
    """Moved together by hand to 2.5 Å."""
    oxygen = int(np.flatnonzero(quartz.symbols == "O")[5])
    a, b = silicon_of(quartz, oxygen)
    made = oxygen_vacancy(quartz, oxygen)
    a, b = (int(k - (k > oxygen)) for k in (a, b))
    vector = made.get_distance(a, b, mic=True, vector=True)
    half = vector * (1 - 2.5 / np.linalg.norm(vector)) / 2
    made.positions[a] += half
    made.positions[b] -= half
    assert local_environments(made).names[[a, b]].tolist() == ["SiO3Si", "SiO3Si"]


def test_e_prime_centre(quartz):
    oxygen = int(np.flatnonzero(quartz.symbols == "O")[7])
    ends = silicon_of(quartz, oxygen)
    made = e_prime_centre(quartz, oxygen)
    assert made.symbols.formula.count() == {"Si": 24, "O": 47, "H": 1}
    found = local_environments(made)
    centre = int(np.flatnonzero(found.names == "SiO3")[0])
    capped = int(np.flatnonzero(found.names == "SiO3H")[0])
    assert {centre, capped} == {int(k - (k > oxygen)) for k in ends}
    assert found.names[-1] == "HSi"
    np.testing.assert_array_equal(np.flatnonzero(made.get_initial_magnetic_moments()), [centre])
    hydrogen = len(made) - 1
    assert made.get_distance(capped, hydrogen, mic=True) == pytest.approx(1.48, abs=1e-9)
    old = int(capped + (capped >= oxygen))
    to_oxygen = quartz.get_distance(old, oxygen, mic=True, vector=True)
    to_hydrogen = made.get_distance(capped, hydrogen, mic=True, vector=True)
    np.testing.assert_allclose(np.cross(to_oxygen, to_hydrogen), 0, atol=1e-9)
    assert to_oxygen @ to_hydrogen > 0


def test_silicon_that_shares_an_oxygen_is_not_bonded():
    """A two-membered ring by hand: Si-Si 2.4 Å, Si-O 1.7 Å."""
    height = np.sqrt(1.7**2 - 1.2**2)
    atoms = Atoms("Si2O2", [(-1.2, 0, 0), (1.2, 0, 0), (0, height, 0), (0, -height, 0)])
    found = local_environments(atoms)
    assert found.names.tolist() == ["SiO2", "SiO2", "OSi2", "OSi2"]
    assert found.smallest_ring.tolist() == [2, 2, 2, 2]
    chain = atoms[[0, 2, 3]]  # of such rings; each silicon atom sees its own images only
    chain.set_cell([2.4, 20, 20])
    chain.pbc = True
    assert local_environments(chain).names.tolist() == ["SiO4", "OSi2", "OSi2"]


def test_rings_of_three():
    """Of 37 silica crystals with perfect bonds some have rings of three."""
    glass = load_series("silica-metastable")[24]
    found = local_environments(glass)
    assert found.defects.size == 0
    three = np.flatnonzero(found.smallest_ring == 3)
    assert np.count_nonzero(glass.symbols[three] == "Si") in (5, 6)


def test_overcoordination():
    glass = load_series("silica-compressed-648")[-1]
    found = local_environments(glass)
    distances = glass.get_all_distances(mic=True)
    silicon, oxygen = glass.symbols == "Si", glass.symbols == "O"
    five = np.count_nonzero((distances[np.ix_(silicon, oxygen)] < 2.2).sum(axis=1) == 5)
    assert found.counts["SiO5"] == five > 10


def test_errors(quartz):
    with pytest.raises(ValueError, match="oxygen=0: no oxygen atom; they have indices 3, 4"):
        oxygen_vacancy(quartz, 0)
    with pytest.raises(ValueError, match="no oxygen atom"):
        oxygen_vacancy(quartz, -1)
    lone = Atoms("O2", [(0, 0, 0), (5, 0, 0)])
    with pytest.raises(ValueError, match="has 0 silicon neighbours within 2.2 Å"):
        e_prime_centre(lone, 1)
    assert local_environments(lone).names.tolist() == ["O", "O"]


def test_elements_whose_bonds_are_not_known(quartz):
    """An oxygen between Si and Al has two neighbours, once the bonds of Al are said."""
    quartz = quartz.copy()
    quartz.symbols[0] = "Al"
    with pytest.raises(
        ValueError, match=r"cutoff=None: bonds of Al are not known.*\(\"Al\", \"O\"\)"
    ):
        local_environments(quartz)
    found = local_environments(quartz, {("Si", "O"): 2.2, ("Al", "O"): 2.2})
    assert found.counts["AlO4"] == 1
    assert found.counts["OAlSi"] == 4


def test_pictures(quartz):
    ax = plot_atom_values(quartz, np.arange(72) - 10.0)
    _bonds, drawn = ax.collections
    assert drawn.get_clim() == (-61, 61)
    wrapped = quartz.get_positions(wrap=True)
    order = np.asarray(drawn.get_array(), dtype=int) + 10  # whose value stands there
    np.testing.assert_allclose(drawn.get_offsets(), wrapped[order, :2])
    assert np.all(np.diff(wrapped[order, 2]) >= 0)  # the nearest is drawn last
    parts = partition(quartz, 5.0, 3.0)
    ax = plot_division(parts, 1)
    sizes = [len(points.get_offsets()) for points in ax.collections]
    n = int(parts.n_central[1])
    assert sizes == [72, parts.members[1].size - n, n]
    plt.close("all")
    with pytest.raises(ValueError, match="values: has shape"):
        plot_atom_values(quartz, [1.0])
    with pytest.raises(ValueError, match="subsystem=99: must be from 0 to"):
        plot_division(parts, 99)
