"""Energy drift of DC-xTB in NVE molecular dynamics near 300 K.

python -m benchmarks.tightbinding_dynamics undivided 1000   72 atoms of quartz, whole
python -m benchmarks.tightbinding_dynamics divided 100      192 atoms of silica, 4.5 Å buffer
python -m benchmarks.tightbinding_dynamics hot 100          the same, not relaxed: above 700 K
python -m benchmarks.tightbinding_dynamics renewal 90       what new subsystems do after that time
python -m benchmarks.tightbinding_dynamics past 10          what the begin of a run does to its end
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import ase.io
import numpy as np
from ase import Atoms, units
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from ase.md.verlet import VelocityVerlet
from ase.optimize import FIRE2
from ase.units import Hartree

from benchmarks.tightbinding import DATA, ROOT, save
from glassnb.models import crystal
from glassnb.tightbinding import DCXTB
from glassnb.tightbinding.divided import divided_single_point

TIMESTEP = 1.0  # fs
SAMPLE = 10  # steps between lines of the log


@dataclass(frozen=True)
class Drift:
    """What a run without thermostat showed: times in ps, energies in meV per atom."""

    times: np.ndarray
    total: np.ndarray
    kinetic: np.ndarray
    cycles: np.ndarray
    cpu: float

    @property
    def slope(self) -> float:
        """Drift of the total energy, by a straight line, in meV/atom/ps."""
        return float(np.polyfit(self.times, self.total, 1)[0])

    @property
    def slope_error(self) -> float:
        """Standard error of the drift, from blocks of a tenth of the run, in meV/atom/ps."""
        blocks = np.array_split(self.total - np.polyval(self._line, self.times), 10)
        noise = np.std([block.mean() for block in blocks])
        return float(noise * np.sqrt(12 / 10) / (self.times[-1] - self.times[0]))

    @property
    def spread(self) -> float:
        """Standard deviation of the total energy about the line, in meV/atom."""
        return float(np.std(self.total - np.polyval(self._line, self.times)))

    @property
    def temperature(self) -> float:
        """Mean temperature of the second half in K."""
        mean = self.kinetic[self.kinetic.size // 2 :].mean() / 1000
        return float(mean / (1.5 * units.kB))

    @property
    def _line(self) -> np.ndarray:
        return np.polyfit(self.times, self.total, 1)


def run(atoms: Atoms, calculator: DCXTB, steps: int, temperature: float, seed: int = 0) -> Drift:
    """Move atoms by velocity Verlet from the velocities of a Maxwell distribution."""
    atoms = atoms.copy()
    atoms.calc = calculator
    thermalize_momenta(atoms, temperature_K=temperature, rng=np.random.default_rng(seed))
    Stationary(atoms)
    dynamics = VelocityVerlet(atoms, TIMESTEP * units.fs)
    rows, start = [], time.process_time()
    for step, _ in enumerate(dynamics.irun(steps)):
        kinetic = atoms.get_kinetic_energy()
        rows.append((kinetic + atoms.get_potential_energy(), kinetic, calculator._last.scc.cycles))
        if step % SAMPLE == 0 or step == steps:
            energy = 1000 * (rows[-1][0] - rows[0][0]) / len(atoms)
            print(
                f"step {step}: {energy:+.4f} meV/atom, {rows[-1][2]} cycles, "
                f"{time.process_time() - start:.0f} CPU s",
                flush=True,
            )
    total, kinetics, cycles = np.array(rows).T
    return Drift(
        1e-3 * TIMESTEP * np.arange(total.size), 1000 * (total - total[0]) / len(atoms),
        1000 * kinetics / len(atoms), cycles, time.process_time() - start,
    )  # fmt: skip


def undivided(steps: int = 1000) -> Drift:
    """From quartz at rest: about half of the kinetic energy goes into the potential energy."""
    return run(relaxed("quartz-72"), DCXTB(), steps, 490.0)


def divided(steps: int = 100, buffer_radius: float = 4.5) -> Drift:
    """From cristobalite at rest: half of the 600 K goes into the potential energy."""
    return run(relaxed("silica-192"), DCXTB(buffer_radius=buffer_radius), steps, 600.0)


def hot(steps: int = 100, buffer_radius: float = 4.5) -> Drift:
    """From cristobalite that vibrates already, far from where DC-xTB would have it."""
    atoms = ase.io.read(DATA / "silica-192.extxyz")
    return run(atoms, DCXTB(buffer_radius=buffer_radius), steps, 300.0)


def renewal(steps: int = 90, radii: tuple[float, ...] = (4.5, 5.0, 6.0)) -> None:
    """Compare old and new subsystems at the end of a hot run, for some buffers."""
    before = ase.io.read(DATA / "silica-192.extxyz")
    reference = DCXTB()
    run(before, reference, steps, 300.0)
    after = reference.atoms
    moved = np.linalg.norm(after.positions - before.positions, axis=1)
    print(f"after {steps} fs at above 700 K, atoms moved by up to {moved.max():.2f} Å\n")
    print("| buffer, Å | error with old subsystems, meV/atom | with new ones | difference |")
    print("|---|---|---|---|")
    whole = reference.get_potential_energy(after)
    for radius in radii:
        first = divided_single_point(before, buffer_radius=radius, skin=10.0)
        pair = [
            divided_single_point(after, buffer_radius=radius, skin=10.0, previous=previous)
            for previous in (first, None)
        ]
        old, new = (1000 * (point.energy * Hartree - whole) / len(after) for point in pair)
        print(f"| {radius:g} | {old:.3f} | {new:.3f} | {new - old:.3f} |", flush=True)


def past(steps: int = 10, radii: tuple[float, ...] = (4.0, 4.5, 5.0, 6.0)) -> None:
    """Come to cristobalite by small steps from elsewhere, and compare with a new calculator."""
    end = crystal("alpha-cristobalite")
    oxygen = int(np.flatnonzero(end.symbols == "O")[5])
    shaken, moved, broken, larger = begins = [end.copy() for _ in range(4)]
    shaken.rattle(0.1, seed=2)
    moved.positions[oxygen] += 0.55
    broken.positions[oxygen] += 1.3
    larger.set_cell(1.04 * end.cell.array, scale_atoms=True)
    print("| buffer, Å | atoms 0.1 Å off | an atom 0.95 Å off | a bond broken | cell 4 % larger |")
    print("|---|---|---|---|---|")
    for radius in radii:
        end.calc = DCXTB(buffer_radius=radius)
        alone, row = end.get_potential_energy(), []
        for begin in begins:
            calculator = DCXTB(buffer_radius=radius)
            for part in np.linspace(0, 1, steps + 1):
                atoms = end.copy()
                atoms.set_cell(begin.cell.array + part * (end.cell.array - begin.cell.array))
                atoms.positions = begin.positions + part * (end.positions - begin.positions)
                atoms.calc = calculator
                energy = atoms.get_potential_energy()
            row.append(f"{1000 * (energy - alone) / len(end):.1f}")
        print(f"| {radius:g} | {' | '.join(row)} |", flush=True)


def relaxed(name: str) -> Atoms:
    """Relax a crystal in its cell by the undivided solver, once."""
    path = ROOT / "output" / "tightbinding" / f"{name}-relaxed.extxyz"
    if not path.exists():
        if name == "quartz-72":
            atoms = crystal("alpha-quartz", repeat=2)
        else:
            atoms = ase.io.read(DATA / f"{name}.extxyz")
        atoms.calc = DCXTB()
        FIRE2(atoms).run(fmax=0.05, steps=300)
        save(atoms, path)
    return ase.io.read(path)


def main(which: str, steps: int) -> None:
    """Print one row of the table."""
    if which in ("renewal", "past"):
        {"renewal": renewal, "past": past}[which](steps)
        return
    drift = {"undivided": undivided, "divided": divided, "hot": hot}[which](steps)
    print("| run | steps of 1 fs | K | drift, meV/atom/ps | spread, meV/atom | cycles | CPU s |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {which} | {steps} | {drift.temperature:.0f} | {drift.slope:.3f} ± "
        f"{drift.slope_error:.3f} | {drift.spread:.4f} | {drift.cycles.mean():.1f} | "
        f"{drift.cpu:.0f} |"
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
