"""State and geometry of the structure viewer, without widgets and without a browser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from ase import Atoms
from ase.geometry import cellpar_to_cell
from ase.neighborlist import neighbor_list
from glassnb_widgets import geometry
from glassnb_widgets.models import StructureModel
from scipy.spatial import ConvexHull
from traitlets import TraitError

import glassnb as gn
from glassnb.network import bonds
from glassnb.plotting import species_colour

SOURCES = Path(geometry.__file__).parent


@pytest.fixture
def cristobalite() -> Atoms:
    return gn.models.crystal("beta-cristobalite")


@pytest.fixture
def triclinic() -> Atoms:
    """Random SiO2 in a skewed cell that is not in standard orientation."""
    rng = np.random.default_rng(5)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    cell = cellpar_to_cell([9, 11, 13, 65, 80, 100]) @ turn
    atoms = Atoms("Si20O40", cell=cell, pbc=True)
    atoms.set_scaled_positions(rng.random((60, 3)))
    return atoms


def parsed(mol2: str) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and bonds of a MOL2 text as MDAnalysis reads it."""
    import io

    mda = pytest.importorskip("MDAnalysis")
    universe = mda.Universe(io.StringIO(mol2), format="MOL2", topology_format="MOL2")
    return universe.atoms.positions, universe.bonds.indices


@pytest.mark.filterwarnings("ignore")  # MDAnalysis on elements and dimensions it does not find
@pytest.mark.parametrize("name", ["cristobalite", "triclinic"])
def test_drawing_holds_positions_and_bonds(name: str, request: pytest.FixtureRequest) -> None:
    """MDAnalysis and ASE's neighbour list agree with the text, to its 4 decimals."""
    atoms = request.getfixturevalue(name)
    cutoff = 2.0
    drawn = geometry.drawing(atoms, bonds(atoms, {("Si", "O"): cutoff}))
    positions, pairs = parsed(drawn.mol2)
    n = len(atoms)
    assert positions[:n] == pytest.approx(atoms.positions, abs=1e-4)

    i, j, d, images = neighbor_list("ijdS", atoms, {("Si", "O"): cutoff})
    inside = ~images.any(axis=1)
    real = pairs.max(axis=1) < n
    expected = {tuple(sorted(pair)) for pair in zip(i[inside], j[inside], strict=True)}
    assert {tuple(sorted(pair)) for pair in pairs[real]} == expected
    # One half for each end of a bond that crosses a face: as many as ASE lists, half as long.
    lengths = np.linalg.norm(positions[pairs[:, 0]] - positions[pairs[:, 1]], axis=1)
    assert np.sort(lengths[~real]) == pytest.approx(np.sort(d[~inside]) / 2, abs=2e-4)
    assert drawn.parents.size == (~inside).sum() == len(positions) - n


def test_bond_to_own_image_is_drawn() -> None:
    """Simple cubic with one atom: three bonds, six halves."""
    atoms = Atoms("Si", cell=[2.3] * 3, pbc=True)
    model = StructureModel(atoms, cutoff=2.4)
    assert len(model.bonds) == 3
    assert model.drawing.parents.tolist() == [0] * 6


def test_cell_is_where_the_atoms_are(triclinic: Atoms) -> None:
    """Nothing is rotated: the edges are the cell vectors, and hold all atoms between them."""
    edges = np.array(geometry.cell_edges(triclinic))
    assert edges.shape == (12, 2, 3)
    vectors = edges[:, 1] - edges[:, 0]
    for vector in np.asarray(triclinic.cell):
        assert np.isclose(vectors, vector, atol=2e-4).all(axis=1).sum() == 4
    assert geometry.cell_edges(Atoms("Si")) == []


def test_positions_outside_the_cell_are_brought_in(triclinic: Atoms) -> None:
    moved = triclinic.copy()
    moved.positions += np.asarray(triclinic.cell)[0] * 3 - np.asarray(triclinic.cell)[1]
    model = StructureModel(moved, cutoff=2.0)
    assert model.structure.positions == pytest.approx(triclinic.positions, abs=1e-9)
    assert (moved.get_scaled_positions(wrap=False)[:, 0] > 1).all()  # the original is untouched


