"""Patterns as HDF5 files that other programs open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnb._version import __version__
from glassnb.core.provenance import atomic_path
from glassnb.diffraction.result import DiffractionScan

__all__ = ["MASK_OF_SIGNAL", "import_h5py", "write_emd", "write_hspy"]

# What hyperspy expects of a signal besides its axes: groups and their attributes.
_HYPERSPY: dict[str, dict[str, Any]] = {
    "attributes": {"_lazy": False, "ragged": False},
    "learning_results": {},
    "metadata": {},
    "metadata/General": {"title": "diffraction scan"},
    "metadata/Signal": {"signal_type": ""},
    "original_metadata": {},
}


#: Where a signal of hyperspy keeps its mask: ``signal.metadata.Signal.mask``.
MASK_OF_SIGNAL = ("metadata/Signal", "mask")


def write_hspy(scan: DiffractionScan, path: Path) -> None:
    """Write the layout of hyperspy: ``hyperspy.api.load(path)``.

    Parameters
    ----------
    scan : DiffractionScan
        A scan with its patterns.
    path : pathlib.Path
        File to write.
    """
    with atomic_path(path) as temporary, _new_file(temporary) as file:
        file.attrs.update({"file_format": "HyperSpy", "file_format_version": "3.3"})
        group = file.create_group("Experiments/scan")
        group.attrs.update({"package": "hyperspy", "package_version": "2.0"})
        _write_pieces(group, "data", scan.patterns)
        for number, axis in enumerate(_axes(scan)):
            # Strings of any length lie in a heap that has no checksum, and in which libhdf5 loops
            # for ever if it is damaged; nobody who reads the axes needs it.
            units = np.bytes_(axis["units"].encode())
            axis |= {"_type": "UniformDataAxis", "is_binned": False, "units": units}
            group.create_group(f"axis-{number}").attrs.update(axis)
        for name, content in _HYPERSPY.items():
            group.require_group(name).attrs.update(content)
        if scan.mask is not None:
            _write_pieces(group[MASK_OF_SIGNAL[0]], MASK_OF_SIGNAL[1], scan.mask)


def write_emd(scan: DiffractionScan, path: Path) -> None:
    """Write the layout EMD 1.0: ``py4DSTEM.read(path)`` gives a DataCube.

    Parameters
    ----------
    scan : DiffractionScan
        A scan over a grid in one orientation, with its patterns.
    path : pathlib.Path
        File to write.

    Raises
    ------
    ValueError
        If the scan is not a grid in one orientation.
    """
    axes = _axes(scan)
    if [axis["name"] for axis in axes[:2]] != ["x", "y"] or len(axes) != 4:
        raise ValueError(
            f"path={str(path)!r}: py4DSTEM takes a grid of positions in one orientation, but this "
            f"scan has the axes {', '.join(axis['name'] for axis in axes)}"
        )
    with atomic_path(path) as temporary, _new_file(temporary) as file:
        file.attrs.update(
            {
                "emd_group_type": "file",
                "version_major": 1,
                "version_minor": 0,
                "authoring_program": f"glassnb {__version__}",
                "authoring_user": "",
                "UUID": "",
            }
        )
        root = file.create_group("datacube_root")
        root.attrs.update({"emd_group_type": "root", "python_class": "Root"})
        cube = root.create_group("datacube")
        cube.attrs.update({"emd_group_type": "array", "python_class": "DataCube"})
        _write_pieces(cube, "data", scan.patterns)
        cube["data"].attrs["units"] = "fraction of the current"
        for number, (axis, name) in enumerate(zip(axes, ("Rx", "Ry", "Qx", "Qy"), strict=True)):
            # Two values make a line; the wave number of the middle is not the first pixel's.
            line = axis["offset"] + axis["scale"] * np.arange(2)
            cube.create_dataset(f"dim{number}", data=line)
            cube[f"dim{number}"].attrs.update(
                {"name": name, "units": "A" if axis["navigate"] else "A^-1"}
            )
        if scan.mask is not None:
            mask = root.create_group("mask")
            mask.attrs.update({"emd_group_type": "array", "python_class": "Array"})
            _write_pieces(mask, "data", scan.mask)
            for number, size in enumerate(scan.mask.shape):
                mask.create_dataset(f"dim{number}", data=np.arange(size))
        calibration = root.create_group("metadatabundle/calibration")
        root["metadatabundle"].attrs["emd_group_type"] = "metadatabundle"
        calibration.attrs.update({"emd_group_type": "metadata", "python_class": "Calibration"})
        for name, value in (
            ("Q_pixel_size", axes[2]["scale"]),
            ("Q_pixel_units", "A^-1"),
            ("R_pixel_size", axes[0]["scale"]),
            ("R_pixel_units", "A"),
            ("_root_treepath", ""),
        ):
            kind = "string" if isinstance(value, str) else "number"
            calibration.create_dataset(name, data=value).attrs["type"] = kind
        targets = calibration.create_group("_target_paths")
        targets.attrs.update({"length": 1, "type": "list_of_strings"})
        targets.create_dataset("0", data="/datacube")


def _axes(scan: DiffractionScan) -> list[dict[str, Any]]:
    """Describe the axes of the patterns: name, size, offset, scale, unit, and if it is scanned."""
    turned = [("orientation", 0.0, 1.0, "")] * (scan.rotations is not None)
    if len(scan.shape) - len(turned) == 2:
        places = scan.positions.reshape(*scan.shape[-2:], 2)
        steps = [("x", *_line(places[:, 0, 0]), "Å"), ("y", *_line(places[0, :, 1]), "Å")]
    else:
        steps = [("position", 0.0, 1.0, "")]
    pixels = [("k_x", *_line(scan.k_x), "1/Å"), ("k_y", *_line(scan.k_y), "1/Å")]
    sizes = (*scan.shape, scan.k_x.size, scan.k_y.size)
    return [
        {
            "name": name,
            "size": int(size),
            "offset": offset,
            "scale": scale,
            "units": unit,
            "navigate": number < len(scan.shape),
        }
        for number, (size, (name, offset, scale, unit)) in enumerate(
            zip(sizes, [*turned, *steps, *pixels], strict=True)
        )
    ]


def _line(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(values[0]), float(values[1] - values[0]) if len(values) > 1 else 1.0


def _new_file(path: Path) -> Any:
    """Make an HDF5 file whose own tables have checksums, as HDF5 1.10 and later know them."""
    return import_h5py().File(path, "w", libver=("v110", "v110"))


def _write_pieces(group: Any, name: str, array: Any) -> None:
    """Write patterns or their mask piece by piece, each with a checksum."""
    *scanned, n_x, n_y = array.shape
    chunks = (*(1 for _ in scanned), n_x, n_y)
    # That of fletcher32 is 0 for zeros: an erased piece would pass, if zlib did not frame it.
    data = group.create_dataset(
        name, shape=array.shape, dtype=array.dtype, chunks=chunks, fletcher32=True,
        compression="gzip", compression_opts=0,
    )  # fmt: skip
    for index in np.ndindex(*scanned[:-1]):
        data[index] = np.asarray(array[index])


def import_h5py() -> Any:
    """Import h5py, or say what to do.

    Returns
    -------
    module
        h5py.

    Raises
    ------
    ImportError
        If it is missing.
    """
    try:
        import h5py
    except ImportError as error:
        raise ImportError("HDF5 files need h5py: pip install h5py") from error
    return h5py
