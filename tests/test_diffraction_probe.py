"""The beam, against optics that is known in closed form, and slabs against counting."""

import numpy as np
import pytest
from ase import Atoms
from scipy.optimize import brentq
from scipy.spatial.transform import Rotation
from scipy.special import j0, j1

from glassnb.core import neighbours
from glassnb.diffraction import Probe, cut_slab
from glassnb.models import crystal


@pytest.mark.parametrize(
    ("voltage", "wavelength"), [(100e3, 0.03701), (200e3, 0.02508), (300e3, 0.01969)]
)
def test_wavelength(voltage, wavelength):
    """Williams and Carter, Transmission Electron Microscopy (2009), table 1.2, to its digits."""
    assert Probe(voltage).wavelength == pytest.approx(wavelength, abs=6e-6)


def test_airy_disc():
    """Its FWHM is 0.5145 lambda/alpha; the current in radius r is 1 - J0² - J1² (Born, Wolf)."""
    probe = Probe(200e3, 3.3)
    unit = probe.wavelength / 3.3e-3
    half = brentq(lambda x: (2 * j1(x) / x) ** 2 - 0.5, 1, 2)
    assert probe.fwhm == pytest.approx(half / np.pi * unit, rel=1e-4)
    half = brentq(lambda x: j0(x) ** 2 + j1(x) ** 2 - 0.5, 1, 2)
    assert probe.d50 == pytest.approx(half / np.pi * unit, rel=2e-3)
    r = np.linspace(0, 20, 4001)
    dark = brentq(j1, 3, 4) / (2 * np.pi) * unit  # first dark ring
    assert probe.intensity(dark) < 1e-3 * probe.intensity(0)
    x = 2 * np.pi * probe.k_aperture * r[-1]
    inside = np.trapezoid(2 * np.pi * r * probe.intensity(r), r)
    assert inside == pytest.approx(1 - j0(x) ** 2 - j1(x) ** 2, abs=1e-3)


def test_the_angle_follows_from_the_width():
    for aperture in ("top-hat", "soft", "gaussian"):
        assert Probe(fwhm=4.0, aperture=aperture).fwhm == pytest.approx(4.0, rel=1e-4)


def test_gaussian_beam_in_and_out_of_focus():
    """Width w0 of 1/e² intensity is lambda/(pi alpha); it grows as sqrt(1 + (z/z_R)²)."""
    probe = Probe(200e3, 3.0, aperture="gaussian")
    waist = probe.wavelength / (np.pi * 3.0e-3)
    to_fwhm = np.sqrt(2 * np.log(2))
    assert probe.fwhm == pytest.approx(waist * to_fwhm, rel=1e-2)
    rayleigh = np.pi * waist**2 / probe.wavelength
    for sign in (1, -1):
        blurred = Probe(200e3, 3.0, aperture="gaussian", defocus=sign * rayleigh / 10)
        assert blurred.fwhm == pytest.approx(waist * to_fwhm * np.sqrt(2), rel=1e-2)


def test_source_size_adds_in_squares_to_a_gaussian():
    probe = Probe(200e3, 3.0, aperture="gaussian")
    wide = Probe(200e3, 3.0, aperture="gaussian", source_size=2.0)
    assert wide.fwhm == pytest.approx(np.hypot(probe.fwhm, 2.0), rel=5e-3)
    r = np.linspace(0, 15, 3001)
    assert np.trapezoid(2 * np.pi * r * wide.intensity(r), r) == pytest.approx(1, abs=2e-3)


