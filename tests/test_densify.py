"""Densification: the protocol, the result, stopping and resuming, series, zeolites, errors."""

import signal
from pathlib import Path
from typing import Any

import ase.io
import matplotlib as mpl
import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list
from test_melt_quench import python

from glassnb.core.provenance import from_json, to_json
from glassnb.models import (
    Snapshot,
    crystal,
    load,
    melt_quench,
    potential,
    random_alloy,
    random_silica,
)
from glassnb.models.densify import Densification, densify
from glassnb.models.densify_protocol import plan
from glassnb.models.density_series import DensificationSeries, densification_series
from glassnb.models.md_protocol import Stage
from glassnb.models.potentials import LammpsPotential
from glassnb.models.zeolites import zeolite, zeolites

mpl.use("Agg")

# alpha-cristobalite, 216 atoms, and 1.6 ps of 1.6 fs: half a second.
TINY: dict[str, Any] = {
    "pressure": 10.0,
    "temperature": 2500.0,
    "compress_time": 0.32,
    "hold_time": 0.16,
    "cooling_rate": 5000.0,
    "release_time": 0.32,
    "final_cooling_rate": 5000.0,
    "relax_time": 0.16,
    "record_every": 50,
    "snapshots": 4,
}
TINY_STAGES = {
    "heat and compress": 200, "hold": 100, "cool under pressure": 125, "release": 200,
    "cool": 150, "relax": 100,
}  # fmt: skip
TINY_STEPS = sum(TINY_STAGES.values())
LOADED = 200 + 100 + 125  # steps until the pressure is released


@pytest.fixture(scope="module")
def start() -> Atoms:
    return crystal("alpha-cristobalite", repeat=(3, 3, 2))


@pytest.fixture(scope="module")
def tiny(start: Atoms) -> Densification:
    return densify(start, **TINY)


@pytest.fixture(scope="module")
def glass() -> Densification:
    """A glass of 648 atoms through 3 ps: a few seconds."""
    return densify(
        load("silica-pristine-648"), 12, 3000, compress_time=0.6, hold_time=0.6,
        cooling_rate=4000, release_time=0.6, final_cooling_rate=2500, relax_time=0.8,
        record_every=25, snapshots=0,
    )  # fmt: skip


def stages(**options: Any) -> tuple[Stage, ...]:
    """The stages of a run with the defaults of densify, without running it."""
    import inspect

    atoms = crystal("alpha-cristobalite", repeat=(3, 3, 2))
    call = inspect.signature(densify).bind(atoms, **options)
    call.apply_defaults()
    return plan(**call.arguments).protocol.stages


def grams(atoms: Atoms) -> float:
    """Density from masses and volume; 1 u is 1/0.602214076 g/cm³ Å³."""
    return float(atoms.get_masses().sum() / 0.602214076 / atoms.get_volume())


def coordination_by_ase(atoms: Atoms) -> dict[str, float]:
    first = neighbor_list("i", atoms, {("Si", "O"): 2.2})
    numbers = np.bincount(first, minlength=len(atoms))[atoms.symbols == "Si"]
    return {f"SiO{n}": 100 * float(np.mean(numbers == n)) for n in (4, 5, 6)}


# -- the protocol --------------------------------------------------------------------------------


def test_hot_protocol() -> None:
    found = stages(pressure=10, temperature=2500, timestep=1.0)
    assert found == (
        Stage("heat and compress", 6000, (300, 2500), (0, 10)),
        Stage("hold", 10000, (2500, 2500), (10, 10)),
        Stage("cool under pressure", 20000, (2500, 1500), (10, 10), keep="under pressure"),
        Stage("release", 10000, (1500, 1500), (10, 0)),
        Stage("cool", 24000, (1500, 300), (0, 0)),
        Stage("relax", 4000, (300, 300), (0, 0)),
    )


