"""Reverse Monte Carlo: bad input, repair, replicas, results and their pictures."""

import json

import matplotlib as mpl
import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list
from test_reverse_monte_carlo import ANGLE, FOUR, WALLS, Q, data_of, quartz, skewed, small

from glassnb.models import potential, random_silica
from glassnb.models.reverse_monte_carlo import (
    BondAngle,
    Coordination,
    FixedAtoms,
    MinimumDistance,
    PotentialEnergy,
    ReverseMonteCarlo,
    StructureFactorData,
    refine_replicas,
)
from glassnb.plotting.refinement import plot_chi2

mpl.use("Agg")

NEUTRON = StructureFactorData(Q, np.ones(Q.size))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Coordination("Si", "O", fraction=1.2), r"fraction=1\.2: must lie between 0 and 1"),
        (lambda: Coordination("Si", "O", (2.2, 1.0)), r"range=\(2\.2, 1\.0\): .* rising"),
        (lambda: Coordination("Si", "O", number=-1), r"number=-1"),
        (lambda: Coordination("Si", "O", number=3.5), r"number=3\.5: must be whole"),
        (lambda: Coordination("Si", "O", weight=-2.0), r"weight=-2\.0"),
        (lambda: BondAngle("O", "Si", "O", 190.0), r"angle=190\.0: must lie between 0 and 180"),
        (lambda: BondAngle("O", "Si", "O", sigma=0.0), r"sigma=0\.0"),
        (lambda: BondAngle("O", "Si", "O", cutoff=-1.0), r"cutoff=-1\.0"),
        (lambda: MinimumDistance({}), r"distances=\{\}: must be a dict"),
        (lambda: MinimumDistance({("Si", "O"): -1.0}), r"distances\[Si-O\]=-1\.0"),
        (lambda: MinimumDistance({("Si", "O"): 1.0, ("O", "Si"): 2.0}), r"O-Si stands there twice"),
        (lambda: FixedAtoms([-1]), r"indices=\[-1\]"),
        (lambda: FixedAtoms([0.5]), r"indices=\[0\.5\]"),
        (lambda: PotentialEnergy("Vashishta"), r"'Vashishta': must be a potential of pairs"),
        (lambda: PotentialEnergy("SHIK", temperature=0.0), r"temperature=0\.0"),
    ],
)
def test_constraints_that_make_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("data", "constraints", "options", "message"),
    [
        ([], [], {}, r"there is nothing to refine"),
        ([], [WALLS], {}, r"there is nothing to refine"),
        ([NEUTRON, NEUTRON], [], {}, r"the name 'neutron S\(Q\)' stands there twice; set name="),
        ([NEUTRON], [FOUR, FOUR], {}, r"the name 'Si with 4 O' stands there twice"),
        (
            [NEUTRON],
            [Coordination("Ge", "O", (0.0, 2.2), 4)],
            {},
            r"Ge is not in the structure; .* Si, O",
        ),
        (
            [NEUTRON],
            [BondAngle("O", "Si", "N", 109.47, 10.0, 2.2)],
            {},
            r"N is not in the structure",
        ),
        ([NEUTRON], [MinimumDistance({("Na", "O"): 1.0})], {}, r"MinimumDistance: Na is not in"),
        (
            [NEUTRON],
            [MinimumDistance({("O", "Si"): 2.3}), FOUR],
            {},
            r"Coordination 'Si with 4 O': ends at 2\.2 Å, but the minimum distance of O-Si is 2\.3",
        ),
        (
            [NEUTRON],
            [MinimumDistance({("O", "Si"): 2.3}), ANGLE],
            {},
            r"BondAngle 'O-Si-O angle': ends at 2\.2 Å",
        ),
        ([NEUTRON], [Coordination("Si", "O", (0.0, 9.0))], {}, r"9\.00 Å is more than half"),
        ([NEUTRON], [Coordination("Si", "O", number=40)], {}, r"number must be at most 32"),
        ([NEUTRON], [PotentialEnergy("SHIK")], {}, r"cutoff: 10\.00 Å is more than half"),
        ([NEUTRON], [FixedAtoms([72])], {}, r"no atom 72 in 72 atoms"),
        ([NEUTRON], [FixedAtoms(range(72))], {}, r"every atom is fixed"),
        ([NEUTRON], ["Si-O"], {}, r"'Si-O' is no constraint"),
        ([NEUTRON], [], {"r_max": 9.0}, r"r_max=9\.0: .* at most half .* 4\.25\d Å"),
        ([NEUTRON], [], {"r_max": -1.0}, r"r_max=-1\.0"),
        ([NEUTRON], [], {"bin_width": 0.0}, r"bin_width=0\.0"),
        ([NEUTRON], [], {"move_size": -0.1}, r"move_size=-0\.1"),
        ([NEUTRON], [], {"target_acceptance": 1.5}, r"target_acceptance=1\.5"),
        ([NEUTRON], [], {"moves": {"cluster": 1}}, r"names must be of single, swap, tetrahedron"),
        ([NEUTRON], [], {"moves": {"single": -1}}, r"shares must be positive"),
        ([NEUTRON], [], {"moves": {"tetrahedron": 1}}, r"add a Coordination"),
        ([NEUTRON], [], {"seed": -1}, r"seed=-1"),
        ([NEUTRON], [], {"seed": 1.5}, r"seed=1\.5"),
    ],
)
def test_refinements_that_make_no_sense(data, constraints, options, message):
    with pytest.raises(ValueError, match=message):
        ReverseMonteCarlo(quartz(), data, constraints, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"moves": 0}, r"moves=0: must be a whole number"),
        ({"moves": 1.5}, r"moves=1\.5"),
        ({"moves": 10, "temperature": 0.0}, r"temperature=0\.0"),
        ({"moves": 10, "temperature": (1.0, float("nan"))}, r"temperature=nan"),
    ],
)
def test_runs_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        small().run(**options)


