"""Ensembles: one model per seed, side by side or in turn, with means and errors."""

import threading
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list

import glassnb as gn
from glassnb.models import load, melt_quench, random_silica
from glassnb.models.ensemble import Ensemble, ensemble
from glassnb.models.properties import model_properties

mpl.use("Agg")

TINY: dict[str, Any] = {
    "n_atoms": 72, "cooling_rate": 20000.0, "melt_time": 0.16, "relax_time": 0.08, "snapshots": 0,
}  # fmt: skip


def shaken(atoms: Atoms, *, width: float = 0.05, seed: int) -> Atoms:
    """A recipe without molecular dynamics."""
    found = atoms.copy()
    found.rattle(width, seed=seed)
    return found


@pytest.fixture(scope="module")
def models() -> Ensemble:
    return ensemble(shaken, seeds=(5, 1, 2), atoms=load("silica-pristine-648"))


# -- properties of one model ---------------------------------------------------------------------


def test_properties_against_plain_counts(shared_data: Path) -> None:
    """Angles and coordination from ASE's pairs; facts 2 (same file): 151.8 and sd 12.5, 5.9."""
    atoms = gn.models.read(shared_data / "rings" / "apy_SiO2_3000.extxyz")
    found = model_properties(atoms)
    assert found["density"] == pytest.approx(2.202, abs=0.002)
    assert found["SiO4"] == pytest.approx(100.0, abs=0.05)
    assert found["si_o_si_mean"] == pytest.approx(151.8, abs=0.1)
    assert found["si_o_si_std"] == pytest.approx(12.5, abs=0.1)
    assert found["o_si_o_std"] == pytest.approx(5.9, abs=0.1)
    assert found["o_si_o_mean"] == pytest.approx(109.4, abs=0.1)  # of nearly regular tetrahedra
    assert found["si_o_distance"] == pytest.approx(1.61, abs=0.02)
    table = gn.models.compare_with_experiment(atoms)["model"]
    assert found["fsdp_position_neutron"] == table["FSDP position, neutron"]
    assert found["fsdp_height_neutron"] == table["FSDP height, neutron"]
    assert found["fsdp_height_x_ray"] > found["fsdp_height_neutron"]  # facts 2: 1.75 and 1.42


def test_coordination_and_angles_of_disorder() -> None:
    """Counted from ASE's neighbour list, in a start with Si of any coordination."""
    atoms = random_silica(300, 3.0, seed=2)
    first = neighbor_list("i", atoms, {("Si", "O"): 2.2})
    numbers = np.bincount(first, minlength=300)[atoms.symbols == "Si"]
    found = model_properties(atoms)
    for n in (4, 5, 6):
        assert found[f"SiO{n}"] == pytest.approx(100 * np.mean(numbers == n))
    i, j, d = neighbor_list("ijD", atoms, {("Si", "O"): 2.2})
    angles = []
    for atom in np.flatnonzero(atoms.symbols == "O"):
        around = d[i == atom]
        for a in range(len(around)):
            for b in range(a):
                cosine = around[a] @ around[b] / np.linalg.norm(around[[a, b]], axis=1).prod()
                angles.append(np.degrees(np.arccos(cosine)))
    assert found["si_o_si_mean"] == pytest.approx(np.mean(angles))
    assert found["si_o_si_std"] == pytest.approx(np.std(angles))


def test_a_liquid_has_no_peak() -> None:
    found = model_properties(random_silica(96))
    assert np.isnan(found["fsdp_position_neutron"])
    with pytest.raises(ValueError, match="holds Si; silica needs Si and O"):
        model_properties(Atoms("Si", cell=[9, 9, 9], pbc=True))


# -- means and errors ----------------------------------------------------------------------------


def test_table_has_a_row_for_each_seed(models: Ensemble) -> None:
    frame = models.to_frame()
    assert frame["seed"].tolist() == [5, 1, 2] == list(models.seeds)
    for row, atoms in zip(frame.drop(columns="seed").to_dict("records"), models.atoms, strict=True):
        assert row == model_properties(atoms)
    again = shaken(load("silica-pristine-648"), seed=1)
    assert np.array_equal(models.atoms[1].positions, again.positions)
    assert repr(models) == "Ensemble(3 models of 648 atoms)"


def test_standard_error_is_that_of_the_textbook(models: Ensemble) -> None:
    values = models.to_frame()["si_o_si_mean"].tolist()
    mean = sum(values) / 3
    error = (sum((v - mean) ** 2 for v in values) / 2 / 3) ** 0.5
    row = models.summary().loc["si_o_si_mean"]
    assert row["mean"] == pytest.approx(mean)
    assert row["standard_error"] == pytest.approx(error)
    assert row["unit"] == "°"
    assert row["n_models"] == 3
    units = models.summary()["unit"]
    assert units["density"] == "g/cm³"
    assert units["SiO4"] == "%"
    assert units["fsdp_height_x_ray"] == ""
    one = Ensemble((0,), (load("silica-pristine-648"),)).summary()
    assert np.isnan(one.loc["density", "standard_error"])
    assert one.loc["density", "mean"] == pytest.approx(
        gn.core.mass_density(load("silica-pristine-648"))
    )


def test_models_without_a_peak_are_left_out() -> None:
    liquid = ensemble(partial(random_silica, 96), seeds=range(2))
    mixed = Ensemble((0, 1, 2), (*liquid.runs, load("silica-pristine-648")))
    assert mixed.summary().loc["fsdp_position_neutron", "n_models"] == 1
    assert mixed.summary().loc["density", "n_models"] == 3


