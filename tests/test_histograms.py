"""Pair histograms: both kernels against plain loops and against SOVA's compiled histogram."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import histogram
from test_neighbours import random_structure

from glassnb.core import half_box, pair_histogram
from glassnb.core.files import read
from glassnb.core.jit import serial_kernels


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0.1, 3.0))
def test_equals_plain_loops_within_and_beyond_half_the_box(seed, share):
    atoms = random_structure(seed, n_atoms=10, size=5.0)
    r_max = share * half_box(atoms)
    symbols, counts = pair_histogram(atoms, r_max, 37)
    assert np.abs(counts - histogram(atoms, r_max, 37, list(symbols))).sum() <= 2  # bin edges


def test_short_range_and_all_pairs_agree_in_a_large_model():
    atoms = random_structure(1, n_atoms=1500, size=30.0)
    half = half_box(atoms)
    _, long = pair_histogram(atoms, half, 400)
    _, short = pair_histogram(atoms, half / 4, 100)
    assert np.abs(long[..., :100] - short).sum() <= 4


def test_threads_change_nothing():
    atoms = random_structure(2, n_atoms=1200, size=25.0)
    for share in (0.2, 1.0):
        threaded = pair_histogram(atoms, share * half_box(atoms), 100)[1]
        with serial_kernels():
            serial = pair_histogram(atoms, share * half_box(atoms), 100)[1]
        np.testing.assert_array_equal(threaded, serial)


@pytest.mark.filterwarnings("ignore")  # SOVA takes its own warnings for errors
def test_equals_sova(shared_data):
    """SOVA counts each pair once in bins centred on multiples of dr; ours are half as wide."""
    from sovapy.computation.structure_factor import atom_pair_hist
    from sovapy.core.file import File

    path = shared_data / "rings" / "sova_a_SiO2_speed1e11K.xyz"
    theirs = File.open(str(path)).get_atoms()
    dr = 0.05
    r, expected = atom_pair_hist(theirs, dr)
    symbols, counts = pair_histogram(read(path), (r.size - 0.5) * dr, 2 * r.size - 1)
    merged = counts[..., 1::2] + counts[..., 2::2]  # bin i of SOVA, i = 1, 2, ...
    for k, (a, b) in enumerate(theirs.pairs):
        i, j = symbols.index(a.capitalize()), symbols.index(b.capitalize())
        ours = merged[i, j] / (2 if i == j else 1)
        # all but the last bin, which ends beyond half the box; rounding moves pairs at bin edges
        assert np.abs(ours[:-1] - expected[1:-1, k]).sum() <= 1e-3 * expected[:, k].sum()


@pytest.mark.parametrize(
    ("r_max", "bins", "message"),
    [(-1, 10, "r_max=-1"), (5.0, 0, "n_bins=0"), (float("inf"), 5, "r_max=inf")],
)
def test_bad_input_is_named(r_max, bins, message):
    with pytest.raises(ValueError, match=message):
        pair_histogram(random_structure(0), r_max, bins)