def test_structures_that_make_no_sense():
    atoms = quartz()
    atoms.positions[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"position of atom 3"):
        ReverseMonteCarlo(atoms, [NEUTRON])
    atoms = quartz()
    atoms.pbc = False
    with pytest.raises(ValueError, match=r"periodic in all three directions"):
        ReverseMonteCarlo(atoms, [NEUTRON])
    with pytest.raises(ValueError, match=r"'swap' needs movable atoms of two species"):
        ReverseMonteCarlo(atoms_of_silicon(), [NEUTRON], moves={"swap": 1})
    germanium = Atoms("GeO", [[0, 0, 0], [3, 0, 0]], cell=[30] * 3, pbc=True)
    with pytest.raises(ValueError, match=r"BKS has no parameters for Ge"):
        ReverseMonteCarlo(germanium, constraints=[PotentialEnergy(potential("BKS"))])


def atoms_of_silicon():
    return Atoms("Si2", [[0, 0, 0], [2.5, 0, 0]], cell=[9] * 3, pbc=True)


# -- a start that breaks minimum distances -------------------------------------------------------


def test_close_atoms_are_named():
    atoms = quartz()
    i, j = 30, 10  # oxygen, silicon
    atoms.positions[i] = atoms.positions[j] + [0.6, 0, 0]
    names = [f"{atoms.symbols[k]}{k}" for k in sorted((i, j))]
    with pytest.raises(ValueError, match=rf"{names[0]}-{names[1]} 0\.600 Å.*repair=True"):
        ReverseMonteCarlo(atoms, [NEUTRON], [WALLS])


@pytest.mark.parametrize("atoms", [random_silica(216, seed=4), skewed()], ids=["random", "skewed"])
def test_repair_pushes_atoms_apart(atoms):
    atoms = atoms.copy()
    atoms.positions[1] = atoms.positions[0]  # on top of each other
    limits = {("Si", "O"): 1.5, ("O", "O"): 2.1, ("Si", "Si"): 2.4}
    fixed = FixedAtoms([0, 5])
    rmc = ReverseMonteCarlo(atoms, [NEUTRON], [MinimumDistance(limits), fixed], repair=True)
    assert neighbor_list("i", rmc.atoms, limits).size == 0
    moved = np.any(rmc.atoms.positions != atoms.positions, axis=1)
    assert rmc.repaired == moved.sum() > 0
    assert not moved[[0, 5]].any()
    assert f"{rmc.repaired} atoms were pushed apart" in str(rmc.report())
    rmc.run(2000, temperature=10.0)
    assert neighbor_list("i", rmc.atoms, limits).size == 0


def test_repair_that_is_impossible():
    with pytest.raises(ValueError, match=r"cannot be pushed apart"):
        ReverseMonteCarlo(quartz(), [NEUTRON], [MinimumDistance({("O", "O"): 4.0})], repair=True)