def test_spherical_aberration_and_its_best_defocus():
    """Underfocus opposes Cs: at Scherzer's 1.2 sqrt(Cs lambda) the phase stays under pi."""
    scherzer = 1.2 * np.sqrt(1e7 * Probe().wavelength) / 10  # nm, for 1 mm
    probe = Probe(200e3, 10.0, spherical_aberration=1.0, defocus=scherzer)
    b = np.linspace(0, probe.k_aperture, 200)
    wrong = Probe(200e3, 10.0, spherical_aberration=1.0, defocus=-scherzer)
    assert np.abs(probe.phase(b)).max() < np.pi
    assert np.abs(wrong.phase(b)).max() > 2 * np.pi
    assert Probe(200e3, 3.3, spherical_aberration=1.0).phase(np.array([0.1316])) == pytest.approx(
        np.pi / 2 * 1e7 * 0.0250793**3 * 0.1316**4, rel=1e-4
    )


@pytest.mark.parametrize("aperture", ["top-hat", "soft", "gaussian"])
def test_plane_waves_add_up_to_the_spot(aperture):
    """In a large cell the sum of the waves is the spot of the radial integral."""
    probe, edge = Probe(200e3, 5.0, aperture=aperture), 90.0
    indices, waves = probe.beams((edge, edge))
    assert np.sum(np.abs(waves) ** 2) == pytest.approx(1)
    r = np.array([0.0, 1.0, 2.0, 4.0])
    psi = np.exp(2j * np.pi * np.outer(r, indices[:, 0]) / edge) @ waves / edge
    np.testing.assert_allclose(np.abs(psi) ** 2, probe.intensity(r), rtol=0.02, atol=1e-4)


def test_discs_grow_smoothly_with_the_cell():
    """Size of the disc by its current, <b²> being half a squared radius, in cells of any edge.

    Within 5 % of alpha/lambda, and without the jumps of whole pixels (here 25 %).
    """
    sizes = []
    for edge in np.linspace(30, 33, 7):
        indices, waves = Probe(200e3, 3.3).beams((edge, edge))
        mean = np.sum(np.abs(waves) ** 2 * (indices**2).sum(axis=1)) / edge**2
        sizes.append(np.sqrt(2 * mean))
    np.testing.assert_allclose(sizes, Probe(200e3, 3.3).k_aperture, rtol=0.05)
    assert np.ptp(sizes) < 0.02 * np.mean(sizes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"voltage": 200}, "voltage=200"),
        ({"convergence_semiangle": -1.0}, "convergence_semiangle=-1.0"),
        ({"convergence_semiangle": 3, "fwhm": 4}, "either convergence_semiangle or fwhm"),
        ({"fwhm": 0.0}, "fwhm=0.0"),
        ({"aperture": "round"}, "aperture='round'"),
        ({"source_size": -1}, "source_size=-1"),
        ({"defocus": np.nan}, "defocus=nan"),
    ],
)
def test_bad_beams(arguments, message):
    with pytest.raises(ValueError, match=message):
        Probe(**arguments)


# -- slabs ---------------------------------------------------------------------------------------


def gas(n=300, edges=(12.0, 14.0, 17.0), seed=3):
    random = np.random.default_rng(seed)
    return Atoms(f"Si{n}", random.random((n, 3)) * edges, cell=edges, pbc=True)


def test_own_faces_keep_the_cell():
    atoms = gas()
    slab = cut_slab(atoms, 5.0, start=15.0)  # through the upper face of the model
    z = (atoms.positions[:, 2] - 15.0) % 17.0
    assert slab.lengths == pytest.approx((12.0, 14.0))
    assert slab.thickness == 5.0
    assert sorted(slab.atoms.arrays["model_index"]) == sorted(np.flatnonzero(z < 5.0))
    np.testing.assert_allclose(np.sort(slab.atoms.positions[:, 2]), np.sort(z[z < 5.0]), atol=1e-9)
    thick = cut_slab(atoms, 34.0, width=20.0)
    assert len(thick.atoms) == 2 * 2 * 2 * len(atoms)
    assert thick.lengths == pytest.approx((24.0, 28.0))
    assert thick.period == pytest.approx((12.0, 14.0))


