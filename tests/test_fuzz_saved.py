"""Damaged files of the package itself, of patterns and of potentials.

What has checksums is read as if it were whole, where the damage does not matter, or refused with an
error that names the file; the rest is read as a naive reader reads the damaged file, or refused.
"""

import tempfile
from functools import cache, partial
from pathlib import Path

import naive
import numpy as np
import pytest
import zarr
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged, damaged_bytes, fuzz, limited

from glassnb.core.provenance import from_json, read_arrays, to_json
from glassnb.diffraction import DiffractionScan, Probe
from glassnb.diffraction.storage import Store
from glassnb.models import crystal, read_embedded_atom
from glassnb.models.__main__ import _own_potential
from glassnb.models.checkpoint import Checkpoint
from glassnb.models.reverse_monte_carlo import Coordination, PairDistributionData, ReverseMonteCarlo
from glassnb.topology import crystal_database, load_diagrams, persistence

K_STEP = 0.04


# -- what is saved, and what a reader makes of it ------------------------------------------------


def refinement():
    atoms = crystal("alpha-quartz")
    r = np.arange(0.5, 2.1, 0.1)
    data = PairDistributionData(r, np.where(abs(r - 1.6) < 0.1, 10.0, 0.5), sigma=0.2)
    four = Coordination("Si", "O", (0.0, 2.0), 4)
    return ReverseMonteCarlo(atoms, [data], [four], 1, r_max=2.1)


def save_refinement(folder):
    rmc = refinement()
    rmc.run(2000, progress=False)
    rmc.save(folder / "state.npz")


def save_run(folder):
    refinement().run(2000, progress=False, checkpoint=folder / "run")


def goes_on(rmc):
    """Where a refinement is, and where it goes."""
    before = rmc.moves_done, rmc.chi2, rmc.atoms.positions.tolist()
    after = rmc.run(2000, temperature=2.0, progress=False)
    history = repr(after.to_frame().values.tolist())  # NaN is equal to itself
    return before, after.chi2, after.atoms.positions.tolist(), history


def same_run(folder):
    rmc = refinement()
    rmc.run(2000, progress=False, checkpoint=folder / "run")
    return goes_on(rmc)


ARGUMENTS = {"n_atoms": 200, "cooling_rate": 5.0, "seed": 3}
RECORDS = {"rows": np.arange(12.0).reshape(3, 4), "stages": np.array(["melt", "quench"])}


def save_checkpoint(folder):
    with Checkpoint(folder / "run", ARGUMENTS) as state:
        state.save(70, lambda path: path.write_bytes(bytes(range(250))), RECORDS)


def read_checkpoint(folder):
    with Checkpoint(folder / "run", ARGUMENTS) as state:
        records = {name: array.tolist() for name, array in state.load().items()}
        return state.step, state.restart.read_bytes(), records


def save_diagrams(folder):
    persistence(Atoms("Si5", np.random.default_rng(1).uniform(0, 5, (5, 3)))).save(folder / "d.npz")


def read_diagrams(folder):
    found = load_diagrams(folder / "d.npz")
    return repr(found), [found.pairs(d).tolist() for d in range(3)], found.complex.checks


def read_database(folder):
    (entry,) = crystal_database(folder / "few.npz").entries
    return repr(entry), {key: [a.tolist() for a in pair] for key, pair in entry.points.items()}


def patterns(dtype=np.float32):
    return np.random.default_rng(0).gamma(3.0, 50.0, (2, 3, 5, 5)).astype(dtype)


def measured(dtype, masked):
    mask = np.zeros((2, 3, 5, 5), dtype=bool)
    mask[1, 2, 3, 4] = mask[0, 0, 0, 0] = True
    return DiffractionScan.from_array(
        patterns(dtype),
        k_step=K_STEP,
        probe=Probe(voltage=200e3, convergence_semiangle=1.0),
        mask=mask if masked else None,
        saturation=np.inf,
    )


def unfinished(folder):
    """A scan of two rows, of which the first is there."""
    lines = np.arange(5.0) - 2
    return Store(folder / "scan", (2, 3), (1, 2), lines, lines, {"parameters": ARGUMENTS})


def save_unfinished(folder):
    store = unfinished(folder)
    store.write((0, 0), (0, slice(None)), patterns()[0])
    store.close()


def read_unfinished(folder):
    store = unfinished(folder)
    return store.done(0).tolist(), store.read((0, slice(None))).tolist()


def all_of(scan):
    """Everything of a scan, read from the disk."""
    found = scan.mean, scan.mean_square, scan.positions, scan.k_x, *(b for _, b in scan.blocks())
    return scan.shape, repr(scan.probe), [np.nan_to_num(array, nan=-1).tolist() for array in found]


