"""Patterns against plain sums, optics of crystals, and abTEM."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

import glassnb as gn
from glassnb.diffraction import Probe, Scanner, cut_slab
from glassnb.scattering import electron_form_factor

PROBE = Probe(voltage=200e3, convergence_semiangle=3.3)
REFERENCE = Path(__file__).parent / "data" / "abtem_patterns.npz"


def metal(n=120, edge=16.0, thickness=12.0, seed=5):
    """Palladium and silicon at the density of their glass, without order."""
    random = np.random.default_rng(seed)
    symbols = ["Pd"] * (n * 4 // 5) + ["Si"] * (n - n * 4 // 5)
    places = random.random((n, 3)) * (edge, edge, thickness)
    return Atoms(symbols, places, cell=(edge, edge, thickness), pbc=True)


def lengths_of(scanner):
    return np.hypot(scanner.k_x[:, None], scanner.k_y)


def correlations(first, second, chosen):
    pairs = zip(first, second, strict=True)
    return np.array([np.corrcoef(a[..., chosen], b[..., chosen])[0, 1] for a, b in pairs])


# -- what single scattering must be --------------------------------------------------------------


def test_kinematic_against_the_plain_sum():
    """Every atom, every incoming wave, the exact phase of its depth; intensities to 1 %."""
    atoms, probe = metal(), Probe(200e3, 4.0, defocus=30.0)
    scanner = Scanner(atoms, probe, k_max=0.9)
    place, area = np.array([3.0, 11.0]), 16.0**2
    scale = probe.wavelength * (1 + 200e3 / 510998.95) / area
    q = np.stack(np.meshgrid(scanner.k_x, scanner.k_y, indexing="ij"), axis=-1)
    indices, waves = probe.beams(scanner.lengths)
    amplitude = np.zeros(q.shape[:2], dtype=complex)
    for b, wave in zip(indices / 16.0, waves, strict=True):
        wave = wave * np.exp(-2j * np.pi * b @ place)
        change = np.linalg.norm(q - b, axis=-1)
        curvature = probe.wavelength * ((q**2).sum(-1) - b @ b) / 2
        scattered = np.zeros(q.shape[:2], dtype=complex)
        for symbol, (x, y, z) in zip(atoms.symbols, atoms.positions, strict=True):
            factor = np.interp(change, TABLE, FACTORS[symbol])
            phase = (q - b) @ (x, y) - curvature * z
            scattered += factor * np.exp(-2j * np.pi * phase)
        scattered[change < 1e-9] = 0  # the mean potential turns all phases alike
        amplitude += wave * (1j * scale * scattered + (change < 1e-9))
    plain = np.abs(amplitude) ** 2
    pattern = scanner.pattern(place)
    outside = lengths_of(scanner) > probe.k_cut
    np.testing.assert_allclose(pattern, plain, rtol=0.02, atol=0.01 * plain[outside].mean())
    assert correlations([pattern], [plain], outside)[0] > 0.9999


TABLE = np.arange(0, 2.5, 0.002)
FACTORS = {s: electron_form_factor(s, 2 * np.pi * TABLE) for s in ("Pd", "Si", "C")}


@pytest.mark.parametrize("method", ["kinematic", "multislice"])
def test_one_atom_gives_its_form_factor(method):
    """Far from the disc: current density at the atom times (gamma lambda f)², to 2 % in all."""
    edge, place = 24.0, np.array([12.0, 12.0])
    atoms = Atoms("C", [(12.0, 12.0, 1.0)], cell=(edge, edge, 2.0), pbc=True)
    scanner = Scanner(atoms, PROBE, k_max=1.5, method=method, sampling=0.1)
    pattern = scanner.pattern(place)
    indices, waves = PROBE.beams(scanner.lengths)
    density = np.abs(waves.sum()) ** 2 / edge**2  # of the beam at the atom, per Å²
    k = lengths_of(scanner)
    # The factor hardly changes over the disc: current density times cross-section times pixel.
    factor = np.interp(k, TABLE, FACTORS["C"])
    expected = density * (PROBE.lorentz_factor * PROBE.wavelength * factor) ** 2 / edge**2
    far = k > 0.5
    assert pattern[far].sum() == pytest.approx(expected[far].sum(), rel=0.02)
    np.testing.assert_allclose(pattern[far], expected[far], rtol=0.06)


def test_debye_waller_damps_the_atom():
    atoms = Atoms("C", [(12.0, 12.0, 1.0)], cell=(24.0, 24.0, 2.0), pbc=True)
    still = Scanner(atoms, PROBE, k_max=1.2).pattern((12, 12))
    k = lengths_of(Scanner(atoms, PROBE, k_max=1.2))
    far = k > 0.6
    for method in ("kinematic", "multislice"):
        scanner = Scanner(atoms, PROBE, k_max=1.2, method=method, debye_waller={"C": 2.0})
        ratio = (scanner.pattern((12, 12)) / still)[far]
        np.testing.assert_allclose(ratio, np.exp(-2.0 * k[far] ** 2 / 2), rtol=0.06)


def test_crystal_spots_and_extinctions():
    """Palladium along [001]: spots at h/a, k/a to 1e-3 1/Å, none of mixed parity (fcc).

    Odd h, k belong to the next Laue zone, of which a slab of three cells shows a little.
    """
    a = 3.89
    atoms = bulk("Pd", "fcc", a=a, cubic=True) * (1, 1, 3)
    probe = Probe(200e3, 0.5)
    scanner = Scanner(atoms, probe, k_max=1.2)
    pattern = scanner.pattern((1.0, 0.5))
    x, y = np.nonzero(
        (pattern > 1e-3 * pattern[lengths_of(scanner) > 0.1].max()) & (lengths_of(scanner) > 0.1)
    )
    h, k = scanner.k_x[x] * a, scanner.k_y[y] * a
    reach = (probe.k_cut + 1 / scanner.lengths[0]) * a
    spots = {(round(float(i)), round(float(j))) for i, j in zip(h, k, strict=True)}
    assert {(2, 0), (0, 2), (2, 2), (-2, 2), (4, 0), (4, 2)} <= spots
    assert all((i - j) % 2 == 0 for i, j in spots)
    near = np.hypot(scanner.k_x[:, None] - 1 / a, scanner.k_y - 1 / a) < 0.1
    assert pattern[near].max() < 0.01 * pattern[lengths_of(scanner) > 0.1].max()
    assert np.hypot(h - np.round(h), k - np.round(k)).max() < reach
    near = np.hypot(scanner.k_x[:, None] - 2 / a, scanner.k_y) < 0.1
    weight = pattern * near
    middle = [(weight.sum(1) @ scanner.k_x) / weight.sum(), (weight.sum(0) @ scanner.k_y)]
    assert middle[0] == pytest.approx(2 / a, abs=1e-3)
    assert middle[1] / weight.sum() == pytest.approx(0.0, abs=1e-3)


def test_a_turned_crystal_turns_its_spots():
    """A cut with a seam, turned about the beam by any angle: spots to 1e-2 1/Å of the pixel."""
    from scipy.spatial.transform import Rotation

    a, angle = 3.89, 27.0
    atoms = bulk("Pd", "fcc", a=a, cubic=True) * (3, 3, 3)
    turn = Rotation.from_euler("z", angle, degrees=True)
    probe = Probe(200e3, 2.0, aperture="gaussian")
    scanner = Scanner(atoms, probe, thickness=3 * a, rotation=turn, k_max=0.8)
    pattern = scanner.pattern(np.array(scanner.lengths) / 2)
    for h, k in ((2, 0), (0, 2), (-2, 0), (2, 2)):
        where = turn.as_matrix()[:2, :2] @ (h / a, k / a)
        near = np.hypot(scanner.k_x[:, None] - where[0], scanner.k_y - where[1]) < 0.15
        weight = np.where(near, pattern, 0)
        found = np.array([weight.sum(1) @ scanner.k_x, weight.sum(0) @ scanner.k_y])
        np.testing.assert_allclose(found / weight.sum(), where, atol=0.01)
        assert weight.max() > 20 * np.median(pattern)


# -- symmetries ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["kinematic", "multislice"])
def test_moving_the_atoms_is_moving_the_beam(method):
    atoms, move = metal(), np.array([2.0, 5.0])
    moved = atoms.copy()
    moved.positions[:, :2] += move
    first = Scanner(atoms, PROBE, k_max=0.9, method=method, sampling=0.16)
    second = Scanner(moved, PROBE, k_max=0.9, method=method, sampling=0.16)
    a, b = first.pattern((1.0, 7.0)), second.pattern((3.0, 12.0))
    # Multislice stores its potential on a grid, but computes it from exact positions.
    np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-3 * a[0].mean())


@pytest.mark.parametrize("method", ["kinematic", "multislice"])
def test_a_quarter_turn_of_the_atoms_turns_the_pattern(method):
    atoms = metal()
    turned = atoms.copy()
    x, y, z = atoms.positions.T
    turned.positions = np.column_stack([16.0 - y, x, z])
    first = Scanner(atoms, PROBE, k_max=0.9, method=method, sampling=0.16).pattern((2.0, 9.0))
    second = Scanner(turned, PROBE, k_max=0.9, method=method, sampling=0.16).pattern((7.0, 2.0))
    np.testing.assert_allclose(second, np.rot90(first), rtol=2e-3, atol=1e-3 * first[0].mean())


def test_repeating_the_cell_only_refines_the_pixels():
    """The same waves at the same places, for a beam as narrow as either cell allows."""
    atoms, probe = metal(), Probe(200e3, 6.0, aperture="gaussian")
    one, two = (Scanner(atoms, probe, k_max=0.9, width=w) for w in (16.0, 32.0))
    a, b = one.pattern((4, 4)), two.pattern((4, 4))[::2, ::2] * 4
    far = lengths_of(one) > 2 * probe.k_cut
    assert correlations([a], [b], far)[0] > 0.999
    assert a[far].sum() == pytest.approx(b[far].sum(), rel=0.02)


def test_vacuum_lets_the_beam_through():
    atoms = Atoms("H", [(1.0, 1.0, 1.0)], cell=(30.0, 30.0, 2.0), pbc=True)
    for method in ("kinematic", "multislice"):
        pattern = Scanner(atoms, PROBE, k_max=0.5, method=method).pattern((20.0, 20.0))
        assert pattern.sum() == pytest.approx(1, abs=1e-3)


def test_multislice_keeps_the_flux():
    """Between 99.5 % and 100 %, with all waves that the grid holds."""
    scanner = Scanner(metal(), PROBE, k_max=3.3, method="multislice", sampling=0.1)
    sums = scanner.patterns([(0, 0), (3, 9)]).sum(axis=(1, 2))
    assert (sums < 1 + 1e-5).all()
    assert (sums > 0.995).all()


# -- multislice ----------------------------------------------------------------------------------


def test_multislice_against_one_probe_at_a_time():
    """The textbook loop on the wave of the whole beam, in double precision; intensities to 1e-3."""
    atoms, n, place = metal(), 100, np.array([5.0, 2.0])
    scanner = Scanner(
        atoms, PROBE, k_max=1.0, method="multislice", sampling=0.16, slice_thickness=3.0
    )
    k = np.fft.fftfreq(n, 16.0 / n)
    k2 = k[:, None] ** 2 + k**2
    band = k2 <= (2 / 3 * n / 32.0) ** 2
    indices, waves = PROBE.beams((16.0, 16.0))
    spectrum = np.zeros((n, n), dtype=complex)
    shift = np.exp(-2j * np.pi * (indices / 16.0) @ place)
    spectrum[indices[:, 0], indices[:, 1]] = waves * shift
    scale = PROBE.wavelength * PROBE.lorentz_factor / 16.0**2
    for low in (0.0, 3.0, 6.0, 9.0):
        potential = np.zeros((n, n), dtype=complex)
        for symbol, (x, y, z) in zip(atoms.symbols, atoms.positions, strict=True):
            if low <= z < low + 3.0:
                phase = np.exp(-2j * np.pi * (k[:, None] * x + k * y))
                potential += np.interp(np.sqrt(k2), WIDE, WIDE_FACTORS[symbol]) * phase
        phase = np.fft.ifft2(scale * potential * band).real * n**2
        transmission = np.fft.ifft2(np.fft.fft2(np.exp(1j * phase)) * band)
        wave = np.fft.fft2(np.fft.ifft2(spectrum) * transmission)
        spectrum = wave * band * np.exp(-1j * np.pi * PROBE.wavelength * 3.0 * k2)
    reach = scanner.k_x.size // 2
    rows = np.arange(-reach, reach + 1)
    plain = np.abs(spectrum[np.ix_(rows, rows)]) ** 2
    np.testing.assert_allclose(
        scanner.pattern(place), plain, rtol=2e-3, atol=1e-3 * np.median(plain)
    )


WIDE = np.arange(0, 5, 0.002)
WIDE_FACTORS = {s: electron_form_factor(s, 2 * np.pi * WIDE) for s in ("Pd", "Si")}


def test_thin_matter_scatters_once():
    """A layer of light atoms: kinematic and multislice agree."""
    atoms = metal(n=60, thickness=4.0)
    atoms.symbols = "C60"
    places = np.random.default_rng(1).random((6, 2)) * 16.0
    one, many = (Scanner(atoms, PROBE, k_max=1.0, method=m) for m in ("kinematic", "multislice"))
    far = lengths_of(one) > 2 * PROBE.k_aperture
    found = correlations(one.patterns(places), many.patterns(places), far)
    assert found.min() > 0.999


# -- incoherent sums -----------------------------------------------------------------------------


def test_snapshots_average_intensities():
    frames = [metal(seed=seed) for seed in (1, 2, 3)]
    together = Scanner(frames, PROBE, k_max=0.8).pattern((4, 5))
    alone = [Scanner(frame, PROBE, k_max=0.8).pattern((4, 5)) for frame in frames]
    np.testing.assert_allclose(together, np.mean(alone, axis=0), rtol=1e-4, atol=1e-10)


def test_a_wide_source_is_an_average_over_positions():
    """Against a fine quadrature of the Gaussian; intensities to 1 %."""
    width, atoms = 2.0, metal(edge=32.0)
    sharp = Scanner(atoms, PROBE, k_max=0.8)
    wide = Scanner(atoms, Probe(200e3, 3.3, source_size=width), k_max=0.8)
    node, weight = np.polynomial.hermite_e.hermegauss(9)
    s = width / np.sqrt(8 * np.log(2))
    x, y = np.meshgrid(8.0 + s * node, 8.0 + s * node)
    patterns = sharp.patterns(np.column_stack([x.ravel(), y.ravel()]))
    expected = np.tensordot(np.outer(weight, weight).ravel(), patterns, 1) / weight.sum() ** 2
    found = wide.pattern((8.0, 8.0))
    np.testing.assert_allclose(found, expected, rtol=0.01, atol=0.01 * np.median(expected))


# -- abTEM ---------------------------------------------------------------------------------------


def reference(name):
    """Slab, positions, Miller indices and intensities of abTEM 1.0, multislice at 512 pixels."""
    with np.load(REFERENCE) as file:
        stored = dict(file)
    if name == "metal":
        atoms = Atoms(
            stored["metal_numbers"], stored["metal_positions"], cell=stored["metal_cell"], pbc=True
        )
        slab = cut_slab(atoms)
    else:
        slab = cut_slab(gn.models.load("silica-pristine-3000"))
    return slab, *(stored[f"{name}_{what}"] for what in ("places", "miller", "intensities"))


def against_reference(name, **arguments):
    """Correlation with abTEM of the pattern at each position, and the ratio of intensities."""
    slab, places, miller, expected = reference(name)
    scanner = Scanner(slab, PROBE, k_max=1.2, **arguments)
    middle = np.array(scanner.shape) // 2
    found = scanner.patterns(places)[:, middle[0] + miller[:, 0], middle[1] + miller[:, 1]]
    return correlations(found, expected, slice(None)), found.sum() / expected.sum()


@pytest.mark.parametrize(("name", "least"), [("metal", 0.98), ("silica", 0.99)])
def test_kinematic_against_abtem(name, least):
    """36 positions, k < 1.2 1/Å without the disc; 30 Å of Pd-Si glass, 36 Å of silica."""
    found, ratio = against_reference(name)
    assert len(found) >= 36
    assert found.mean() >= least
    assert found.min() >= least - 0.015
    assert 0.9 < ratio < 1.25  # single scattering keeps its incoming beam


@pytest.mark.parametrize(
    ("name", "pixels"),
    [("silica", 192), ("metal", 256), pytest.param("metal", 512, marks=pytest.mark.slow)],
)
def test_multislice_against_abtem(name, pixels):
    """Its 512 pixels are met with half as many: the potential here is exact at all waves.

    abTEM damps high waves (1.5 % of the intensity at 512 pixels), coarse grids lose some.
    """
    edge = reference(name)[0].lengths[0]
    found, ratio = against_reference(name, method="multislice", sampling=edge / pixels)
    assert found.mean() >= 0.999
    assert ratio == pytest.approx(1, abs=0.03 if pixels == 512 else 0.08)


def test_multislice_against_abtem_itself():
    """Where abTEM is installed: the whole pattern of a small slab."""
    abtem = pytest.importorskip("abtem")
    abtem.config.set({"device": "cpu", "diagnostics.progress_bar": False})
    atoms, n, place = metal(), 160, (3.0, 4.0)
    scanner = Scanner(atoms, PROBE, k_max=1.0, method="multislice", sampling=0.1)
    potential = abtem.Potential(atoms, gpts=n, slice_thickness=2.0, projection="infinite")
    probe = abtem.Probe(energy=200e3, semiangle_cutoff=3.3, soft=True)
    probe.grid.match(potential)
    waves = probe.multislice(potential, scan=abtem.CustomScan([place]), lazy=False)
    array = np.asarray(waves.diffraction_patterns(max_angle=None, block_direct=False).array)[0]
    middle, reach = np.array(array.shape) // 2, scanner.k_x.size // 2
    inner = tuple(slice(m - reach, m + reach + 1) for m in middle)
    far = lengths_of(scanner) > 2 * PROBE.k_aperture
    assert correlations([scanner.pattern(place)], [array[inner]], far)[0] > 0.999


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k_max": 0.1}, "inside the central disc"),
        ({"k_max": 50.0}, "k_max=50.0"),
        ({"method": "bloch"}, "method='bloch'"),
        ({"thickness": 0.0}, "thickness=0.0"),
        ({"debye_waller": {"O": 1.0}}, "O is not in the model"),
        ({"debye_waller": -1.0}, "debye_waller=-1.0"),
        ({"method": "multislice", "sampling": 0.5, "k_max": 1.0}, "use sampling=0.333"),
        ({"method": "multislice", "slice_thickness": 0.0}, "slice_thickness=0.0"),
        ({"method": "multislice", "sampling": -1.0}, "sampling=-1.0"),
        ({"k_max": 5.0, "width": 300.0}, "more than 4 GB"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Scanner(metal(), PROBE, **arguments)


def test_other_errors():
    atoms = metal()
    with pytest.raises(ValueError, match="must be a glassnb.diffraction.Probe"):
        Scanner(atoms, 200e3)
    with pytest.raises(ValueError, match="no structure"):
        Scanner([], PROBE)
    with pytest.raises(ValueError, match="no X-ray form factor"):
        Scanner(Atoms("X", [(1, 1, 1)], cell=(20, 20, 5), pbc=True), PROBE)
    with pytest.raises(ValueError, match="constant volume"):
        Scanner([atoms, metal(edge=17.0)], PROBE)
    with pytest.raises(ValueError, match="four times the beam"):
        Scanner(cut_slab(metal(edge=8.0)), PROBE)
    scanner = Scanner(atoms, PROBE, k_max=0.5)
    with pytest.raises(ValueError, match=r"at \[17.0, 3.0\] Å is outside the slab"):
        scanner.pattern((17.0, 3.0))
    with pytest.raises(ValueError, match="have shape"):
        scanner.patterns([1.0, 2.0, 3.0])
