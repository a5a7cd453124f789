"""Make the reference patterns of the tests with abTEM, whose licence (GPL) keeps it out of glassnb.

python scripts/make_diffraction_reference.py MODEL.extxyz      in an environment with abTEM 1.0

MODEL is a Pd-Si glass; the silica glass comes with glassnb. Each slab gets a beam at 36 random
positions, by multislice on 512 x 512 pixels; of each pattern the intensities at a random choice
of wave vectors outside the central disc are kept, with the slab where glassnb has none.
"""

import argparse
from pathlib import Path

import abtem
import ase.io
import numpy as np

import glassnb as gn
from glassnb.core.provenance import atomic_path
from glassnb.diffraction import Probe, Slab, cut_slab

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "tests" / "data" / "abtem_patterns.npz"
PROBE = Probe(voltage=200e3, convergence_semiangle=3.3)
PIXELS, K_MAX, N_POSITIONS, N_WAVES = 512, 1.2, 36, 450


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="Pd-Si glass, a structure file")
    abtem.config.set({"device": "cpu", "precision": "float64", "diagnostics.progress_bar": False})
    metal = cut_slab(ase.io.read(parser.parse_args().model), 30.0)
    # Positions are stored in single precision: compute with what is stored.
    metal.atoms.positions = metal.atoms.positions.astype(np.float32)
    silica = cut_slab(gn.models.load("silica-pristine-3000"))
    stored = {
        "metal_positions": metal.atoms.positions.astype(np.float32),
        "metal_numbers": metal.atoms.numbers.astype(np.uint8),
        "metal_cell": metal.atoms.cell.lengths(),
    }
    for name, slab in (("metal", metal), ("silica", silica)):
        for what, values in patterns(slab).items():
            stored[f"{name}_{what}"] = values
    with atomic_path(TARGET) as temporary:
        np.savez_compressed(temporary, abtem=abtem.__version__, **stored)
    print(f"{TARGET}: {TARGET.stat().st_size / 1e3:.0f} kB")


def patterns(slab: Slab) -> dict[str, np.ndarray]:
    """Return positions of the beam, Miller indices and intensities of one slab."""
    random = np.random.default_rng(8)
    places = random.random((N_POSITIONS, 2)) * slab.lengths
    atoms = slab.atoms.copy()
    atoms.pbc = True
    potential = abtem.Potential(
        atoms, gpts=PIXELS, slice_thickness=2.0, parametrization="lobato", projection="infinite"
    )
    probe = abtem.Probe(
        energy=PROBE.voltage, semiangle_cutoff=PROBE.convergence_semiangle, soft=True
    )
    probe.grid.match(potential)
    waves = probe.multislice(potential, scan=abtem.CustomScan(places), lazy=False)
    array = np.asarray(waves.diffraction_patterns(max_angle=None, block_direct=False).array)
    reach = np.floor(K_MAX * np.array(slab.lengths)).astype(int)
    grid = np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij")
    miller = np.stack(grid, axis=-1).reshape(-1, 2)
    k = np.linalg.norm(miller / slab.lengths, axis=1)
    miller = miller[(k > 2 * PROBE.k_aperture) & (k < K_MAX)]
    miller = miller[np.sort(random.choice(len(miller), N_WAVES, replace=False))]
    middle = np.array(array.shape[1:]) // 2
    values = array[:, middle[0] + miller[:, 0], middle[1] + miller[:, 1]]
    return {
        "places": places,
        "miller": miller.astype(np.int16),
        "intensities": values.astype(np.float32),
    }


if __name__ == "__main__":
    main()