def test_cold_protocol() -> None:
    """Nothing is heated or cooled, and the release is slow."""
    found = stages(pressure=20, temperature=300, timestep=1.0)
    assert found == (
        Stage("compress", 6000, (300, 300), (0, 20)),
        Stage("hold", 10000, (300, 300), (20, 20), keep="under pressure"),
        Stage("release", 50000, (300, 300), (20, 0)),
        Stage("relax", 4000, (300, 300), (0, 0)),
    )


def test_anneal_and_schedules() -> None:
    found = stages(
        pressure=8, temperature=2000, timestep=1.0, hold_time=0, release_temperature=1000,
        cooling_rate=((1500, 100), (1000, 50)), release_time=3, anneal_temperature=1200,
        anneal_time=7, final_temperature=400, final_cooling_rate=((600, 60), (400, 20)),
        relax_time=0,
    )  # fmt: skip
    assert found == (
        Stage("heat and compress", 6000, (400, 2000), (0, 8)),
        Stage("cool under pressure", 5000, (2000, 1500), (8, 8)),
        Stage("cool under pressure", 10000, (1500, 1000), (8, 8), keep="under pressure"),
        Stage("release", 3000, (1000, 1000), (8, 0)),
        Stage("heat", 1000, (1000, 1200), (0, 0)),
        Stage("anneal", 7000, (1200, 1200), (0, 0)),
        Stage("cool", 10000, (1200, 600), (0, 0)),
        Stage("cool", 10000, (600, 400), (0, 0)),
    )


def test_release_below_1500_kelvin_where_it_was_never_hotter() -> None:
    found = stages(pressure=8, temperature=1000, timestep=1.0)
    assert [stage.name for stage in found][1:3] == ["hold", "release"]
    assert found[2].temperature == (1000, 1000)
    assert found[2].steps == 10000


def test_under_pressure_to_the_end() -> None:
    found = stages(pressure=8, temperature=2300, timestep=1.0, release=False)
    assert found[2:] == (
        Stage("cool under pressure", 40000, (2300, 300), (8, 8)),
        Stage("relax under pressure", 4000, (300, 300), (8, 8), keep="under pressure"),
    )


def test_what_was_left_open_stands_in_the_history(tiny: Densification) -> None:
    parameters = tiny.atoms.info["history"]["parameters"]
    assert parameters["release_temperature"] == 1500.0
    assert parameters["release_time"] == 0.32
    assert parameters["anneal_temperature"] is None
    assert parameters["glass"]["formula"] == "O144Si72"


# -- the result ----------------------------------------------------------------------------------


def test_record(tiny: Densification, start: Atoms) -> None:
    assert tiny.step[0] == 0
    assert tiny.step[-1] == TINY_STEPS == tiny.atoms.info["history"]["steps"]
    names = list(dict.fromkeys(tiny.stage.tolist()))
    assert names == list(TINY_STAGES)
    ends = {name: int(tiny.step[tiny.stage == name][-1]) for name in names}
    assert list(ends.values()) == np.cumsum(list(TINY_STAGES.values())).tolist()
    frame = tiny.to_frame()
    assert list(frame.columns) == [
        "step", "time", "temperature", "pressure", "density", "potential_energy", "stage",
    ]  # fmt: skip
    assert len(tiny.trajectory) == 4
    assert not tiny.stopped
    assert np.array_equal(tiny.start.positions, start.positions)
    assert list(tiny.atoms.symbols) == list(start.symbols)  # the order of the atoms stays


def test_structures_are_those_of_their_times(tiny: Densification) -> None:
    assert tiny.compressed is not None
    at = tiny.step.tolist().index(LOADED)
    # LAMMPS's units of mass and length carry 6 digits or more.
    assert grams(tiny.compressed) == pytest.approx(tiny.density[at], rel=1e-5)
    assert grams(tiny.atoms) == pytest.approx(tiny.density[-1], rel=1e-5)
    assert tiny.compressed.info["history"] == tiny.atoms.info["history"]


