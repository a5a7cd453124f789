"""One simulation on several processes, and the command line that starts it."""

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
import pytest

from glassnb.models import LammpsPotential, load, melt_quench, potential
from glassnb.models.__main__ import COMMANDS, main

MPIRUN = str(Path(sys.prefix) / "bin" / "mpirun")
# 216 atoms, 46 steps: processes that share busy cores wait for each other at every step
SHORT = "--cooling-rate 4e5 --melt-time 0.032 --relax-time 0.032 --record-every 10 --snapshots 2"
MELT_QUENCH = ["melt-quench", "--atoms", "216", "--seed", "3", *SHORT.split()]
PRESS = [
    "densify", "--pressure", "10", "--temperature", "1000",
    "--compress-time", "0.016", "--hold-time", "0.016", "--cooling-rate", "4e4",
    "--release-temperature", "600", "--release-time", "0.016", "--final-cooling-rate", "4e4",
    "--relax-time", "0", "--record-every", "10",
]  # fmt: skip


def run(*words: str, processes: int = 2) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "GLASSNB_PROGRESS": "auto",
        "OMP_NUM_THREADS": "1",
        "MPIR_CVAR_POLLS_BEFORE_YIELD": "1",  # two processes on a busy machine wait politely
    }
    return subprocess.run(
        [MPIRUN, "-n", str(processes), sys.executable, *words], env=environment,
        capture_output=True, text=True, timeout=500,
    )  # fmt: skip


def check_same(one: Path, two: Path) -> None:
    """A force is the same sum in another order: 1e-6 after some 50 steps."""
    a, b = (pd.read_csv(folder / "thermodynamics.csv") for folder in (one, two))
    assert a["step"].tolist() == b["step"].tolist()
    assert a["stage"].tolist() == b["stage"].tolist()
    assert b["density"].to_numpy() == pytest.approx(a["density"].to_numpy(), rel=1e-6)
    energies = a["potential_energy"].to_numpy()
    assert b["potential_energy"].to_numpy() == pytest.approx(energies, rel=1e-6)
    assert b["temperature"].to_numpy() == pytest.approx(a["temperature"].to_numpy(), rel=1e-4)
    glasses = [ase.io.read(folder / "glass.extxyz") for folder in (one, two)]
    moved = glasses[1].positions - glasses[0].positions
    moved -= glasses[0].cell.lengths() * np.round(moved / glasses[0].cell.lengths())
    assert np.abs(moved).max() < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("command", [MELT_QUENCH, PRESS], ids=["melt-quench", "densify"])
def test_two_processes_make_the_same_glass(command: list[str], tmp_path: Path) -> None:
    if command is PRESS:
        start = melt_quench(216, cooling_rate=4e5, melt_time=0.032, relax_time=0.0)
        command = [*PRESS, "--input", str(start.save(tmp_path / "start.extxyz"))]
    assert main([*command, "--output", str(tmp_path / "one")]) == 0
    answer = run(
        "-m", "glassnb.models", *command,
        "--output", str(tmp_path / "two"), "--checkpoint", str(tmp_path / "state"),
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert len([line for line in lines if line.endswith("finished)")]) == 1  # one process speaks
    assert len([line for line in lines if " SiO4 " in line]) == 1
    check_same(tmp_path / "one", tmp_path / "two")
    names = sorted(path.name for path in (tmp_path / "two").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "one").iterdir())
    assert not [name for name in names if name.startswith(".writing")]
    state = sorted(path.name for path in (tmp_path / "state").iterdir())
    assert [name.split("-")[0] for name in state] == ["checkpoint.json", "records", "restart"]


