"""Scans: positions, reductions, orientations, files; and the structure factor as their average."""

import numpy as np
import pytest
import zarr
from ase import Atoms
from scipy.spatial.transform import Rotation
from test_diffraction_patterns import PROBE, metal

import glassnb as gn
from glassnb.diffraction import (
    Annulus,
    DiffractionScan,
    Probe,
    RadialProfile,
    Scanner,
    StrongestPair,
    scan,
)
from glassnb.diffraction.scan import orientations
from glassnb.scattering import electron_form_factor, structure_factor

PATTERN = {"probe": PROBE, "k_max": 0.8}


@pytest.fixture(scope="module")
def kept():
    return scan(metal(), positions=(3, 4), **PATTERN)


def test_grid_covers_the_cell(kept):
    assert kept.shape == (3, 4)
    assert kept.patterns.shape == (3, 4, kept.k_x.size, kept.k_y.size)
    np.testing.assert_allclose(kept.positions[5], [16 / 3, 4.0])
    alone = Scanner(metal(), **PATTERN).pattern((16 / 3, 4.0))
    np.testing.assert_allclose(kept.pattern(1, 1), alone, rtol=1e-4)
    assert kept.k[kept.k_x.size // 2, -1] == pytest.approx(kept.k_max)
    assert kept.k_max == pytest.approx(0.75)  # the last whole wave of a 16 Å cell below 0.8
    assert kept.k_disc == pytest.approx(2 * 3.3e-3 / PROBE.wavelength)
    assert kept.info["parameters"]["method"] == "kinematic"
    assert "12" not in repr(kept)
    assert "3 x 4 positions" in repr(kept)


def test_listed_positions(kept):
    listed = scan(metal(), positions=kept.positions, **PATTERN)
    assert listed.shape == (12,)
    flat = kept.patterns.reshape(listed.patterns.shape)
    np.testing.assert_allclose(listed.patterns, flat, rtol=1e-4, atol=1e-9)


def test_sums_are_those_of_the_patterns(kept):
    patterns = kept.patterns.astype(float)
    np.testing.assert_allclose(kept.mean, patterns.mean((0, 1)), rtol=1e-6)
    np.testing.assert_allclose(kept.mean_square, (patterns**2).mean((0, 1)), rtol=1e-5)


def test_reductions_are_those_of_the_patterns(kept):
    mask = np.zeros((kept.k_x.size, kept.k_y.size))
    mask[3, 4], mask[5, 6] = 1, 2
    rings = RadialProfile(0.1, 0.7)
    reduced = scan(
        metal(), positions=(3, 4), **PATTERN,
        reduce={"ring": (0.4, 0.5), "mask": mask, "rings": rings, "pair": StrongestPair(0.3, 0.6)},
    )  # fmt: skip
    assert reduced.patterns is None
    np.testing.assert_allclose(reduced.mean, kept.mean, rtol=1e-5)
    k, patterns = kept.k, kept.patterns
    ring = patterns[..., (k >= 0.4) & (k < 0.5)].sum(-1)
    np.testing.assert_allclose(reduced.reductions["ring"], ring, rtol=1e-4)
    masked = patterns[..., 3, 4] + 2 * patterns[..., 5, 6]
    np.testing.assert_allclose(reduced.reductions["mask"], masked, rtol=1e-4)
    third = patterns[..., (k >= 0.3) & (k < 0.4)].mean(-1)
    np.testing.assert_allclose(reduced.reductions["rings"][..., 3], third, rtol=1e-4)
    assert rings.k[3] == pytest.approx(0.35)
    chosen = (k >= 0.3) & (k < 0.6)
    for strength, k_x, k_y in reduced.reductions["pair"].reshape(-1, 3):
        assert 0.3 <= np.hypot(k_x, k_y) < 0.6
        assert strength > 1
    i, j = 1, 2
    product = np.sqrt(patterns[i, j] * patterns[i, j][::-1, ::-1])
    expected = product[chosen].max() / patterns[i, j][chosen].mean()
    assert reduced.reductions["pair"][i, j, 0] == pytest.approx(expected, rel=1e-4)
    table = reduced.to_frame()
    assert len(table) == 12
    assert {"x", "y", "ring", "mask", "rings_0", "pair_2"} <= set(table.columns)
    with pytest.raises(ValueError, match="not kept"):
        next(reduced.blocks())


def test_orientations():
    """Each is the scanner of its rotation; a seed repeats them; they cover all directions."""
    atoms = metal(edge=16.0, thickness=16.0)
    narrow = Probe(200e3, 6.0)
    arguments = {"positions": (1, 2), "k_max": 0.9, "thickness": 8.0, "margin": 6.0}
    first = scan(atoms, narrow, rotations=3, seed=4, **arguments)
    assert first.shape == (3, 1, 2)
    turn = Rotation.from_quat(first.rotations[2])
    alone = Scanner(atoms, narrow, rotation=turn, k_max=0.9, thickness=8.0, margin=6.0).patterns(
        first.positions
    )
    np.testing.assert_allclose(first.patterns[2, 0], alone, rtol=1e-3, atol=1e-9)
    again = scan(atoms, narrow, rotations=turn, **arguments)
    assert again.shape == (1, 1, 2)
    np.testing.assert_allclose(again.patterns[0], first.patterns[2], rtol=1e-3, atol=1e-9)
    many = orientations(2000, 1)
    axes = many.apply([0, 0, 1])
    # Means of a uniform direction: 0 and 1/3, to four standard errors.
    assert np.abs(axes.mean(axis=0)).max() < 4 * np.sqrt(1 / 3 / 2000)
    np.testing.assert_allclose((axes**2).mean(axis=0), 1 / 3, atol=4 * np.sqrt(4 / 45 / 2000))


def test_blocks_go_through_everything(kept):
    for size in (1, 3, 5, 12, None):
        seen = np.zeros(kept.n_patterns, dtype=int)
        for where, block in kept.blocks(size):
            seen[where] += 1
            np.testing.assert_array_equal(block, kept.patterns.reshape(12, *block.shape[1:])[where])
        assert (seen == 1).all()


# -- the structure factor ------------------------------------------------------------------------


def test_the_average_is_the_structure_factor():
    """Silica along three axes: N (gamma lambda / area)² [<f>²(S_e - 1) + <f²>], with g(r)'s S_e.

    Averaged over the cell the waves of the beam do not interfere, and the pattern is that sum over
    the disc. Speckle gives rings of some 100 independent waves each: 2 % in all, 25 % in each.
    """
    atoms = gn.models.load("silica-pristine-3000")
    edge = atoms.cell.lengths()[0]
    probe = Probe(200e3, 1.8)
    k = np.arange(0.06, 1.4, 0.01)
    total = structure_factor(atoms, 2 * np.pi * k, radiation="electron").total
    factors = {s: electron_form_factor(s, 2 * np.pi * k) for s in ("Si", "O")}
    mean, square = ((factors["Si"] ** n + 2 * factors["O"] ** n) / 3 for n in (1, 2))
    one = len(atoms) * (probe.lorentz_factor * probe.wavelength / edge**2) ** 2
    intensity = one * (mean**2 * (total - 1) + square)
    indices, waves = probe.beams((edge, edge))
    found, expected = 0.0, 0.0
    for axis in "xyz":
        result = scan(atoms, probe, positions=(16, 16), axis=axis, keep=False, k_max=1.1)
        rings = np.arange(0.2, 1.1, 0.06)
        for b, wave in zip(indices / edge, waves, strict=True):
            change = np.hypot(result.k_x[:, None] - b[0], result.k_y - b[1])
            expected = expected + np.abs(wave) ** 2 * np.interp(change, k, intensity)
        found = found + result.mean
    ring = np.digitize(result.k, rings)
    ratios = [found[ring == i].mean() / expected[ring == i].mean() for i in range(1, len(rings))]
    inside = (result.k > 0.2) & (result.k < 1.1)
    assert found[inside].sum() == pytest.approx(expected[inside].sum(), rel=0.02)
    np.testing.assert_allclose(ratios, 1, atol=0.25)
    assert np.std(ratios) < 0.1


# -- files ---------------------------------------------------------------------------------------


def test_a_folder_keeps_everything_and_goes_on(kept, tmp_path, monkeypatch):
    folder = tmp_path / "scan"
    arguments = PATTERN | {"positions": (3, 4), "keep": folder, "reduce": {"ring": (0.4, 0.5)}}
    real, calls = Scanner.patterns, []

    def stops(self, positions, out=None):
        calls.append(len(positions))
        if len(positions) == 4 and calls.count(4) == 3:
            raise KeyboardInterrupt
        return real(self, positions, out)

    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    monkeypatch.setattr(Scanner, "patterns", stops)
    with pytest.raises(KeyboardInterrupt):
        scan(metal(), **arguments)
    with pytest.raises(ValueError, match="not finished"):
        DiffractionScan.open(folder)
    with pytest.raises(ValueError, match="k_max=0.8, this one k_max=0.7"):
        scan(metal(), **(arguments | {"k_max": 0.7}))
    calls.clear()
    monkeypatch.setattr(
        Scanner, "patterns", lambda self, p, out=None: calls.append(len(p)) or real(self, p, out)
    )
    result = scan(metal(), **arguments)
    assert calls == [1, 4]  # a trial of the reductions, and the one row that was missing
    np.testing.assert_allclose(result.patterns, kept.patterns, rtol=1e-6)
    opened = DiffractionScan.open(folder)
    assert isinstance(opened.patterns, zarr.Array)
    np.testing.assert_array_equal(opened.patterns, result.patterns)
    np.testing.assert_allclose(opened.mean, kept.mean, rtol=1e-6)
    np.testing.assert_array_equal(opened.reductions["ring"], result.reductions["ring"])
    assert opened.probe == PROBE
    with pytest.raises(ValueError, match="structure="):
        scan(metal(seed=9), **arguments)


def test_save_and_open(kept, tmp_path):
    for name in ("scan.npz", "folder"):
        path = kept.save(tmp_path / name)
        opened = DiffractionScan.open(path)
        assert opened.shape == kept.shape
        assert opened.probe == kept.probe
        assert opened.info == kept.info
        for field in ("k_x", "k_y", "positions", "mean", "mean_square", "patterns"):
            np.testing.assert_array_equal(getattr(opened, field), getattr(kept, field))
    with pytest.raises(ValueError, match="exists already"):
        kept.save(tmp_path / "folder")
    with pytest.raises(ValueError, match="no folder or .npz file of a scan"):
        DiffractionScan.open(tmp_path / "nothing")
    with pytest.raises(ValueError, match="exists already and is no scan"):
        scan(metal(), positions=(1, 1), keep=tmp_path, **PATTERN)


def test_files_for_other_programs(kept, tmp_path):
    """The layouts of files that hyperspy 2.5 and py4DSTEM 0.14 wrote, and read from us."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(kept.save(tmp_path / "scan.hspy")) as file:
        assert file.attrs["file_format"] == "HyperSpy"
        signal = file["Experiments/scan"]
        np.testing.assert_array_equal(signal["data"], kept.patterns)
        axes = [dict(signal[f"axis-{i}"].attrs) for i in range(4)]
        assert [axis["name"] for axis in axes] == ["x", "y", "k_x", "k_y"]
        assert [bool(axis["navigate"]) for axis in axes] == [True, True, False, False]
        assert axes[1]["scale"] == pytest.approx(4.0)
        assert axes[2]["offset"] == pytest.approx(kept.k_x[0])
        assert {"attributes", "learning_results", "metadata", "original_metadata"} <= set(signal)
    with h5py.File(kept.save(tmp_path / "scan.h5")) as file:
        assert file.attrs["emd_group_type"] == "file"
        cube = file["datacube_root/datacube"]
        assert cube.attrs["python_class"] == "DataCube"
        np.testing.assert_array_equal(cube["data"], kept.patterns)
        assert cube["dim0"].attrs["name"] == "Rx"
        calibration = file["datacube_root/metadatabundle/calibration"]
        assert calibration["Q_pixel_size"][()] == pytest.approx(1 / 16)
        assert calibration["Q_pixel_units"][()] == b"A^-1"
    listed = scan(metal(), positions=[(1.0, 2.0)], **PATTERN)
    with pytest.raises(ValueError, match="a grid of positions in one orientation"):
        listed.save(tmp_path / "list.h5")


def test_measured_patterns(kept):
    """What a detector gives: other calibrations of the axes, the same sums."""
    data = np.random.default_rng(2).poisson(5.0, (2, 3, 8, 10))
    measured = DiffractionScan.from_array(data, k_step=(0.02, 0.03), centre=(3.5, 5.0))
    np.testing.assert_allclose(measured.k_x[:2], [-0.07, -0.05])
    assert measured.k_y[5] == 0.0
    assert measured.shape == (2, 3)
    assert measured.k_disc == 0.0
    np.testing.assert_allclose(measured.mean, data.mean((0, 1)))
    np.testing.assert_allclose(measured.mean_square, (data.astype(float) ** 2).mean((0, 1)))
    np.testing.assert_array_equal(measured.positions[-1], [1, 2])
    again = DiffractionScan.from_array(
        kept.patterns, k_step=1 / 16, positions=kept.positions, probe=PROBE
    )
    np.testing.assert_allclose(again.k_x, kept.k_x, atol=1e-12)
    np.testing.assert_allclose(again.mean, kept.mean, rtol=1e-6)
    assert again.plot(index=(0, 1)).get_xlabel() == "$k_x$ (Å$^{-1}$)"
    with pytest.raises(ValueError, match="k_step=0.0"):
        DiffractionScan.from_array(data, k_step=0.0)
    with pytest.raises(ValueError, match=r"shape \(8, 10\)"):
        DiffractionScan.from_array(data[0, 0], k_step=0.1)
    with pytest.raises(ValueError, match=r"must be \(6, 2\)"):
        DiffractionScan.from_array(data, k_step=0.1, positions=[(0, 0)])


def test_pictures(kept):
    ax = kept.plot()
    image = ax.images[0]
    left, right, bottom, top = image.get_extent()
    assert (left, right) == pytest.approx((-0.75 - 1 / 32, 0.75 + 1 / 32))
    np.testing.assert_allclose(image.get_array(), kept.mean.T)
    ax = PROBE.plot()
    assert f"{PROBE.fwhm:.2f} Å" in [text.get_text() for text in ax.texts]


# -- clusters and errors -------------------------------------------------------------------------


def test_orientations_on_a_cluster():
    distributed = pytest.importorskip("distributed")
    atoms, narrow = metal(thickness=16.0), Probe(200e3, 6.0)
    arguments = {
        "positions": (1, 2), "k_max": 0.9, "thickness": 8.0, "margin": 6.0, "rotations": 2,
        "reduce": {"ring": Annulus(0.4, 0.5)}, "keep": True,
    }  # fmt: skip
    here = scan(atoms, narrow, **arguments)
    with (
        distributed.LocalCluster(1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        there = scan(atoms, narrow, client=client, **arguments)
        with pytest.raises(ValueError, match="cannot write one folder"):
            scan(atoms, narrow, client=client, **(arguments | {"keep": "folder"}))
    np.testing.assert_allclose(there.patterns, here.patterns, rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(there.reductions["ring"], here.reductions["ring"], rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"positions": (0, 3)}, "two whole numbers"),
        ({"positions": (1.5, 3.0)}, "two whole numbers"),
        ({"positions": [(40.0, 0.0)]}, "outside the slab"),
        ({"positions": [(np.nan, 0.0)]}, "outside the slab"),
        ({"rotations": 0}, "rotations=0"),
        ({"rotations": "all"}, "rotations='all'"),
        ({"reduce": {"a": "b"}}, r"reduce\['a'\]='b'"),
        ({"reduce": [1, 2]}, "must be a dictionary"),
        ({"reduce": {"a": (0.5, 0.4)}}, "0 <= k_low < k_high"),
        ({"reduce": {"a": (5.0, 6.0)}}, "no pixel of the pattern"),
        ({"reduce": {"a": np.zeros((2, 2))}}, r"mask of shape \(2, 2\)"),
        ({"keep": 3}, "keep=3"),
        ({"positions": (2000, 2000)}, "GB: use"),
        ({"thickness": -1.0}, "thickness=-1.0"),
    ],
)
def test_bad_scans(arguments, message):
    with pytest.raises(ValueError, match=message):
        scan(metal(), **(PATTERN | {"positions": (2, 2)} | arguments))


def test_unknown_elements_stop_at_once():
    atoms = Atoms("X", [(1, 1, 1)], cell=(20, 20, 5), pbc=True)
    with pytest.raises(ValueError, match="no X-ray form factor"):
        scan(atoms, PROBE)