def test_history_counts_silicon_as_ase_does(glass: Densification) -> None:
    found = glass.atoms.info["history"]["structures"]
    assert list(found) == ["before", "under pressure", "at the end"]
    assert glass.compressed is not None
    for name, atoms in zip(found, (glass.start, glass.compressed, glass.atoms), strict=True):
        expected = {"density": grams(atoms)} | coordination_by_ase(atoms)
        # ASE's masses and constants: 7 digits.
        assert found[name] == pytest.approx(expected, rel=1e-6)
    assert found["under pressure"]["SiO5"] > 5  # so that it counts something
    words = "SiO4/5/6 {SiO4:.1f}/{SiO5:.1f}/{SiO6:.1f} %".format(**found["at the end"])
    assert words in repr(glass)
    assert repr(glass).startswith("Densification(648 atoms, SHIK, 12 GPa and 3000 K: 2.180 to ")
    assert repr(glass).endswith(", finished)")


def test_history_holds_that_of_the_start(glass: Densification) -> None:
    history = glass.atoms.info["history"]
    assert history["start"] == load("silica-pristine-648").info["history"]
    assert history["method"].startswith("densification")
    assert history["seed"] == 0
    assert from_json(to_json(history)) == history


def test_summary(glass: Densification) -> None:
    table = glass.summary()
    assert list(table.index) == ["before", "under pressure", "at the end"]
    assert table["density"].tolist() == pytest.approx(
        [grams(a) for a in (glass.start, glass.compressed, glass.atoms) if a is not None]
    )
    assert {"SiO4", "si_o_si_mean", "fsdp_position_neutron"} <= set(table.columns)


def test_save(tiny: Densification, tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "run")
    assert sorted(path.name for path in folder.iterdir()) == [
        "compressed.extxyz", "glass.extxyz", "history.json", "start.extxyz",
        "thermodynamics.csv", "trajectory.extxyz",
    ]  # fmt: skip
    again = ase.io.read(folder / "compressed.extxyz")
    assert isinstance(again, Atoms)
    assert tiny.compressed is not None
    assert again.positions == pytest.approx(tiny.compressed.positions, abs=1e-7)
    assert again.info["history"] == tiny.atoms.info["history"]
    alone = tiny.save(tmp_path / "glass.extxyz.gz")
    assert ase.io.read(alone).info["history"] == tiny.atoms.info["history"]


def test_plot_names_the_stages(tiny: Densification) -> None:
    ax = tiny.plot()
    assert ax.lines[0].get_ydata() == pytest.approx(tiny.density)
    assert [text.get_text() for text in ax.texts] == list(TINY_STAGES)
    assert ax.get_ylabel() == "density (g/cm³)"
    (right,) = (other for other in ax.figure.axes if other is not ax)
    assert right.lines[0].get_ydata() == pytest.approx(tiny.pressure)
    mpl.pyplot.close(ax.figure)


def test_same_seed_same_glass(tiny: Densification, start: Atoms) -> None:
    again = densify(start, **TINY)
    assert np.array_equal(again.atoms.positions, tiny.atoms.positions)
    other = densify(start, **TINY, seed=1)
    assert not np.allclose(other.atoms.positions, tiny.atoms.positions)


# -- the physics ---------------------------------------------------------------------------------


def test_glass_is_denser_and_free_of_pressure(glass: Densification) -> None:
    assert glass.compressed is not None
    assert grams(glass.compressed) > grams(glass.atoms) + 0.2 > grams(glass.start) + 0.3
    cold = glass.stage == "relax"
    # Means of 0.8 ps; pressure of 648 atoms scatters by about 0.5 GPa from one to the next.
    assert glass.pressure[cold].mean() == pytest.approx(0, abs=0.5)
    assert glass.temperature[cold][5:].mean() == pytest.approx(300, rel=0.15)
    hold = glass.stage == "hold"
    assert glass.pressure[hold].mean() == pytest.approx(12, abs=2)


