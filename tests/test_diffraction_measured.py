"""Scans on disk in chunks, and patterns in files of other programs."""

import numpy as np
import pytest
import zarr
from test_diffraction_patterns import PROBE, metal

from glassnb.diffraction import DiffractionScan, scan

K_STEP = (0.02, 0.03)
PATTERN = {"probe": PROBE, "k_max": 0.8}


@pytest.fixture(scope="module")
def data():
    return np.random.default_rng(2).poisson(5.0, (5, 3, 8, 10)).astype(np.uint16)


def same(measured, data):
    np.testing.assert_allclose(measured.mean, data.mean((0, 1)))
    np.testing.assert_allclose(measured.mean_square, (data.astype(float) ** 2).mean((0, 1)))
    np.testing.assert_array_equal(measured.pattern(3, 1), data[3, 1])


def hyperspy_store(path, data, axes):
    """A .zspy folder by rosettasciio's format 3.3: zarr of version 2, one group per axis."""
    root = zarr.open_group(path, mode="w", zarr_format=2)
    root.attrs.update({"file_format": "ZSpy", "file_format_version": "3.3"})
    signal = root.create_group("Experiments/a title")
    signal.create_array("data", data=data, chunks=(2, 3, 8, 10))
    for number, axis in enumerate(axes):
        signal.create_group(f"axis-{number}").attrs.update(axis)
    signal.create_group("original_metadata").create_array("other", data=np.zeros((2, 2, 2)))
    return path


def lines(units, offsets=(0.0, 2.0, -0.08, -0.15), scales=(1.5, 2.5, *K_STEP)):
    rows = zip(units, offsets, scales, strict=True)
    return [{"units": u, "offset": o, "scale": s} for u, o, s in rows]


def test_numpy_zarr_and_hdf5_without_reading_them(data, tmp_path):
    np.save(tmp_path / "a.npy", data)
    zarr.create_array(tmp_path / "plain", data=data, chunks=(1, 2, 8, 10))
    group = zarr.open_group(tmp_path / "group.zarr", mode="w")
    group.create_array("notes", data=np.zeros(3))
    group.create_group("inner").create_array("patterns", data=data)
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["some/where"] = data
        file["x"] = np.arange(3.0)
    kinds = {
        "a.npy": np.memmap,
        "plain": zarr.Array,
        "group.zarr": zarr.Array,
        "a.h5": h5py.Dataset,
    }
    for name, kind in kinds.items():
        measured = DiffractionScan.from_array(str(tmp_path / name), k_step=K_STEP, probe=PROBE)
        assert isinstance(measured.patterns, kind)
        assert measured.shape == (5, 3)
        assert measured.k_y[5] == 0
        same(measured, data)
    array = zarr.open_array(tmp_path / "plain", mode="r")
    same(DiffractionScan.from_array(array, k_step=K_STEP), data)
    with h5py.File(tmp_path / "a.h5") as file:
        same(DiffractionScan.from_array(file["some/where"], k_step=K_STEP), data)


def test_hyperspy_says_what_its_axes_are(data, tmp_path):
    store = hyperspy_store(tmp_path / "a.zspy", data, lines(("Å", "Å", "1/Å", "$Å^{-1}$")))
    measured = DiffractionScan.from_array(store)
    same(measured, data)
    np.testing.assert_allclose(measured.k_x, np.arange(-4, 4) * 0.02, atol=1e-12)
    np.testing.assert_allclose(measured.k_y, np.arange(-5, 5) * 0.03, atol=1e-12)
    np.testing.assert_allclose(measured.positions[4], [1.5, 4.5])
    np.testing.assert_allclose(
        DiffractionScan.from_array(store, k_step=0.1, positions=np.zeros((15, 2))).k_x[0], -0.4
    )
    in_nm = hyperspy_store(tmp_path / "b.zspy", data, lines(("nm", "nm", "1 / nm", r"$nm^{-1}$")))
    measured = DiffractionScan.from_array(in_nm)
    np.testing.assert_allclose(measured.k_x, np.arange(-4, 4) * 0.002, atol=1e-12)
    np.testing.assert_allclose(measured.positions[4], [15, 45])
    bare = hyperspy_store(
        tmp_path / "c.zspy", data, lines(("", "", "1/nm", "1/nm"), (0, 0, 0, 0), (1, 1, 0.2, 0.3))
    )
    measured = DiffractionScan.from_array(bare)
    assert measured.k_x[4] == 0  # no centre was set: the middle
    np.testing.assert_array_equal(measured.positions[4], [1, 1])
    unknown = hyperspy_store(tmp_path / "d.zspy", data, lines(("", "", "", "")))
    with pytest.raises(ValueError, match="k_step=None"):
        DiffractionScan.from_array(unknown)