# name: what saves it, what reads it
SAVED = {
    "refinement": (save_refinement, lambda f: goes_on(ReverseMonteCarlo.resume(f / "state.npz"))),
    "run": (save_run, lambda f: goes_on(ReverseMonteCarlo.resume(f / "run"))),
    "same run": (save_run, same_run),
    "checkpoint": (save_checkpoint, read_checkpoint),
    "diagrams": (save_diagrams, read_diagrams),
    "database": (lambda f: crystal_database().select(["coesite"]).save(f / "few.npz"),
                 read_database),
    "scan.npz": (lambda f: measured(np.uint16, True).save(f / "scan.npz"),
                 lambda f: all_of(DiffractionScan.open(f / "scan.npz"))),
    "scan": (lambda f: measured(np.float32, False).save(f / "scan"),
             lambda f: all_of(DiffractionScan.open(f / "scan"))),
    "counts": (lambda f: measured(np.uint16, True).save(f / "scan"),
               lambda f: all_of(DiffractionScan.open(f / "scan"))),
    "unfinished": (save_unfinished, read_unfinished),
    "scan.hspy": (lambda f: measured(np.float32, True).save(f / "scan.hspy"),
                  lambda f: all_of(DiffractionScan.from_array(f / "scan.hspy"))),
    "scan.h5": (lambda f: measured(np.uint16, True).save(f / "scan.h5"),
                lambda f: all_of(DiffractionScan.from_array(f / "scan.h5", k_step=K_STEP))),
}  # fmt: skip


@cache
def whole(name):
    """The files that are saved, and what is read from them."""
    with tempfile.TemporaryDirectory() as folder:
        save, read = SAVED[name]
        save(Path(folder))
        paths = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
        return files, read(Path(folder))