def test_density_under_pressure_is_that_of_others() -> None:
    """A public model of 1008 atoms at 8 GPa (JulienPerradin/nexus) has 2.846 g/cm³; 0 GPa: 2.2.

    This one is compressed within 2 ps; hence the tolerance of 4 %.
    """
    run = densify(
        load("silica-pristine-648"), 8, 300, compress_time=1.2, hold_time=0.4, release=False,
        relax_time=0.4, snapshots=0,
    )  # fmt: skip
    assert run.compressed is not None
    assert np.array_equal(run.compressed.positions, run.atoms.positions)
    end = run.stage == "relax under pressure"
    assert run.density[end].mean() == pytest.approx(2.846, rel=0.04)
    assert run.pressure[end].mean() == pytest.approx(8, abs=0.7)


def test_a_cold_glass_comes_back_from_low_pressure() -> None:
    """Below the elastic limit, about 9 GPa in experiment, silica glass recovers its density."""
    run = densify(
        load("silica-pristine-648"), 3, 300, compress_time=0.6, hold_time=0.2, release_time=1.0,
        relax_time=0.6, snapshots=0, record_every=25,
    )  # fmt: skip
    end = run.stage == "relax"
    assert run.density[end].mean() == pytest.approx(grams(run.start), rel=0.015)
    assert run.atoms.info["history"]["structures"]["under pressure"]["density"] > 2.3


def test_a_result_can_be_densified(start: Atoms) -> None:
    made = melt_quench(
        192, cooling_rate=20000, melt_time=0.4, relax_time=0.1, snapshots=0, record_every=200
    )
    run = densify(made, **TINY)
    assert np.array_equal(run.start.positions, made.atoms.positions)
    again = densify(run, **TINY | {"pressure": 0.0, "temperature": 300.0, "release_time": 0.1})
    assert again.atoms.info["history"]["start"] == run.atoms.info["history"]


def test_minimise(start: Atoms, tiny: Densification) -> None:
    run = densify(start, **TINY, minimise=True)
    assert run.atoms.info["history"]["minimised"] is True
    assert run.compressed is not None
    assert tiny.compressed is not None
    assert np.array_equal(run.compressed.positions, tiny.compressed.positions)
    assert not np.allclose(run.atoms.positions, tiny.atoms.positions, atol=1e-3)


# -- while it runs, and after it was stopped -----------------------------------------------------


@pytest.fixture
def save_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glassnb.models.md_run.ATOM_STEPS_PER_SAVE", 216 * 100)


def test_stop(start: Atoms) -> None:
    seen: list[Snapshot] = []
    early = densify(start, **TINY, on_update=seen.append, stop=lambda: len(seen) >= 3)
    assert early.stopped
    assert early.compressed is None
    assert early.step[-1] == 150
    assert list(early.atoms.info["history"]["structures"]) == ["before", "at the end"]
    assert repr(early).endswith(", stopped)")
    assert list(early.summary().index) == ["before", "at the end"]
    late: list[Snapshot] = []
    stopped = densify(
        start, **TINY, on_update=late.append,
        stop=lambda: bool(late) and late[-1].stage == "release",
    )  # fmt: skip
    assert stopped.stopped
    assert stopped.compressed is not None


@pytest.mark.usefixtures("save_often")
@pytest.mark.parametrize("steps", [300, LOADED, 500, TINY_STEPS])
def test_resume_has_the_structure_under_pressure(
    tmp_path: Path, start: Atoms, tiny: Densification, steps: int
) -> None:
    """Stopped before, at and after the end of full pressure, and at the end of all."""
    seen: list[Snapshot] = []
    part = densify(
        start, **TINY, checkpoint=tmp_path, on_update=seen.append,
        stop=lambda: bool(seen) and seen[-1].step >= steps,
    )  # fmt: skip
    assert part.step[-1] == steps
    whole = densify(start, **TINY, checkpoint=tmp_path)
    assert whole.compressed is not None
    if part.compressed is not None:
        assert np.array_equal(whole.compressed.positions, part.compressed.positions)
        assert np.array_equal(whole.compressed.cell.array, part.compressed.cell.array)
    at = whole.step.tolist().index(LOADED)
    assert grams(whole.compressed) == pytest.approx(whole.density[at], rel=1e-5)
    assert np.array_equal(whole.step, tiny.step)
    assert np.array_equal(whole.stage, tiny.stage)
    assert len(whole.trajectory) == len(tiny.trajectory)
    assert not whole.stopped