def test_axes_are_cyclic():
    atoms = gas()
    slab = cut_slab(atoms, axis="x")
    assert slab.lengths == pytest.approx((14.0, 17.0))
    assert slab.thickness == pytest.approx(12.0)
    order = np.argsort(slab.atoms.arrays["model_index"])
    np.testing.assert_allclose(slab.atoms.positions[order], atoms.positions[:, [1, 2, 0]])


def test_turned_slab_holds_the_same_matter():
    """Density to the noise of counting, distances exactly, and no atom twice."""
    atoms = crystal("beta-cristobalite", repeat=2)
    slab = cut_slab(atoms, 15.0, rotation=Rotation.from_rotvec([0.3, -0.5, 0.7]), width=40.0)
    density = len(slab.atoms) / (40.0**2 * 15.0)
    assert density == pytest.approx(len(atoms) / atoms.get_volume(), rel=0.03)
    middle = slab.atoms[(np.abs(slab.atoms.positions - [20, 20, 7.5]) < [12, 12, 4]).all(axis=1)]
    middle.pbc = False
    inside = neighbours(middle, 2.5).distances
    expected = neighbours(atoms, 2.5).distances
    assert inside.min() == pytest.approx(expected.min(), abs=1e-6)
    assert set(np.round(inside, 4)) <= set(np.round(expected, 4))
    assert slab.field == pytest.approx((10.0, 30.0, 10.0, 30.0))
    assert slab.period is None


def test_a_quarter_turn_moves_every_atom():
    atoms = gas(edges=(12.0, 12.0, 12.0))
    quarter = Rotation.from_euler("z", 90, degrees=True)
    plain = cut_slab(atoms, 12.0, rotation=Rotation.identity(), width=24.0, margin=0.0)
    turned = cut_slab(atoms, 12.0, rotation=quarter, width=24.0, margin=0.0)
    about = plain.atoms.positions - 12.0
    expected = np.column_stack([-about[:, 1], about[:, 0]]) + 12.0
    found = turned.atoms.positions[:, :2]
    assert len(found) == len(expected) == 4 * len(atoms)
    for points in (found, expected):  # into one order, whatever the last digits are
        points[:] = points[np.lexsort(np.round(points, 6).T)]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_cells_without_right_angles_are_cut_too():
    atoms = crystal("alpha-quartz", repeat=(4, 4, 4))
    atoms.set_cell(atoms.cell + np.array([[0, 0, 0], [0, 0, 0], atoms.cell[0]]))  # c leans
    slab = cut_slab(atoms, 10.0, width=20.0, margin=5.0)
    assert slab.period is None
    density = len(slab.atoms) / (20.0**2 * 10.0)
    assert density == pytest.approx(len(atoms) / atoms.get_volume(), rel=0.06)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, {"thickness": 0.0}, "thickness=0.0"),
        ({}, {"axis": "w"}, "axis='w'"),
        ({}, {"width": -3.0}, "width=-3.0"),
        ({}, {"start": np.inf}, "start=inf"),
        ({"pbc": (True, False, True)}, {}, "periodic across the beam"),
        ({"pbc": (True, True, False)}, {"thickness": 20.0}, "reach out of the model"),
        ({}, {"rotation": Rotation.identity(), "width": 10.0}, "twice margin"),
        ({}, {"rotation": Rotation.random(3), "width": 30.0}, "single scipy Rotation"),
        ({"pbc": (True, True, False)}, {"rotation": Rotation.identity()}, "all three directions"),
        ({}, {"thickness": 5000.0, "width": 1000.0}, "more than 2000000"),
    ],
)
def test_bad_slabs(change, arguments, message):
    atoms = gas()
    for name, value in change.items():
        setattr(atoms, name, value)
    with pytest.raises(ValueError, match=message):
        cut_slab(atoms, **arguments)


def test_an_empty_slab_is_refused():
    atoms = Atoms("Si", [(5, 5, 1)], cell=(10, 10, 10), pbc=True)
    with pytest.raises(ValueError, match="no atom"):
        cut_slab(atoms, 2.0, start=4.0)