def answer(read, files):
    """What is read from files, or None if they are refused by name."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            if data is not None:
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / name).write_bytes(data)
        try:
            with limited():
                return read(Path(folder))
        except (ValueError, FileNotFoundError) as error:
            refused = str(error)
    assert folder in refused, (refused, files)
    return None


@pytest.mark.parametrize("name", SAVED)
def test_damaged_files_are_read_as_if_whole_or_refused(name):
    files, expected = whole(name)
    assert answer(SAVED[name][1], files) == expected

    @fuzz
    @given(st.data())
    def run(data):
        file = data.draw(st.sampled_from(sorted(files)))
        damage = data.draw(damaged_bytes(len(files[file])))
        found = answer(SAVED[name][1], files | {file: damage(files[file])})
        assert found in (None, expected), (file, found)

    run()


@pytest.mark.parametrize("name", ["checkpoint", "scan", "counts"])
def test_a_file_that_is_missing_is_noticed(name):
    files, expected = whole(name)
    for file in set(files) - {"run/checkpoint.json"}:  # without which there is no run
        found = answer(SAVED[name][1], files | {file: None})
        assert found is None or (found == expected and "finished" in file), file


def test_files_of_earlier_versions_are_read():
    """They noted no checksums."""

    def without(data, name):
        return to_json({k: v for k, v in from_json(data.decode()).items() if k != name}).encode()

    files, expected = whole("checkpoint")
    index = without(files["run/checkpoint.json"], "sha256")
    assert answer(SAVED["checkpoint"][1], files | {"run/checkpoint.json": index}) == expected
    files, expected = whole("counts")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scan.npz"
        path.write_bytes(files["scan/scan.npz"])
        arrays = read_arrays(path)
        text = without(str(arrays["text"]).encode(), "on_disk").decode()
        np.savez(path, **arrays | {"text": np.array(text)})
        files = files | {"scan/scan.npz": path.read_bytes()}
    assert answer(SAVED["counts"][1], files) == expected


def test_the_state_of_a_step_is_written_once(tmp_path):
    """A process killed while it wrote the same step again would leave neither."""
    save_checkpoint(tmp_path)
    before = read_checkpoint(tmp_path)
    with Checkpoint(tmp_path / "run", ARGUMENTS) as state:
        state.save(70, lambda path: path.write_bytes(b"half"), {})
    assert read_checkpoint(tmp_path) == before


@fuzz
@given(st.data())
def test_the_text_inside_a_saved_refinement(data):
    """Damaged before it was packed, so that the file has the right checksums."""
    files, expected = whole("refinement")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.npz"
        path.write_bytes(files["state.npz"])
        arrays = read_arrays(path)
        text = str(arrays["description"])
        other = data.draw(damaged([text])).decode("latin-1")
        np.savez(path, **arrays | {"description": np.array(other)})
        files = {"state.npz": path.read_bytes()}
    found = answer(SAVED["refinement"][1], files)
    assert found == (expected if other.rstrip("\0") == text else None)


POTENTIAL = """
name = "own"
species = ["Si", "O"]
cutoff = 5.5
lines = ["pair_style lj/cut 5.5", "pair_coeff * * 0.1 2.0"]
"""


@fuzz
@given(damaged([POTENTIAL]))
def test_own_potentials(data):
    answer(lambda folder: _own_potential(str(folder / "own.toml")), {"own.toml": data})


# -- files of other programs ---------------------------------------------------------------------


def setfl_text(style):
    """A potential of two elements, whose tables mean nothing."""
    rng = np.random.default_rng(2)

    def table(n):
        rows = np.array_split(rng.uniform(-1, 1, n), -(-n // 5))
        return "\n".join(" ".join(f"{x:.6e}" for x in row) for row in rows) + "\n"

    n_rho, n_r = 7, 10
    text = f"one\ntwo\nthree\n2 Cu Zr\n{n_rho} 0.5 {n_r} 0.6 6.0\n"
    for title in ("29 63.546 3.6 fcc", "40 91.224 3.2 hcp"):
        text += f"{title}\n{table(n_rho)}{table(n_r * (2 if style == 'eam/fs' else 1))}"
    return text + table(n_r) * 3


@pytest.mark.parametrize("style", ["eam/alloy", "eam/fs"])
def test_embedded_atom_potentials(style):
    text = setfl_text(style)

    def check(data):
        found = answer(lambda folder: read_embedded_atom(folder / "own.setfl"), {"own.setfl": data})
        if found is not None:
            elements, cutoff, kind = naive.setfl(data)
            assert (list(found.species), found.cutoff, found.style) == (elements, cutoff, kind)
        return found is not None

    assert check(text.encode())

    @fuzz
    @given(damaged([text]))
    def run(data):
        check(data)

    run()


@pytest.mark.parametrize("place", [3, 4, 5, 6, 9, 17])
def test_errors_name_the_line_of_a_potential(place, tmp_path):
    lines = setfl_text("eam/alloy").split("\n")
    words = lines[place].split()
    lines[place] = " ".join([words[0], "1_0", *words[2:]])
    (tmp_path / "own.setfl").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=rf"own\.setfl.*line {place + 1}\b"):
        read_embedded_atom(tmp_path / "own.setfl")


def read_patterns(name, folder):
    scan = DiffractionScan.from_array(folder / name, k_step=K_STEP, saturation=np.inf)
    blocks = np.concatenate([block for _, block in scan.blocks()])
    return blocks.reshape(*scan.shape, *scan.k.shape)


def check_patterns(name, files, file, reference):
    """Damage one of the files; what is read is what the naive reader finds."""
    assert answer(partial(read_patterns, name), files) is not None

    @fuzz
    @given(damaged_bytes(len(files[file])))
    def run(damage):
        changed = files | {file: damage(files[file])}
        found = answer(partial(read_patterns, name), changed)
        if found is not None:
            np.testing.assert_array_equal(found, reference(changed))

    run()


@pytest.mark.parametrize("dtype", [">u2", np.float32])
def test_numpy_files(dtype, tmp_path):
    np.save(tmp_path / "a.npy", patterns().astype(dtype))
    files = {"a.npy": (tmp_path / "a.npy").read_bytes()}
    check_patterns("a.npy", files, "a.npy", lambda changed: naive.npy(changed["a.npy"]))


@pytest.mark.parametrize("file", ["zarr.json", "c/0/0/0/0", "c/1/0/0/0"])
def test_zarr_stores(file, tmp_path):
    zarr.create_array(
        tmp_path / "a", data=patterns(np.int32), chunks=(1, 3, 5, 5), compressors=None
    )
    files = {str(path.relative_to(tmp_path)): path.read_bytes()
             for path in (tmp_path / "a").rglob("*") if path.is_file()}  # fmt: skip

    def reference(changed):
        chunks = {name.removeprefix("a/"): data for name, data in changed.items()}
        return naive.zarr_array(changed["a/zarr.json"], chunks)

    check_patterns("a", files, f"a/{file}", reference)


@pytest.mark.parametrize("options", [{}, {"chunks": (1, 1, 5, 5), "compression": "gzip"}])
def test_hdf5_files_without_checksums(options, tmp_path):
    """What is not refused is what h5py itself reads."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("some/where", data=patterns(), **options)
    files = {"a.h5": (tmp_path / "a.h5").read_bytes()}

    def reference(changed):
        (tmp_path / "b.h5").write_bytes(changed["a.h5"])
        with h5py.File(tmp_path / "b.h5") as file:
            item = file
            while not hasattr(item, "shape"):
                (item,) = item.values()
            return item[()]

    check_patterns("a.h5", files, "a.h5", reference)