def test_killed_run_has_the_structure_under_pressure(tmp_path: Path, start: Atoms) -> None:
    """Killed during the release, after the structure under pressure was reached."""
    options = TINY | {"release_time": 3.2}
    folder = tmp_path / "state"
    code = f"""
from glassnb.models import crystal, md_run
from glassnb.models.densify import densify
md_run.ATOM_STEPS_PER_SAVE = 216 * 100
def report(done, total, message):
    print(done, total, flush=True)
start = crystal("alpha-cristobalite", repeat=(3, 3, 2))
densify(start, **{options!r}, checkpoint={str(folder)!r}, progress=report)
"""
    victim = python(code, tmp_path)
    assert victim.stdout is not None
    for line in victim.stdout:
        done, total = map(int, line.split())
        if done > LOADED + 200:
            break
    victim.kill()
    victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    reports: list[int] = []
    run = densify(start, **options, checkpoint=folder, progress=lambda n, *_: reports.append(n))
    assert LOADED < reports[0] < total
    assert run.compressed is not None
    at = run.step.tolist().index(LOADED)
    assert grams(run.compressed) == pytest.approx(run.density[at], rel=1e-5)


@pytest.mark.usefixtures("save_often")
def test_checkpoint_of_another_run(tmp_path: Path, start: Atoms) -> None:
    densify(start, **TINY, checkpoint=tmp_path, stop=lambda: True)
    with pytest.raises(ValueError, match=r"its run has pressure=10\.0, this one pressure=12"):
        densify(start, **TINY | {"pressure": 12}, checkpoint=tmp_path)
    moved = start.copy()
    moved.positions[0, 0] += 0.01
    with pytest.raises(ValueError, match=r"its run has glass=.*sha256"):
        densify(moved, **TINY, checkpoint=tmp_path)


# -- series --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def series(start: Atoms) -> DensificationSeries:
    options = {k: v for k, v in TINY.items() if k not in ("pressure", "temperature")}
    return densification_series(
        start, pressures=(5, 10), temperatures=(2500,), seeds=(0, 1), progress=False, **options
    )


def test_series_runs_are_those_of_densify(series: DensificationSeries, start: Atoms) -> None:
    assert len(series.runs) == 4
    table = series.to_frame()
    assert table["pressure"].tolist() == [5, 5, 10, 10]
    assert table["temperature"].tolist() == [2500] * 4
    assert table["seed"].tolist() == [0, 1, 0, 1]
    alone = densify(start, **TINY, seed=1)
    assert np.array_equal(series.runs[3].atoms.positions, alone.atoms.positions)
    row, one = table.iloc[3], alone.summary()
    for name in ("SiO4", "si_o_si_mean", "si_o_si_std", "o_si_o_std"):
        assert row[name] == one.loc["at the end", name]
    assert row["density"] == pytest.approx(grams(alone.atoms))
    assert row["density_before"] == pytest.approx(grams(start))
    assert row["density_under_pressure"] == pytest.approx(one.loc["under pressure", "density"])
    for radiation in ("neutron", "x_ray"):
        assert {f"fsdp_{word}_{radiation}" for word in ("position", "height", "width")} <= set(
            row.index
        )
    assert repr(series).startswith("DensificationSeries(4 runs, 2 conditions, ")