def test_what_is_written_for_others_is_read_back(tmp_path):
    pytest.importorskip("h5py")
    kept = scan(metal(), positions=(3, 4), **PATTERN)
    again = DiffractionScan.from_array(kept.save(tmp_path / "scan.hspy"), probe=PROBE)
    np.testing.assert_allclose(again.k_x, kept.k_x, atol=1e-12)
    np.testing.assert_allclose(again.positions, kept.positions, atol=1e-12)
    np.testing.assert_allclose(again.mean, kept.mean, rtol=1e-6)
    emd = DiffractionScan.from_array(kept.save(tmp_path / "scan.h5"), k_step=1 / 16)
    np.testing.assert_array_equal(emd.pattern(2, 1), kept.pattern(2, 1))
    folder = kept.save(tmp_path / "folder")
    inside = DiffractionScan.from_array(folder / "patterns.zarr", k_step=1 / 16)
    np.testing.assert_array_equal(inside.pattern(2, 1), kept.pattern(2, 1))
    with pytest.raises(ValueError, match=r"use DiffractionScan\.open"):
        DiffractionScan.from_array(folder, k_step=1 / 16)


def test_chunks_hold_some_patterns_of_one_row(tmp_path):
    """About a megabyte; rows of a grid, and 64 positions of a list, share none."""
    grid = scan(metal(), positions=(2, 70), keep=tmp_path / "grid", **PATTERN).patterns
    assert grid.chunks == (1, 64, 25, 25)
    places = np.random.default_rng(1).uniform(0, 16, (130, 2))
    listed = scan(metal(), positions=places, keep=tmp_path / "list", **PATTERN)
    assert listed.patterns.chunks == (64, 25, 25)
    memory = scan(metal(), positions=places, **PATTERN)
    np.testing.assert_allclose(listed.patterns, memory.patterns, rtol=1e-5, atol=1e-10)
    counts = np.zeros((3, 300, 300), dtype=np.uint16)
    counts[1, 2, 3] = 7
    measured = DiffractionScan.from_array(counts, k_step=0.01)
    folder = measured.save(tmp_path / "counts")
    opened = DiffractionScan.open(folder)
    assert opened.patterns.chunks == (3, 300, 300)
    np.testing.assert_array_equal(opened.patterns, counts)
    size = sum(file.stat().st_size for file in (folder / "patterns.zarr").rglob("*"))
    assert size < counts.nbytes / 20  # counts are compressed


def test_bad_files(data, tmp_path):
    two = zarr.open_group(tmp_path / "two", mode="w")
    with pytest.raises(ValueError, match="there are: none"):
        DiffractionScan.from_array(tmp_path / "two", k_step=0.1)
    two.create_array("a", data=data)
    two.create_array("b", data=data)
    with pytest.raises(ValueError, match="a, b|b, a"):
        DiffractionScan.from_array(tmp_path / "two", k_step=0.1)
    with pytest.raises(ValueError, match="no such file"):
        DiffractionScan.from_array(tmp_path / "nothing.npy", k_step=0.1)
    (tmp_path / "a.tif").write_bytes(b"II")
    with pytest.raises(ValueError, match=r"must be \.npy"):
        DiffractionScan.from_array(tmp_path / "a.tif", k_step=0.1)
    np.save(tmp_path / "image.npy", data[0, 0])
    with pytest.raises(ValueError, match=r"shape \(8, 10\)"):
        DiffractionScan.from_array(tmp_path / "image.npy", k_step=0.1)
