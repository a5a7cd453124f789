"""Potentials: the formula, its derivative, its table, and what LAMMPS makes of it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import make_supercell
from ase.neighborlist import neighbor_list
from scipy.spatial import cKDTree

from glassnb.models import (
    LammpsPotential,
    PairPotential,
    Potential,
    crystal,
    load,
    melt_quench,
    potential,
    random_silica,
)
from glassnb.models.lammps_engine import Lammps, LammpsError

PAIR_POTENTIALS = ("SHIK", "BKS", "CHIK")
POTENTIALS = (*PAIR_POTENTIALS, "Vashishta", "Tersoff")
PAIRS = tuple(combinations_with_replacement(("Si", "O"), 2))


def pair_potential(name: str) -> PairPotential:
    found = potential(name)
    assert isinstance(found, PairPotential)
    return found


@contextmanager
def simulation(atoms: Atoms, *commands: str) -> Iterator[Lammps]:
    with Lammps() as lammps:
        lammps.create(atoms, ("Si", "O"))
        lammps.commands(*commands, "thermo_style custom step temp pe etotal press", "run 0")
        yield lammps


@contextmanager
def model(atoms: Atoms, of: Potential) -> Iterator[Lammps]:
    with tempfile.TemporaryDirectory() as folder:
        commands = of.lammps_commands(folder)
        with simulation(atoms, *commands) as lammps:
            yield lammps


def dimer(first: str, second: str) -> Atoms:
    return Atoms([first, second], [[1.0, 15, 15], [4.0, 15, 15]], cell=[30.0] * 3, pbc=True)


def scan(lammps: Lammps, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energy of two atoms, and force along x on the second, at many distances."""
    found = []
    for r in distances.tolist():
        lammps.commands(f"set atom 2 x {1.0 + r!r}", "run 0 post no")
        found.append((lammps.thermo("pe"), lammps.per_atom("f")[1, 0]))
    energy, force = np.array(found).T
    return energy, force


def quartz() -> Atoms:
    """Return alpha-quartz in an orthorhombic box of 324 atoms."""
    box = make_supercell(crystal("alpha-quartz"), [[1, 0, 0], [1, 2, 0], [0, 0, 1]])
    box.set_cell(np.diag(box.cell.lengths()))
    return box.repeat((3, 2, 3))


# -- the formula ---------------------------------------------------------------------------------


def expression(p: PairPotential, first: str, second: str) -> tuple[str, str]:
    """Write the published formula for LAMMPS's own parser, which derives the force by itself."""
    t, rs, rc = p.pairs[first, second], p.short_cutoff, p.coulomb_cutoff
    qq = 14.399645 * p.charges[first] * p.charges[second]  # LAMMPS's e^2 in eV Å

    def buckingham(r: str) -> str:
        return f"{t.A}*exp(-{t.B}*{r})-{t.C}/{r}^6+{t.D}/{r}^24"

    short = f"({buckingham('r')}-({buckingham(str(rs))}))*exp(-{p.short_smoothing**2}/(r-{rs})^2)"
    wolf = f"{qq}*(1/r-1/{rc}+(r-{rc})/{rc}^2)*exp(-{p.coulomb_smoothing**2}/(r-{rc})^2)"
    return short, wolf


@pytest.mark.parametrize("name", PAIR_POTENTIALS)
@pytest.mark.parametrize("pair", PAIRS)
def test_formula_against_lammps_lepton(name: str, pair: tuple[str, str]) -> None:
    """1e-5 eV and eV/Å: LAMMPS's value of e^2 has 8 digits."""
    p = pair_potential(name)
    short, wolf = expression(p, *pair)
    commands = (
        f"pair_style hybrid/overlay lepton {p.short_cutoff} lepton {p.coulomb_cutoff}",
        f'pair_coeff * * lepton 1 "{short}" {p.short_cutoff}',
        f'pair_coeff * * lepton 2 "{wolf}" {p.coulomb_cutoff}',
    )
    r = np.linspace(max(1.3, p.pairs[pair].join), 10.5, 60)
    with simulation(dimer(*pair), *commands) as lammps:
        energy, force = scan(lammps, r)
    assert p.pair_energy(*pair, r) == pytest.approx(energy, abs=1e-5, rel=1e-6)
    assert p.pair_force(*pair, r) == pytest.approx(force, abs=1e-5, rel=1e-6)