def test_series_summary(series: DensificationSeries) -> None:
    table, summary = series.to_frame(), series.summary()
    assert summary[["pressure", "temperature", "runs"]].to_numpy().tolist() == [
        [5, 2500, 2], [10, 2500, 2],
    ]  # fmt: skip
    a, b = table["density"][:2]
    assert summary["density"][0] == pytest.approx((a + b) / 2)
    # The standard error of two values is half their difference.
    assert summary["density_error"][0] == pytest.approx(abs(a - b) / 2)


def test_series_plot_and_save(series: DensificationSeries, tmp_path: Path) -> None:
    ax = series.plot()
    assert ax.get_xlabel() == "pressure (GPa)"
    assert ax.get_legend_handles_labels()[1] == ["before", "2500 K", "2500 K, under pressure"]
    mpl.pyplot.close(ax.figure)
    folder = series.save(tmp_path / "series")
    names = {path.name for path in folder.iterdir()}
    assert {"runs.csv", "summary.csv", "10-GPa-2500-K-seed-1"} < names
    assert len(names) == 6


@pytest.mark.usefixtures("save_often")
def test_series_of_pairs_resumes(start: Atoms, tmp_path: Path) -> None:
    options = TINY | {"checkpoint": tmp_path, "record_every": 1000}
    del options["pressure"], options["temperature"]
    pairs = [(10, 2500), (5, 300)]
    densification_series(start, conditions=pairs, stop=lambda: True, **options)
    seen: list[int] = []
    found = densification_series(
        start, conditions=pairs, progress=lambda n, *_: seen.append(n), **options
    )
    table = found.to_frame()
    assert table[["pressure", "temperature"]].to_numpy().tolist() == [[10, 2500], [5, 300]]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "10-GPa-2500-K-seed-0", "5-GPa-300-K-seed-0",
    ]  # fmt: skip
    assert seen[-1] == 2
    assert found.summary()["density_error"].isna().all()