@pytest.mark.parametrize("radiation", ["neutron", "x-ray"])
def test_mean_structure_factor(models: Ensemble, radiation: str) -> None:
    q = np.arange(0.6, 8.0, 0.05)
    found = models.structure_factor(q, radiation=radiation)
    each = [gn.scattering.structure_factor(a, q, radiation=radiation).total for a in models.atoms]
    assert found.total == pytest.approx(np.mean(each, axis=0))
    assert found.standard_error == pytest.approx(np.std(each, axis=0, ddof=1) / 3**0.5)
    assert found.n_models == 3
    peak = gn.scattering.first_sharp_diffraction_peak(found)
    assert peak.position == pytest.approx(1.6, abs=0.1)
    ax = models.plot(radiation=radiation)
    assert len(ax.lines) == 1 + 1 + 3
    mpl.pyplot.close(ax.figure)


def test_boxes_of_different_size_share_one_range() -> None:
    """The larger one is cut at half the smaller box: the same length of ripples in both."""
    small, large = load("silica-pristine-648"), load("silica-pristine-3000")
    found = Ensemble((0, 1), (small, large)).structure_factor()
    half = gn.core.half_box(small)
    each = [gn.scattering.structure_factor(a, r_max=half).total for a in (small, large)]
    assert found.total == pytest.approx(np.mean(each, axis=0))


def test_save(models: Ensemble, tmp_path: Path) -> None:
    folder = models.save(tmp_path / "models")
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "properties.csv", "seed-1.extxyz", "seed-2.extxyz", "seed-5.extxyz", "summary.csv",
    ]  # fmt: skip
    table = pd.read_csv(folder / "properties.csv", comment="#")
    assert table["density"].to_numpy() == pytest.approx(models.to_frame()["density"].to_numpy())
    assert gn.models.read(folder / "seed-5.extxyz").positions == pytest.approx(
        models.atoms[0].positions, abs=1e-6
    )
    sq = models.structure_factor()
    sq.save(tmp_path / "s.csv")
    assert list(pd.read_csv(tmp_path / "s.csv", comment="#").columns) == list(sq.to_frame())


# -- molecular dynamics --------------------------------------------------------------------------


def test_melt_quenches_take_turns(tmp_path: Path) -> None:
    """In this process; each is the glass of its seed, and counts once."""
    seen: list[tuple[int, int, str]] = []
    found = ensemble(
        melt_quench, seeds=(3, 4), progress=lambda *report: seen.append(report), **TINY
    )
    assert [run.atoms.info["history"]["seed"] for run in found.runs] == [3, 4]
    alone = melt_quench(**TINY, seed=4)
    assert np.array_equal(found.runs[1].atoms.positions, alone.atoms.positions)
    assert [report[:2] for report in seen] == [(1, 2), (2, 2)]
    assert found.to_frame()["density"].tolist() == pytest.approx(
        [run.density[-1] for run in found.runs], rel=1e-5
    )


def test_each_seed_has_its_checkpoint(tmp_path: Path) -> None:
    first = ensemble(melt_quench, seeds=(3, 4), checkpoint=tmp_path, **TINY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seed-3", "seed-4"]
    start = threading.active_count()
    again = ensemble(melt_quench, seeds=(3, 4), checkpoint=tmp_path, **TINY)
    assert threading.active_count() <= start
    for a, b in zip(first.runs, again.runs, strict=True):
        assert np.array_equal(a.potential_energy, b.potential_energy)


@pytest.mark.slow
def test_on_a_cluster_of_processes() -> None:
    """Bit for bit what this process makes."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        found = ensemble(melt_quench, seeds=(0, 1), client=client, **TINY)
    here = ensemble(melt_quench, seeds=(0, 1), **TINY)
    for a, b in zip(found.atoms, here.atoms, strict=True):
        assert np.array_equal(a.positions, b.positions)


# -- input ---------------------------------------------------------------------------------------


def fails(*, seed: int) -> Atoms:
    raise RuntimeError("no model")


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (shaken, {"seeds": 4}, r"seeds=4: must be several.*range\(4\)"),
        (shaken, {"seeds": ()}, "at least one"),
        (shaken, {"seeds": (1, 1)}, "none twice"),
        (shaken, {"seeds": (1.5,)}, "seeds=1.5: must be a whole number"),
        (shaken, {"seeds": (1,)}, "function=shaken: does not take .*'atoms'"),
        (melt_quench, {"seeds": (1,), "colour": 3}, "function=melt_quench: .*'colour'"),
        (abs, {"seeds": (1,)}, "function=abs: does not take"),
        ("melt", {"seeds": (1,)}, "function='melt': must be a function"),
        (shaken, {"seeds": (1,), "atoms": random_silica(3), "client": "here"}, "client='here'"),
    ],
)
def test_bad_input(function: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ensemble(function, **arguments)


def test_errors_name_the_seed() -> None:
    with pytest.raises(RuntimeError, match="no model") as found:
        ensemble(fails, seeds=(7,))
    assert found.value.__notes__ == ["seed=7"]
    with pytest.raises(ValueError, match=r"returned int, must return ase\.Atoms"):
        ensemble(number, seeds=(1,))


def number(seed: int) -> int:
    return seed