@pytest.mark.parametrize(("name", "faces"), [("beta-cristobalite", 4), ("stishovite", 8)])
def test_polyhedra(name: str, faces: int) -> None:
    """Tetrahedra of cristobalite and octahedra of stishovite, against SciPy's hull volumes."""
    atoms = gn.models.crystal(name)
    found = bonds(atoms, {("Si", "O"): 2.0})
    corners, centres = geometry.polyhedra(atoms, found, "Si")
    silicon = np.flatnonzero(atoms.symbols == "Si")
    assert np.bincount(centres, minlength=len(atoms)).tolist() == [
        faces if k in silicon else 0 for k in range(len(atoms))
    ]
    vectors = found.vectors(atoms)
    for k in silicon:
        own = corners[centres == k] - atoms.positions[k]
        volume = np.abs(np.linalg.det(own)).sum() / 6
        hull = ConvexHull(vectors[found.offsets[k] : found.offsets[k + 1]])
        assert volume == pytest.approx(hull.volume, rel=1e-9)


def test_no_polyhedra_with_few_neighbours(cristobalite: Atoms) -> None:
    corners, centres = geometry.polyhedra(
        cristobalite, bonds(cristobalite, {("Si", "O"): 2.0}), "O"
    )
    assert corners.shape == (0, 3, 3)
    assert centres.size == 0


def test_status_of_three_thousand_atoms() -> None:
    """Each Si has four bonds and each O two, so 3000 atoms of SiO2 have 4000."""
    model = StructureModel(gn.models.crystal("beta-cristobalite", repeat=5))
    assert model.status == "3000 atoms, 4000 bonds, selected 3000"
    model.colour_by = "bonds per atom"
    assert model.discrete
    model.selection = (3, 4)
    assert model.status == "3000 atoms, 4000 bonds, selected 1000"
    model.hidden = ("O",)
    assert model.status == "3000 atoms, 4000 bonds, selected 1000, hidden 2000"


def test_selection_by_a_number(cristobalite: Atoms) -> None:
    model = StructureModel(cristobalite)
    values = np.arange(24.0)
    values[3] = np.nan
    model.add_number("energy (eV)", values)
    model.colour_by = "energy (eV)"
    assert model.limits == model.selection == (0, 23)
    assert model.selected.all()  # the whole range: also the atom that has no number
    model.selection = (2, 5)
    assert np.flatnonzero(model.selected).tolist() == [2, 4, 5]  # both ends belong to it
    assert model.shown.all()
    model.hide_unselected = True
    assert (model.shown == model.selected).all()
    assert model.selected_frame().index.tolist() == [2, 4, 5]
    assert model.selected_frame()["energy (eV)"].tolist() == [2, 4, 5]


def test_bond_ends_need_both_atoms(cristobalite: Atoms) -> None:
    model = StructureModel(cristobalite)
    assert model.shown_bond_ends.size == model.drawing.parents.size > 0
    model.hidden = ("O",)
    assert model.shown_bond_ends.size == 0


def test_colours(cristobalite: Atoms) -> None:
    """Ends of the range wear the ends of matplotlib's map; species those of the figures."""

    def rgb(colour: object) -> int:
        return int(mpl.colors.to_hex(colour)[1:], 16)

    model = StructureModel(cristobalite)
    expected = [rgb(species_colour(symbol)) for symbol in cristobalite.symbols]
    assert model.colours[:24] == expected
    assert model.colours[24:] == [expected[k] for k in model.drawing.parents]

    values = np.arange(24.0)
    values[7] = np.nan
    model.add_number("n", values)
    model.colour_by = "n"
    ends = rgb(mpl.colormaps["viridis"](0.0)), rgb(mpl.colormaps["viridis"](1.0))
    assert (model.colours[0], model.colours[23]) == ends
    assert model.colours[7] == rgb((0.6, 0.6, 0.6))
    model.selection = (10, 12)
    assert model.colours[0] == model.colours[23] == rgb((0.86, 0.86, 0.86))
    model.stretch = True
    assert (model.colours[10], model.colours[12]) == ends
    model.colour_map = "cividis"
    assert model.colours[10] == rgb(mpl.colormaps["cividis"](0.0))