@pytest.mark.parametrize("name", ["BKS", "CHIK"])
def test_published_form_against_lammps_born(name: str) -> None:
    """Without smoothing: Born-Mayer and force-shifted Coulomb of LAMMPS, in 324 atoms of quartz.

    LAMMPS adds the self energy -q^2/rc of Fennell and Gezelter (J. Chem. Phys. 124, 234104 (2006)),
    and does not shift the short-range part to zero unless told.
    """
    p = replace(pair_potential(name), short_smoothing=0.0, coulomb_smoothing=0.0)
    atoms = quartz()
    energy, forces = pair_sum(atoms, p)
    commands = [
        f"pair_style hybrid/overlay born {p.short_cutoff} coul/dsf 0.0 {p.coulomb_cutoff}",
        "pair_modify shift yes",
        "pair_coeff * * coul/dsf",
    ]
    for i, j in ((1, 1), (1, 2), (2, 2)):
        t = p.pairs[p.species[i - 1], p.species[j - 1]]
        commands.append(f"pair_coeff {i} {j} born {t.A} {1 / t.B!r} 0.0 {t.C} 0.0")
    with charged(atoms, p, *commands) as lammps:
        assert lammps.per_atom("f") == pytest.approx(forces, abs=1e-5)
        squares = sum(p.charges[s] ** 2 for s in atoms.symbols)
        own = -squares * units.Hartree * units.Bohr / p.coulomb_cutoff
        assert (lammps.thermo("pe") - own) / len(atoms) == pytest.approx(energy, abs=1e-5)


@contextmanager
def charged(atoms: Atoms, p: PairPotential, *commands: str) -> Iterator[Lammps]:
    with Lammps() as lammps:
        lammps.create(atoms, p.species, style="charge")
        for i, species in enumerate(p.species, 1):
            lammps.commands(f"set type {i} charge {p.charges[species]}")
        lammps.commands(*commands, "run 0")
        yield lammps


def pair_sum(atoms: Atoms, p: PairPotential) -> tuple[float, np.ndarray]:
    """Energy per atom and forces by a plain sum; boxes wider than twice the cutoff are not needed.

    The atoms are repeated so that minimum images suffice.
    """
    times = np.ceil(2 * p.cutoff / atoms.cell.lengths()).astype(int)
    many = atoms.repeat(times)
    many.wrap()
    edges = many.cell.lengths()
    pairs = cKDTree(many.positions, boxsize=edges).query_pairs(p.cutoff, output_type="ndarray")
    pairs = pairs[(pairs < len(atoms)).any(axis=1)]  # what the first copy takes part in
    vectors = many.positions[pairs[:, 1]] - many.positions[pairs[:, 0]]
    vectors -= edges * np.round(vectors / edges)
    r = np.linalg.norm(vectors, axis=1)
    symbols = np.array(many.get_chemical_symbols())[pairs]
    energies, forces = np.zeros(len(r)), np.zeros(len(r))
    for a, b in PAIRS:
        mask = (np.sort(symbols, axis=1) == sorted((a, b))).all(axis=1)
        energies[mask] = p.pair_energy(a, b, r[mask])
        forces[mask] = p.pair_force(a, b, r[mask])
    on_each = np.zeros((len(many), 3))
    np.add.at(on_each, pairs[:, 1], (forces / r)[:, None] * vectors)
    np.add.at(on_each, pairs[:, 0], -(forces / r)[:, None] * vectors)
    share = (pairs < len(atoms)).sum(axis=1) / 2
    return float((energies * share).sum() / len(atoms)), on_each[: len(atoms)]