@pytest.mark.slow
def test_two_processes_go_on_where_one_stopped(tmp_path: Path) -> None:
    calls = iter(range(1000))
    part = melt_quench(
        216, cooling_rate=4e5, melt_time=0.032, relax_time=0.032, record_every=10, snapshots=2,
        seed=3, checkpoint=tmp_path / "state", stop=lambda: next(calls) >= 5,
    )  # fmt: skip
    assert part.stopped
    assert part.stage[-1] == "relax"
    assert part.step[-1] == 30
    words = [*MELT_QUENCH, "--output", str(tmp_path / "two")]
    answer = run("-m", "glassnb.models", *words, "--checkpoint", str(tmp_path / "state"))
    assert answer.returncode == 0, answer.stderr
    record = pd.read_csv(tmp_path / "two" / "thermodynamics.csv")
    assert record["step"].iloc[-1] == 46
    before = record["step"] <= part.step[-1]
    assert record["temperature"][before].to_numpy() == pytest.approx(part.temperature)
    assert main([*MELT_QUENCH, "--output", str(tmp_path / "one")]) == 0
    # Thermostat and barostat keep their state: what is left is the other order of sums.
    check_same(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_fails_ends_the_others(rank: int) -> None:
    code = f"""
from glassnb.models import melt_quench
from glassnb.models.lammps_engine import ranks
if ranks()[0] == {rank}:
    raise KeyError("alone")
melt_quench(72, cooling_rate=1000, seed=1)
"""
    answer = run("-c", code)
    assert answer.returncode != 0
    assert "KeyError: 'alone'" in answer.stderr


@pytest.mark.slow
def test_what_processes_cannot_share() -> None:
    code = """
from glassnb.models import melt_quench, random_silica
from glassnb.models.ensemble import ensemble
from glassnb.models.lammps_engine import ranks
for call in (
    lambda: melt_quench(72, stop=lambda: False),
    lambda: ensemble(random_silica, seeds=(1, 2), n_atoms=72),
):
    try:
        call()
    except ValueError as error:
        if ranks()[0] == 0:
            print(error)
"""
    answer = run("-c", code)
    assert answer.returncode == 0, answer.stderr
    first, second = answer.stdout.splitlines()
    assert first.startswith("stop: 2 processes run together")
    assert second.startswith("client: under mpirun")


def test_another_mpirun_is_noticed() -> None:
    """Every process would make the whole glass, and write the same files."""
    words = [sys.executable, "-m", "glassnb.models", *MELT_QUENCH, "--output", "nowhere"]
    answer = subprocess.run(
        words, env=os.environ | {"OMPI_COMM_WORLD_SIZE": "4"}, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert answer.returncode == 2
    assert "started 4 processes, of which LAMMPS's MPI library sees 1" in answer.stderr
    assert not Path("nowhere").exists()


# -- the command line ----------------------------------------------------------------------------


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What the functions are called with, instead of running them."""
    seen: list[dict[str, object]] = []

    def wrap(function: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(function)
        def record(**options: object) -> object:
            seen.append(options)
            raise ValueError("seen")

        return record

    functions = {name: wrap(function) for name, function in COMMANDS.items()}
    monkeypatch.setattr("glassnb.models.__main__.COMMANDS", functions)
    return seen


def test_options_are_the_arguments(calls: list[dict[str, object]], tmp_path: Path) -> None:
    output = ["--output", str(tmp_path / "glass")]
    schedule = ["--cooling-rate", "((1500, 10), (300, 50))", "--minimise", "--potential", "BKS"]
    assert main(["melt-quench", "--atoms", "300", *schedule, "--checkpoint", "7", *output]) == 2
    (options,) = calls
    assert options["n_atoms"] == 300
    assert options["cooling_rate"] == ((1500, 10), (300, 50))
    assert options["minimise"] is True
    assert options["small_box"] is False
    assert options["potential"] == "BKS"
    assert options["checkpoint"] == "7"
    assert options["density"] == 2.20
    assert not {"progress", "stop", "on_update", "output", "command"} & set(options)


def test_own_potential_and_glass_of_the_package(
    calls: list[dict[str, object]], tmp_path: Path
) -> None:
    tersoff = potential("Tersoff")
    assert isinstance(tersoff, LammpsPotential)
    lines = ", ".join(f"'{line}'" for line in tersoff.lines)
    file = tmp_path / "own.toml"
    file.write_text(f'name = "own"\nspecies = ["Si", "O"]\ncutoff = 2.8\nlines = [{lines}]\n')
    words = ["densify", "--input", "silica-pristine-648", "--pressure", "5", "--temperature", "300"]
    output = ["--output", str(tmp_path / "glass")]
    assert main([*words, "--potential", str(file), *output]) == 2
    own = calls[0]["potential"]
    assert isinstance(own, LammpsPotential)
    assert own.lines == tersoff.lines
    assert calls[0]["glass"] == load("silica-pristine-648")
    assert calls[0]["pressure"] == 5


def test_errors_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def error(*words: str) -> str:
        assert main(words) == 2
        return capsys.readouterr().err

    output = ("--output", str(tmp_path / "glass"))
    assert "n_atoms=217" in error("melt-quench", "--atoms", "217", *output)
    assert "n_atoms='many'" in error("melt-quench", "--atoms", "many", *output)
    (tmp_path / "own.toml").write_text('name = "own"\n')
    assert "must hold name, species" in error(
        "melt-quench", "--potential", str(tmp_path / "own.toml"), *output
    )
    (tmp_path / "file").write_text("")
    assert "is a file" in error("melt-quench", "--output", str(tmp_path / "file"))
    words = ("--pressure", "1", "--temperature", "300", *output)
    assert "there is no such file" in error("densify", "--input", "no", *words)
    with pytest.raises(SystemExit):
        main(["densify"])
    assert "--input" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["melt-quench", "--help"])
    told = capsys.readouterr().out
    assert "In K/ps; or pairs" in told
    assert "cools at 50 K/ps, which is 5·10¹³ K/s" in told
    assert "%%" not in told
    assert "`" not in told