def test_measurement_agrees_with_ase(triclinic: Atoms) -> None:
    """Distances to 1e-3 Å and angles to 1e-2 degrees, by ASE's minimum images."""
    model = StructureModel(triclinic, cutoff=2.0)
    model.picked = (3, 41)
    distance = triclinic.get_distance(3, 41, mic=True)
    assert model.measurement == f"Si 3 – O 41: {distance:.3f} Å"
    for triple in [(3, 41, 17), (0, 59, 30), (20, 2, 21)]:
        model.picked = triple
        angle = triclinic.get_angle(*triple, mic=True)
        assert f": {angle:.2f}°" in model.measurement


def test_picking_goes_in_turns(cristobalite: Atoms) -> None:
    model = StructureModel(cristobalite)
    steps = []
    for atom in (5, 9, 2, 7, 7):
        model.pick(atom)
        steps.append(model.picked)
    assert steps == [(5,), (5, 9), (5, 9, 2), (7,), ()]
    model.pick(0)
    assert model.measurement.startswith("Si 0: (")
    assert model.measurement.count("O ") == 4


def test_numbers_on_offer(cristobalite: Atoms) -> None:
    """Numbers of ``atoms.arrays``; vectors by their length; no words and no lone NaN."""
    cristobalite.new_array("energy", np.arange(24.0))
    cristobalite.new_array("forces", np.tile([3.0, 0.0, 4.0], (24, 1)))
    cristobalite.new_array("names", np.array(["a"] * 24))
    cristobalite.new_array("nothing", np.full(24, np.nan))
    model = StructureModel(cristobalite)
    assert set(model.choices) == {
        "bonds per atom", "x (Å)", "y (Å)", "z (Å)", "energy", "|forces|",
    }  # fmt: skip
    assert (model.choices["|forces|"] == 5).all()


def test_other_atoms_keep_what_still_applies(cristobalite: Atoms) -> None:
    model = StructureModel(cristobalite)
    model.add_number("mine", np.arange(24.0))
    model.colour_by, model.hidden, model.picked = "mine", ("O",), (1, 23)
    model.atoms = gn.models.crystal("alpha-quartz")
    assert model.colour_by == "species"
    assert model.hidden == ("O",)
    assert model.picked == (1,)
    assert model.status.startswith("9 atoms, 12 bonds")


def test_a_structure_without_bonds_is_shown() -> None:
    model = StructureModel(Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 9]]))
    assert model.status == "2 atoms, 0 bonds, selected 2"
    assert geometry.cell_edges(model.structure) == []


def test_bad_input_is_named(cristobalite: Atoms) -> None:
    with pytest.raises(ValueError, match="cutoff=-1"):
        StructureModel(cristobalite, cutoff=-1)
    with pytest.raises(ValueError, match="NaN"):
        StructureModel(Atoms("Si", positions=[[np.nan, 0, 0]]))
    model = StructureModel(cristobalite)
    with pytest.raises(ValueError, match=r"mine: shape \(3,\).*24 atoms"):
        model.add_number("mine", [1, 2, 3])
    with pytest.raises(ValueError, match="mine: no finite number"):
        model.add_number("mine", [np.nan] * 24)
    with pytest.raises(TraitError, match="colour_by='charge': must be species, bonds per atom"):
        model.colour_by = "charge"
    with pytest.raises(TraitError, match="no atom 24: indices run from 0 to 23"):
        model.picked = (1, 24)
    with pytest.raises(TraitError, match="4 atoms: two give a distance"):
        model.picked = (1, 2, 3, 4)


def test_state_knows_no_widgets() -> None:
    code = (
        "import sys, glassnb_widgets.models, glassnb_widgets.builder_model;"
        "print([m for m in ('ipywidgets', 'nglview') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_the_canvas_knows_nglview() -> None:
    import ast

    knowing = set()
    for path in SOURCES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            knowing |= {path.name for name in names if name.split(".")[0] == "nglview"}
            if any(name.endswith("_nglview_compat") for name in names):
                knowing.add(path.name)
    assert knowing == {"_nglview_compat.py", "viewer.py"}