@pytest.mark.slow
def test_series_on_a_dask_worker(start: Atoms, tiny: Densification) -> None:
    from distributed import Client, LocalCluster

    options = {k: v for k, v in TINY.items() if k not in ("pressure", "temperature")}
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        found = densification_series(
            start, conditions=[(10.0, 2500.0), (5.0, 2500.0)], client=client, **options
        )
        with pytest.raises(ValueError, match="stop: belongs to single runs"):
            densification_series(start, (5,), (300,), client=client, stop=lambda: True)
    assert np.array_equal(found.runs[0].atoms.positions, tiny.atoms.positions)
    assert found.runs[1].atoms.info["history"]["parameters"]["pressure"] == 5.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pressures": ()}, "give 0 conditions and 1 seeds"),
        ({"seeds": ()}, "give 1 conditions and 0 seeds"),
        ({"seeds": (0, 0)}, "with seed 0 stands twice"),
        ({"seeds": (-1,)}, "seed=-1"),
        ({"conditions": [(8,)]}, r"conditions: \(8,\) must be a pair"),
        ({"conditions": [(8, 2500)]}, "stands twice"),
        ({"pressures": (8, -1)}, "pressure=-1: must be 0 or a positive number"),
        ({"progress": None, "on_update": print}, "on_update: belongs to single runs"),
        ({"hold_time": -1}, "hold_time=-1"),
    ],
)
def test_series_input(
    change: dict[str, Any], message: str, start: Atoms, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_work(monkeypatch)
    options = {"pressures": (8,), "temperatures": (2500,)}
    with pytest.raises(ValueError, match=message):
        densification_series(start, **options | change)


def test_series_refuses_unknown_options(start: Atoms) -> None:
    with pytest.raises(TypeError, match="hold_tme"):
        densification_series(start, (8,), (2500,), hold_tme=3)


# -- zeolites ------------------------------------------------------------------------------------


def test_zeolites() -> None:
    assert len(zeolites()) == 253
    assert {"MFI", "SOD", "FAU", "CHA", "LTA", "BEA"} <= set(zeolites())


@pytest.mark.parametrize(
    ("code", "framework_density"),
    # T atoms per 1000 Å³ of the idealised cells, Atlas of Zeolite Framework Types (2007).
    [("MFI", 18.4), ("SOD", 16.7), ("FAU", 13.3), ("CHA", 15.1), ("LTA", 14.2), ("BEA", 15.3)],
)
def test_zeolite_is_a_perfect_network(code: str, framework_density: float) -> None:
    atoms = zeolite(code)
    silicon = int((atoms.symbols == "Si").sum())
    assert len(atoms) == 3 * silicon
    assert 1000 * silicon / atoms.get_volume() == pytest.approx(framework_density, abs=0.15)
    first = neighbor_list("i", atoms, {("Si", "O"): 1.8})
    numbers = np.bincount(first, minlength=len(atoms))
    assert set(numbers[atoms.symbols == "Si"]) == {4}
    assert set(numbers[atoms.symbols == "O"]) == {2}


def test_silicalite() -> None:
    atoms = zeolite("MFI", repeat=(1, 1, 2))
    assert len(atoms) == 576
    assert atoms.cell.lengths() == pytest.approx([20.09, 19.738, 26.284])
    assert grams(atoms) == pytest.approx(1.838, abs=0.001)
    assert atoms.info["name"] == "MFI"
    assert atoms.info["repeat"] == (1, 1, 2)
    atoms.positions[:] = 0  # a copy: the next one is whole
    assert np.ptp(zeolite("MFI").positions) > 10


def test_silicalite_collapses() -> None:
    """Amorphous silicalite: the pores do not come back after 20 GPa at 300 K."""
    run = densify(
        zeolite("MFI"), 20, 300, compress_time=1.2, hold_time=0.4, release_time=1.2,
        relax_time=0.4, snapshots=0,
    )  # fmt: skip
    assert run.compressed is not None
    assert grams(run.compressed) > 2.5
    assert 1.95 < grams(run.atoms) < grams(run.compressed) - 0.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"code": "mfi"}, "code='mfi': must be one of the 253 codes"),
        ({"code": "MFI", "repeat": 0}, "repeat=0: must be a positive whole number"),
    ],
)
def test_zeolite_input(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        zeolite(**arguments)


# -- input ---------------------------------------------------------------------------------------


def forbid_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_work(*_: object) -> None:
        raise AssertionError("started")

    monkeypatch.setattr("glassnb.models.md_run.MolecularDynamics.run", no_work)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pressure": -1.0}, r"pressure=-1\.0: must be 0 or a positive number \(GPa\)"),
        ({"pressure": float("nan")}, "pressure=nan: must be a finite number"),
        ({"pressure": float("inf")}, "pressure=inf"),
        ({"temperature": 0.0}, r"temperature=0\.0: must be a positive number \(K\)"),
        ({"temperature": -300}, "temperature=-300"),
        ({"temperature": 200}, r"temperature=200\.0: must be at least final_temperature=300"),
        ({"final_temperature": 0}, "final_temperature=0: must be a positive"),
        ({"release_temperature": 2600}, r"release_temperature=2600\.0: must be between"),
        ({"release_temperature": 200}, "release_temperature=200.0: must be between"),
        ({"release_temperature": float("nan")}, "release_temperature=nan"),
        ({"release": False, "release_temperature": 900}, "release_temperature=900: leave it out"),
        ({"release": False, "anneal_temperature": 900}, "anneal_temperature=900: leave it out"),
        ({"anneal_temperature": 200}, "anneal_temperature=200: must be at least"),
        ({"anneal_temperature": 900, "anneal_time": 0}, "anneal_time=0: must be a positive"),
        ({"compress_time": 0.0}, "compress_time=0.0: must be a positive"),
        ({"hold_time": -1.0}, "hold_time=-1.0: must be 0 or a positive"),
        ({"release_time": 0.0}, "release_time=0.0"),
        ({"relax_time": -1.0}, "relax_time=-1.0"),
        ({"cooling_rate": 0.0}, "^cooling_rate=0.0: must be a positive"),
        ({"cooling_rate": ((300, 10),)}, "release_temperature=1500.0 K, which must be the last"),
        ({"final_cooling_rate": ((2000, 9), (300, 9))}, "must fall from release_temperature=1500"),
        ({"final_cooling_rate": "slow"}, "final_cooling_rate='slow': must be a rate"),
        ({"timestep": 0.0}, "timestep=0.0"),
        ({"potential": "SHOK"}, "potential='SHOK'"),
        ({"potential": 3}, "potential=3: must be a name"),
        ({"seed": -1}, "seed=-1"),
        ({"record_every": 0}, "record_every=0"),
        ({"snapshots": -1}, "snapshots=-1"),
    ],
)
def test_bad_input(
    change: dict[str, Any], message: str, start: Atoms, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_work(monkeypatch)
    with pytest.raises(ValueError, match=message):
        densify(start, **TINY | change)


def sheared(atoms: Atoms) -> None:
    atoms.cell[1, 0] = 2.0


def flat(atoms: Atoms) -> None:
    atoms.pbc = (True, True, False)


def nowhere(atoms: Atoms) -> None:
    atoms.positions[5, 1] = np.nan


def twice(atoms: Atoms) -> None:
    atoms.positions[5] = atoms.positions[7] + [0.3, 0, 0]


def germania(atoms: Atoms) -> None:
    atoms.symbols[atoms.symbols == "Si"] = "Ge"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (sheared, "not orthorhombic along x, y and z"),
        (flat, "pbc=.*must be periodic in all three directions"),
        (nowhere, "position of atom 5"),
        (twice, r"atoms (5 and 7|7 and 5) overlap, 0\.300 Å apart"),
        (germania, "glass: holds Ge, which SHIK does not have"),
    ],
)
def test_structures_that_cannot_be_densified(
    spoil: Any, message: str, start: Atoms, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_work(monkeypatch)
    atoms = start.copy()
    spoil(atoms)
    with pytest.raises(ValueError, match=message):
        densify(atoms, **TINY)


def test_structures_too_small_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_work(monkeypatch)
    with pytest.raises(ValueError, match=r"its box is 9\.9 Å wide, not more than the cutoff"):
        densify(crystal("alpha-cristobalite", repeat=(2, 3, 2)), **TINY)
    with pytest.raises(ValueError, match="glass=str: must be an ase.Atoms object, or a result"):
        densify("silica-pristine-648", **TINY)  # type: ignore[arg-type]


def test_other_compositions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Oxygen-poor glass, and elements that a potential of LAMMPS's own has."""
    atoms = random_silica(300, 2.0, seed=1)
    del atoms[[-1, -2]]
    made = densify(atoms, **TINY | {"temperature": 300.0, "pressure": 1.0, "release_time": 0.1})
    assert made.atoms.info["history"]["parameters"]["glass"]["formula"] == "O198Si100"
    forbid_work(monkeypatch)
    lines = ("pair_style zero 5.0", "pair_coeff * *")
    alumina = LammpsPotential(
        name="alumina", title="", species=("Al", "O"), cutoff=5.0, source="", formula="",
        lines=lines,
    )  # fmt: skip
    with pytest.raises(ValueError, match="glass: holds Si, which alumina does not have"):
        densify(atoms, **TINY, potential=alumina)
    assert potential("SHIK").species == ("Si", "O")
    alloy = random_alloy({"Al": 80, "O": 120}, 2.0, seed=1)
    with pytest.raises(ValueError, match="release_temperature=None: 1500 K is for silica; give"):
        densify(alloy, **TINY, potential=alumina)
    for options in ({"release_temperature": 800.0}, {"temperature": 900.0}):
        with pytest.raises(AssertionError, match="started"):
            densify(alloy, **TINY | options, potential=alumina)