# -- results -------------------------------------------------------------------------------------


def test_report_counts_and_measures():
    rmc = small(moves={"single": 3, "tetrahedron": 1})
    before = rmc.chi2_terms
    rmc.run(6000, temperature=0.5)
    report = rmc.report()
    assert report.moves["tried"].sum() == 6000
    assert list(report.moves["move"]) == ["single", "tetrahedron"]
    distance = np.linalg.norm(rmc.atoms.positions - quartz().positions, axis=1)
    silicon = distance[quartz().numbers == 14]
    row = report.displacements.set_index("species").loc["Si"]
    expected = [24, silicon.mean(), np.sqrt((silicon**2).mean()), silicon.max()]
    assert row.tolist() == pytest.approx(expected)
    costs = report.costs.set_index("name")
    assert dict(costs["before"]) == before
    assert dict(costs["after"]) == rmc.chi2_terms
    assert sum(costs["after"]) < sum(costs["before"])
    assert "tetrahedron" in str(report)


def test_refinement_is_saved(tmp_path):
    result = small().run(4000, update_every=2000)
    folder = result.save(tmp_path / "result")
    assert sorted(path.name for path in folder.iterdir()) == [
        "curve-0.csv",
        "curve-1.csv",
        "history.csv",
        "history.json",
        "model.extxyz",
    ]
    history = json.loads((folder / "history.json").read_text())
    assert history["moves"] == 4000
    assert history["seed"] == 1
    table = np.loadtxt(folder / "curve-1.csv", delimiter=",")
    np.testing.assert_allclose(table[:, 3], result.curves[1].calculated, rtol=1e-7)
    assert len((folder / "history.csv").read_text().splitlines()) == 4
    assert result.save(tmp_path / "glass.extxyz").is_file()
    assert repr(result).startswith("Refinement(72 atoms, 2 data sets, 4000 moves, chi2 ")


def test_pictures():
    result = small().run(4000, update_every=2000)
    ax = result.plot()
    curves = [line for line in ax.get_lines() if len(line.get_xdata()) == Q.size]
    assert len(curves) == 6  # data, model and residual of two sets
    data, model, residual = curves[3:]
    np.testing.assert_allclose(
        model.get_ydata() - data.get_ydata(), residual.get_ydata() - residual.get_ydata().mean()
        + (result.curves[1].calculated - result.curves[1].measured).mean(), atol=1e-12,
    )  # fmt: skip
    assert "x-ray S(Q) (rms" in ax.get_legend().get_texts()[1].get_text()
    assert len(plot_chi2(result).get_lines()) == 5


def test_replicas():
    target = quartz()
    target.rattle(0.2, seed=9)
    arguments = (quartz(), data_of(target), [WALLS, FOUR])
    replicas = refine_replicas(*arguments, seeds=[3, 1, 2], moves=2000, temperature=2.0)
    alone = ReverseMonteCarlo(*arguments, seed=1).run(2000, temperature=2.0)
    np.testing.assert_array_equal(replicas.refinements[1].atoms.positions, alone.atoms.positions)
    curves = np.array([r.curves[0].calculated for r in replicas.refinements])
    np.testing.assert_allclose(replicas.curves[0].calculated, curves.mean(axis=0))
    expected = curves.std(axis=0, ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(replicas.standard_error(0), expected)
    assert list(replicas.to_frame()["seed"]) == [3, 1, 2]
    assert replicas.to_frame()["chi2"][1] == alone.chi2
    assert replicas.plot().get_legend() is not None
    with pytest.raises(ValueError, match=r"seeds=\[1, 1\]"):
        refine_replicas(*arguments, seeds=[1, 1], moves=2000)
    with pytest.raises(ValueError, match=r"nothing to refine"):
        refine_replicas(quartz(), [], [], seeds=[1], moves=10)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_replicas_on_a_cluster():
    from distributed import Client

    arguments = (quartz(), data_of(quartz()), [WALLS, FOUR])
    options = {"seeds": [1, 2], "moves": 2000}
    with Client(processes=False, dashboard_address=None, n_workers=1) as client:
        far = refine_replicas(*arguments, client=client, **options)
    near = refine_replicas(*arguments, **options)
    assert far.to_frame().equals(near.to_frame())
