"""Molecular dynamics from the command line, alone or on many processes.

::

    python -m glassnb.models melt-quench --atoms 3000 --seed 1 --output glass
    mpirun -n 16 python -m glassnb.models densify --input glass/glass.extxyz --pressure 10 \
        --temperature 2500 --output dense --checkpoint dense/state
    python -m glassnb.models metallic-glass --system Cu-Zr --atoms 2000 --output alloy

The options are the arguments of :func:`glassnb.models.melt_quench`,
:func:`glassnb.models.densify` and :func:`glassnb.models.metallic_glass`, and their values are
written as in Python. Under ``mpirun`` (the one that belongs to LAMMPS's MPI library, in the
environment's folder of programs) all processes share one simulation, and the first of them writes
and speaks. An interrupted run that has a checkpoint goes on when it is started anew.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import re
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from glassnb.core.provenance import reading
from glassnb.models.densify import densify
from glassnb.models.glasses import available, load
from glassnb.models.lammps_engine import ranks
from glassnb.models.melt_quench import melt_quench
from glassnb.models.metallic_glass import metallic_glass
from glassnb.models.potentials import LammpsPotential
from glassnb.models.properties import DEFINITION, model_properties

COMMANDS: dict[str, Callable[..., Any]] = {
    "melt-quench": melt_quench,
    "densify": densify,
    "metallic-glass": metallic_glass,
}
SHORT = {"n_atoms": "atoms", "glass": "input"}  # options that are not called as the argument
ONLY_PYTHON = {"progress", "stop", "on_update"}


def main(words: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    words : sequence of str, optional
        Command and options; those of the process when omitted.

    Returns
    -------
    int
        0, or 2 after an error that was explained.
    """
    options = vars(_parser().parse_args(words))
    function, output = COMMANDS[options.pop("command")], options.pop("output")
    try:
        _check_output(output)
        rank, _ = ranks()
        if options.get("glass") is not None:
            options["glass"] = _structure(options["glass"])
        if str(options.get("potential", "")).endswith(".toml"):
            options["potential"] = _own_potential(options["potential"])
        result = function(**options)
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        return _explain(error)
    if rank == 0:
        result.save(output)
        print(result)
        if set(result.atoms.symbols) == {"Si", "O"}:
            for name, value in model_properties(result.atoms).items():
                print(f"{name:>24} {value:.4g}")
            print(f"({DEFINITION})")
    return 0


def _parser() -> argparse.ArgumentParser:
    """Make a parser whose options are the arguments of the functions."""
    parser = argparse.ArgumentParser(
        prog="python -m glassnb.models", description=(__doc__ or "").split("\n")[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in COMMANDS.items():
        text = inspect.getdoc(function) or ""
        about = _plain(text.split("\n\nParameters\n")[0])
        command = commands.add_parser(
            name, help=about.split("\n")[0], description=about,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        for argument, parameter in inspect.signature(function).parameters.items():
            if argument not in ONLY_PYTHON:
                _add_option(command, parameter, _described(text, argument))
        command.add_argument(
            "--output", required=True, metavar="PATH",
            help="folder to write; or a file, .extxyz or .extxyz.gz, for the glass alone",
        )  # fmt: skip
    return parser


def _add_option(
    parser: argparse.ArgumentParser, parameter: inspect.Parameter, description: str
) -> None:
    name, default = parameter.name, parameter.default
    option = "--" + SHORT.get(name, name).replace("_", "-")
    settings: dict[str, Any] = {"dest": name, "help": description.replace("%", "%%")}
    if default is inspect.Parameter.empty:
        settings["required"] = True
    else:
        settings["default"] = default
        settings["help"] += "" if default is None else f" (default: {default})"
    if isinstance(default, bool):
        parser.add_argument(option, action=argparse.BooleanOptionalAction, **settings)
    else:
        is_name = name == "glass" or "str" in str(parameter.annotation)
        parser.add_argument(option, type=str if is_name else _value, metavar="VALUE", **settings)


def _value(text: str) -> Any:
    """Read a number or a schedule as Python does; what is neither, the function will refuse."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _described(text: str, argument: str) -> str:
    """Return what a docstring says of an argument, in one line."""
    pattern = rf"^(?:\w+, )*{argument}(?:, \w+)* : .*\n((?: {{4}}.*\n)+)"
    found = re.search(pattern, text, re.MULTILINE)
    return _plain(" ".join(found[1].split())) if found else ""


def _plain(text: str) -> str:
    """Take the marks of a docstring off."""
    return re.sub(r"(?::\w+:)?`+~?([^`]+)`+", r"\1", text)


def _check_output(output: str) -> None:
    """Refuse, before the work, a place that cannot be written."""
    path = Path(output)
    is_file = path.name.endswith((".extxyz", ".extxyz.gz"))
    if path.exists() and path.is_dir() == is_file:
        kind = "folder" if is_file else "file"
        raise ValueError(f"output={output!r}: is a {kind}; give another name")
    folder = next(parent for parent in [path, *path.absolute().parents] if parent.is_dir())
    if not os.access(folder, os.W_OK):
        raise ValueError(f"output={output!r}: {folder} cannot be written; give another folder")


def _structure(name: str) -> Any:
    """Read a structure, or load one that comes with the package."""
    from glassnb.core.files import read

    if Path(name).exists():
        return read(name)
    if name in available():
        return load(name)
    raise ValueError(
        f"input={name!r}: there is no such file, and no glass of that name; the package has "
        f"{', '.join(available())}"
    )


def _own_potential(path: str) -> LammpsPotential:
    """Read the fields of a :class:`glassnb.models.LammpsPotential` from a TOML file."""
    with reading(path, "must hold name, species, cutoff and lines of a potential, as TOML"):
        return LammpsPotential(**tomllib.loads(Path(path).read_text(encoding="utf-8")))


def _explain(error: Exception) -> int:
    """Say what went wrong; a process that fails alone takes the others with it."""
    try:
        rank, size = ranks()
    except (ImportError, RuntimeError):
        rank, size = 0, 1
    if rank > 0:
        time.sleep(3)  # of an error that all have, the first process speaks and ends the rest
    print(f"error: {error}", file=sys.stderr, flush=True)
    if size > 1:
        os._exit(2)  # ending MPI in order would wait for the others
    return 2


if __name__ == "__main__":
    sys.exit(main())