@pytest.mark.parametrize("name", PAIR_POTENTIALS)
@pytest.mark.parametrize("pair", PAIRS)
def test_force_is_minus_the_slope(name: str, pair: tuple[str, str]) -> None:
    """Central differences of 1e-5 Å: exact to about 1e-8 of the largest term."""
    p = pair_potential(name)
    r = np.linspace(0.8, 10.4, 4801)
    slope = (p.pair_energy(*pair, r + 1e-5) - p.pair_energy(*pair, r - 1e-5)) / 2e-5
    assert p.pair_force(*pair, r) == pytest.approx(-slope, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", PAIR_POTENTIALS)
@pytest.mark.parametrize("pair", PAIRS)
def test_smooth_at_cutoffs_and_join(name: str, pair: tuple[str, str]) -> None:
    p = pair_potential(name)
    for radius in (p.short_cutoff, p.coulomb_cutoff, p.pairs[pair].join):
        if radius:
            r = radius + np.array([-1e-6, 1e-6])
            assert np.ptp(p.pair_energy(*pair, r)) < 1e-3
            assert np.ptp(p.pair_force(*pair, r)) < 1e-3
            bend = np.diff(p.pair_force(*pair, radius + np.arange(-2, 3) * 1e-3)) / 1e-3
            assert np.ptp(bend) < 5.0  # eV/Å^2, where walls bend by hundreds
    beyond = np.array([p.cutoff, p.cutoff + 1])
    assert np.all(p.pair_energy(*pair, beyond) == 0)
    assert np.all(p.pair_force(*pair, beyond) == 0)


@pytest.mark.parametrize("name", PAIR_POTENTIALS)
@pytest.mark.parametrize("pair", PAIRS)
def test_atoms_cannot_fall_into_each_other(name: str, pair: tuple[str, str]) -> None:
    p = pair_potential(name)
    limit = p.pairs[pair].join or 1.3
    r = np.linspace(0.5, limit, 200)
    force = p.pair_force(*pair, r)
    assert np.all(force > 0)
    assert np.all(np.diff(force) < 0.1)
    # 60 eV is 170 kT at 4000 K
    assert p.pair_energy(*pair, 0.5) - p.pair_energy(*pair, limit) > 60


def test_join_leaves_the_published_formula_above_it() -> None:
    p = pair_potential("BKS")
    bare = {key: replace(value, join=0.0) for key, value in p.pairs.items()}
    r = np.linspace(1.2700001, 10.2, 500)
    same = replace(p, pairs=bare).pair_energy("Si", "O", r) == p.pair_energy("Si", "O", r)
    assert np.all(same)


def test_charges_are_neutral() -> None:
    for name in PAIR_POTENTIALS:
        charges = pair_potential(name).charges
        assert charges["Si"] + 2 * charges["O"] == pytest.approx(0, abs=1e-12)


# -- LAMMPS --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAIR_POTENTIALS)
@pytest.mark.parametrize("pair", PAIRS)
def test_table_in_lammps_is_the_formula(name: str, pair: tuple[str, str]) -> None:
    """1e-5 eV and eV/Å, or 1e-5 of it, from 1.4 Å; less close to a join, and 1 % down to 1 Å."""
    p = pair_potential(name)
    r = np.linspace(1.0, 10.4, 200)
    with model(dimer(*pair), p) as lammps:
        energy, force = scan(lammps, r)
    join = p.pairs[pair].join
    fine = (r > 1.4) & (np.abs(r - join) > 0.05)
    for found, exact in ((energy, p.pair_energy(*pair, r)), (force, p.pair_force(*pair, r))):
        assert found[fine] == pytest.approx(exact[fine], abs=1e-5, rel=1e-5)
        assert found == pytest.approx(exact, abs=1e-3, rel=1e-2)


@pytest.mark.parametrize("n_atoms", [96, 648])
def test_energy_forces_and_pressure_of_many_atoms(n_atoms: int) -> None:
    """A plain sum over pairs, in a box wider and in one narrower than twice the cutoff."""
    atoms = random_silica(n_atoms, seed=3)
    p = pair_potential("SHIK")
    energy, forces = pair_sum(atoms, p)
    with model(atoms, p) as lammps:
        assert lammps.thermo("pe") / n_atoms == pytest.approx(energy, abs=1e-6)
        assert lammps.per_atom("f") == pytest.approx(forces, abs=1e-4, rel=1e-5)
        volume = atoms.get_volume()
        # At 0 K the pressure is minus dE/dV: compress and stretch the box.
        scale = 1 + 1e-5 * np.array([-1, 1])
        sides = []
        for s in scale:
            strained = atoms.copy()
            strained.set_cell(atoms.cell * s, scale_atoms=True)
            sides.append(pair_sum(strained, p)[0] * n_atoms)
        slope = (sides[1] - sides[0]) / (volume * (scale[1] ** 3 - scale[0] ** 3))
        assert lammps.thermo("press") == pytest.approx(-slope / units.GPa, rel=1e-3, abs=1e-3)


def test_wolf_sum_against_ewald() -> None:
    """Coulomb energy of alpha-quartz within 1.5 % of LAMMPS's Ewald sum (Wolf's own accuracy)."""
    bks = pair_potential("BKS")
    bare = {key: replace(value, A=0.0, C=0.0, join=0.0) for key, value in bks.pairs.items()}
    p = replace(bks, pairs=bare, coulomb_smoothing=0.0)
    atoms = quartz()
    squares = np.mean([p.charges[s] ** 2 for s in atoms.symbols])
    own = -squares * units.Hartree * units.Bohr / p.coulomb_cutoff
    commands = ("pair_style coul/long 8.0", "pair_coeff * *", "kspace_style ewald 1e-6")
    with charged(atoms, p, *commands) as lammps:
        ewald = lammps.thermo("pe") / len(atoms)
    assert pair_sum(atoms, p)[0] + own == pytest.approx(ewald, rel=0.015)


@pytest.mark.parametrize("name", POTENTIALS)
def test_dynamics_conserves_energy(name: str) -> None:
    """Quartz at about 300 K without thermostat: 0.1 meV/atom in 1 ps of 1.6 fs steps.

    Tersoff's cutoff function bends: 0.5 meV/atom.
    """
    with model(quartz(), potential(name)) as lammps:
        lammps.commands(
            "minimize 1e-10 1e-4 500 1000",
            "velocity all create 600 7 mom yes",
            "timestep 0.0016",
            "fix 1 all nve",
            "run 60",
        )
        start = lammps.thermo("etotal")
        temperatures = []
        for _ in range(6):
            lammps.commands("run 100 post no")
            temperatures.append(lammps.thermo("temp"))
        drift = (lammps.thermo("etotal") - start) / 324
        assert abs(drift) < (5e-4 if name == "Tersoff" else 1e-4)
        # Half of the kinetic energy went into the vibrations (equipartition).
        assert np.mean(temperatures) == pytest.approx(300, rel=0.12)


def test_quartz_stays_quartz() -> None:
    """At the measured cell, the stress of each potential is small beside the modulus (38 GPa).

    Tersoff's quartz is the largest of the five.
    """
    for name in POTENTIALS:
        with model(quartz(), potential(name)) as lammps:
            assert abs(lammps.thermo("press")) < (12 if name == "Tersoff" else 7)
            assert np.abs(lammps.per_atom("f")).max() < 2.0


@pytest.mark.parametrize("name", PAIR_POTENTIALS)
def test_table_is_the_formula_at_its_nodes(name: str) -> None:
    """To rounding, 1e-9: LAMMPS interpolates between the very points that we give it."""
    p = pair_potential(name)
    nodes = np.sqrt(np.linspace(0.5**2, p.cutoff**2, 4000))
    r = nodes[(nodes > 1.0) & (nodes < p.cutoff - 0.1)][::40]
    for pair in PAIRS:
        with model(dimer(*pair), p) as lammps:
            energy, force = scan(lammps, r)
        scale = np.abs(p.pair_force(*pair, r)) + 1.0
        assert np.all(np.abs(energy - p.pair_energy(*pair, r)) < 1e-9 * scale)
        assert np.all(np.abs(force - p.pair_force(*pair, r)) < 1e-7 * scale)


@pytest.mark.parametrize("name", POTENTIALS)
def test_a_rough_start_is_pushed_apart(name: str) -> None:
    """Atoms at random, pairs down to 0.6 Å: no error, and no fusion (Si-O 1.3 Å when hottest)."""
    rng = np.random.default_rng(4)
    points: list[np.ndarray] = []
    edge = (216 / 0.0661) ** (1 / 3)
    while len(points) < 216:
        point = rng.uniform(0, edge, 3)
        d = np.array(points).reshape(-1, 3) - point
        if np.all(np.linalg.norm(d - edge * np.round(d / edge), axis=1) > 0.6):
            points.append(point)
    atoms = Atoms("Si72O144", points, cell=[edge] * 3, pbc=True)
    assert 0.6 < neighbor_list("d", atoms, 1.2).min() < 0.8
    with tempfile.TemporaryDirectory() as folder, Lammps() as lammps:
        lammps.create(atoms, ("Si", "O"))
        lammps.commands(
            *potential(name).lammps_commands(folder),
            "min_modify dmax 0.1",
            "minimize 1.0e-4 1.0e-2 200 2000",
            "velocity all create 4000 7 mom yes",
            "timestep 0.0016",
            "fix 1 all nvt temp 4000 4000 0.1",
            "run 100",
        )
        atoms.positions = lammps.per_atom("x")
        assert np.isfinite(lammps.thermo("pe"))
    assert neighbor_list("d", atoms, {("Si", "O"): 2.0}).min() > 1.3
    assert neighbor_list("d", atoms, {("O", "O"): 3.0, ("Si", "Si"): 3.0}).min() > 1.1


# -- lines of the user ---------------------------------------------------------------------------

EWALD = LammpsPotential(
    name="BKS with Ewald's sum",
    species=("Si", "O"),
    cutoff=10.0,
    needs_charges=True,
    lines=(
        "pair_style buck/coul/long 5.5 10.0",
        "pair_coeff 1 1 0.0 1.0 0.0",
        "pair_coeff 1 2 18003.7572 0.20520481 133.5381",
        "pair_coeff 2 2 1388.7730 0.36231884 175.0",
        "set type 1 charge 2.4",
        "set type 2 charge -1.2",
        "kspace_style pppm 1e-5",
    ),
)


@contextmanager
def own_model(atoms: Atoms, of: LammpsPotential) -> Iterator[Lammps]:
    with Lammps() as lammps:
        lammps.create(atoms, of.species, style="charge" if of.needs_charges else "atomic")
        lammps.commands(*of.lammps_commands("nowhere"), "run 0")
        yield lammps


def test_ewald_in_own_lines_against_the_wolf_sum() -> None:
    """Wolf's sum is an approximation, which its cutoff improves.

    Forces in a glass at 300 K deviate by 9 % of their size at 10.17 Å, and by a third of that at
    17 Å; the energies of glass and quartz by the same number, to 0.01 eV per atom.
    """
    bks = pair_potential("BKS")
    far = replace(bks, coulomb_cutoff=17.0, cutoff=17.0)
    glass, gaps = load("silica-pristine-648"), []
    for atoms in (glass, quartz()):
        with own_model(atoms, EWALD) as lammps:
            ewald, forces = lammps.thermo("pe") / len(atoms), lammps.per_atom("f")
        with model(atoms, bks) as lammps:
            gaps.append(lammps.thermo("pe") / len(atoms) - ewald)
            wolf = lammps.per_atom("f")
        if atoms is glass:
            size = np.std(forces)
            assert np.std(forces - wolf) < 0.12 * size
            with model(atoms, far) as lammps:
                assert np.std(forces - lammps.per_atom("f")) < 0.04 * size
    assert gaps[0] == pytest.approx(gaps[1], abs=0.01)


def test_table_in_own_lines_is_the_potential_itself(tmp_path: Path) -> None:
    shik = pair_potential("SHIK")
    shik.write_table(tmp_path / "t", points=4000)
    pairs = (("1 1", "Si-Si"), ("1 2", "Si-O"), ("2 2", "O-O"))
    own = LammpsPotential(
        name="SHIK by hand",
        species=("Si", "O"),
        cutoff=10.0,
        lines=(
            "pair_style table spline 4000",
            *(f'pair_coeff {types} "{tmp_path / "t"}" {name} 10.0' for types, name in pairs),
        ),
    )
    atoms = load("silica-pristine-648")
    with own_model(atoms, own) as a, model(atoms, shik) as b:
        assert np.array_equal(a.per_atom("f"), b.per_atom("f"))


def test_charges_in_a_run_and_after_it_went_on(tmp_path: Path) -> None:
    """A melt with Ewald's sum at 3000 K, in two parts."""
    options: dict[str, Any] = {
        "n_atoms": 108, "melt_temperature": 3000.0, "cooling_rate": 1e5, "melt_time": 0.08,
        "relax_time": 0.04, "record_every": 10, "potential": EWALD, "checkpoint": tmp_path,
    }  # fmt: skip
    calls = iter(range(100))
    part = melt_quench(**options, stop=lambda: next(calls) >= 6)
    assert part.stopped
    run = melt_quench(**options)
    assert run.step[-1] > part.step[-1]
    # Ewald's energy of silica by BKS, eV per atom: -19 to -18 for crystal to melt.
    assert np.all((run.potential_energy > -19.5) & (run.potential_energy < -17))
    history = run.atoms.info["history"]
    assert history["potential"] == EWALD.name
    assert history["parameters"]["potential"]["lines"] == list(EWALD.lines)
    with pytest.raises(ValueError, match="its run has potential="):
        melt_quench(**options | {"potential": replace(EWALD, lines=EWALD.lines[:-1])})


def test_what_a_run_notes_of_a_potential() -> None:
    shik = pair_potential("SHIK")
    assert shik.record == "SHIK"
    changed = replace(shik, short_cutoff=7.0)
    assert isinstance(changed.record, dict)
    assert changed.record["short_cutoff"] == 7.0


def test_lines_that_lammps_refuses() -> None:
    def own(*lines: str, **more: Any) -> LammpsPotential:
        return LammpsPotential(
            name="own", lines=lines, **{"species": ("Si", "O"), "cutoff": 3.0, **more}
        )

    with pytest.raises(ValueError, match=r"potential='own': LAMMPS refuses its line 'pair_styl"):
        melt_quench(72, potential=own("pair_style no/such/style"))
    with pytest.raises(ValueError, match=r"lines=\(\): must be several"):
        own()
    with pytest.raises(ValueError, match="lines='pair_style zero 3'"):
        LammpsPotential(name="own", species=("Si", "O"), cutoff=3.0, lines="pair_style zero 3")
    with pytest.raises(ValueError, match="cutoff=0.0: must be a positive"):
        own("pair_style zero 3", cutoff=0.0)


def test_errors_of_lammps_are_exceptions() -> None:
    with Lammps() as lammps, pytest.raises(LammpsError, match="Unknown command"):
        lammps.commands("no_such_command")


# -- input ---------------------------------------------------------------------------------------


def test_names() -> None:
    assert potential().name == "SHIK"
    assert potential("Vashishta").cutoff == 10.0
    assert potential("Tersoff").title.startswith("Munetoh")
    with pytest.raises(ValueError, match=r"potential='shik'.*SHIK, BKS, CHIK, Vashishta"):
        potential("shik")


def test_bad_arguments(tmp_path: Path) -> None:
    p = pair_potential("SHIK")
    with pytest.raises(ValueError, match="pair Si-Ge"):
        p.pair_energy("Si", "Ge", 2.0)
    with pytest.raises(ValueError, match="positive"):
        p.pair_force("Si", "O", [1.0, 0.0])
    with pytest.raises(ValueError, match="positive"):
        p.pair_energy("Si", "O", [1.0, np.nan])
    with pytest.raises(ValueError, match="points=3"):
        p.write_table(tmp_path / "t", points=3)
    assert not (tmp_path / "t").exists()


def test_table_file(tmp_path: Path) -> None:
    p = pair_potential("SHIK")
    assert p.write_table(tmp_path / "shik.table", points=500) == (0.5, 10.0)
    text = (tmp_path / "shik.table").read_text()
    assert text.startswith("# UNITS: metal")
    rows = text.split("Si-O\n")[1].split("\n\n")[1].splitlines()[:500]
    _, r, energy, force = np.array([row.split() for row in rows], dtype=float).T
    assert np.diff(r**2) == pytest.approx(np.diff(r**2)[0])
    assert np.array_equal(energy, p.pair_energy("Si", "O", r))
    assert np.array_equal(force, p.pair_force("Si", "O", r))
