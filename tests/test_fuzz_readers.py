"""Damaged files of data: the rows that a naive reader finds in them, or an error that names them.

GLASSNB_FUZZ=500 asks for as many damaged files of each kind; a short run takes 20, always the same.
"""

import re
import tempfile
from pathlib import Path

import naive
import numpy as np
import pytest
from hypothesis import given
from mutations import damaged, fuzz, limited

from glassnb.scattering import read_experiment
from glassnb.scattering.pair_function import read_pair_function

SAMPLES = Path(__file__).parent / "data"
TEXTS = {path.name: path.read_text() for path in SAMPLES.glob("*.*") if path.suffix != ".npz"}
S_OF_Q = [TEXTS[name] for name in ("rmcpp.dat", "columns.csv", "xmgrace.agr", "pdfgetx3.sq")]
DIFFERENCES = [TEXTS["rmcprofile.dat"], TEXTS["gudrun.mint01"]]
PAIR_FUNCTIONS = [TEXTS["pdfgetx3.gr"], TEXTS["pdfgui.gr"]]
DECIMAL_COMMAS = [
    "Q;S(Q);error\n"
    + "".join(f"{q / 2};{1 + 1 / q:.4f};0.01\n" for q in range(1, 12)).replace(".", ","),
    "".join(f"{q / 2}\t{1 + 1 / q:.4f}\n" for q in range(1, 12)).replace(".", ","),
]


def answer(read, name, data):
    """What a reader makes of bytes: a result with warnings, or an error that names the file."""
    refused = None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            with limited() as caught:
                return read(path), [str(warning.message) for warning in caught]
        except ValueError as error:
            refused = str(error)
    assert name in refused, data
    return None, [refused]


def check(read, data, x, offset=0.0, plain=None):
    """Compare with the naive reader of the text, or of a plain spelling of it."""
    found, words = answer(read, "damaged.dat", data)
    if found is None:
        return "refused"
    rows = naive.columns(plain or data)
    table = np.array([numbers for _, numbers in rows])[:, [0, 1, -1]]
    used = np.isfinite(table if found.sigma is not None else table[:, :2]).all(axis=1)
    if found.sigma is not None:  # no function and no error at an end: not measured
        filled = [k for k, (_, y, error) in enumerate(table) if used[k] and (y or error)]
        ends = range(filled[0], filled[-1] + 1)
        measured = np.array([k in ends for k in range(len(used))])
        table = table[used & measured & (table[:, 0] != 0)]
    else:
        table = table[used & (table[:, 0] != 0)]
    np.testing.assert_allclose(getattr(found, x), table[:, 0], rtol=1e-12, err_msg=repr(data))
    values = found.values if x == "r" else found.total - offset
    np.testing.assert_allclose(values, table[:, 1], atol=1e-12, err_msg=repr(data))
    if found.sigma is not None:
        np.testing.assert_allclose(found.sigma, table[:, 2], rtol=1e-12, err_msg=repr(data))
    left_out = [line for (line, _), good in zip(rows, used, strict=True) if not good]
    told = [word for word in words if "left out (line" in word and "damaged.dat" in word]
    assert bool(left_out) == bool(told), data
    for line in left_out[:10]:
        assert re.search(rf"\b{line}\b", told[0])
    return "read"


@fuzz
@given(damaged(S_OF_Q))
def test_structure_factors(data):
    check(read_experiment, data, "q")


@fuzz
@given(damaged(DIFFERENCES))
def test_differences(data):
    check(lambda path: read_experiment(path, "S-1"), data, "q", 1.0)


@fuzz
@given(damaged(PAIR_FUNCTIONS))
def test_pair_functions(data):
    data = data.replace(b"#### start data", b"#")  # settings are for another reader
    text = data.decode("latin-1")
    data = text[text.find("#S 1") :].encode("latin-1")
    check(read_pair_function, data, "r")


@pytest.mark.parametrize("text", [*S_OF_Q, *DIFFERENCES])
def test_intact_files_are_read(text):
    convention, offset = ("S-1", 1.0) if text in DIFFERENCES else ("S", 0.0)
    assert check(lambda p: read_experiment(p, convention), text.encode(), "q", offset) == "read"


@fuzz
@given(damaged(DECIMAL_COMMAS))
def test_decimal_commas_are_never_columns(data):
    points = re.sub(rb",(?=\s|$)", b"", data).replace(b",", b".")
    check(read_experiment, data, "q", plain=points)
