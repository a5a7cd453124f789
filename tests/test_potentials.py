"""Potentials: the formula, its derivative, its table, and what LAMMPS makes of it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import make_supercell
from scipy.spatial import cKDTree

from glassnb.models import PairPotential, Potential, crystal, potential, random_silica
from glassnb.models.lammps_engine import Lammps, LammpsError

PAIR_POTENTIALS = ("SHIK", "BKS", "CHIK")
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


@pytest.mark.parametrize("name", ["SHIK", "BKS", "CHIK", "Vashishta"])
def test_dynamics_conserves_energy(name: str) -> None:
    """Quartz at about 300 K without thermostat: 0.1 meV/atom in 1 ps of 1.6 fs steps."""
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
        assert abs(drift) < 1e-4
        # Half of the kinetic energy went into the vibrations (equipartition).
        assert np.mean(temperatures) == pytest.approx(300, rel=0.12)


def test_quartz_stays_quartz() -> None:
    """At the measured cell, the stress of each potential is small beside the modulus (38 GPa)."""
    for name in ("SHIK", "BKS", "CHIK", "Vashishta"):
        with model(quartz(), potential(name)) as lammps:
            assert abs(lammps.thermo("press")) < 7
            assert np.abs(lammps.per_atom("f")).max() < 2.0


def test_errors_of_lammps_are_exceptions() -> None:
    with Lammps() as lammps, pytest.raises(LammpsError, match="Unknown command"):
        lammps.commands("no_such_command")


# -- input ---------------------------------------------------------------------------------------


def test_names() -> None:
    assert potential().name == "SHIK"
    assert potential("Vashishta").cutoff == 10.0
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
