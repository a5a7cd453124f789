"""Reading measurements and comparing models with them."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from glassnb.core.files import read
from glassnb.scattering import first_sharp_diffraction_peak, r_factor, read_experiment
from glassnb.scattering import structure_factor as model_of
from glassnb.scattering.experiment import fetch_experiment
from glassnb.scattering.pair_function import read_pair_function

SAMPLES = Path(__file__).parent / "data"

Q = np.arange(0.5, 10.0, 0.1)
S = 1 + 0.5 * np.exp(-((Q - 1.5) ** 2) / 0.1)


def write_table(path, columns, header="# Q S\n", separator="  "):
    rows = [separator.join(f"{x:.6f}" for x in row) for row in zip(*columns, strict=True)]
    path.write_text(header + "\n".join(rows) + "\n")
    return path


def test_measured_silica(shared_data):
    """NIMROD: Q1 = 1.475, S = 1.44 (facts/models.md 2); against the reverse Monte Carlo model
    RMS dS = 0.051 for 0.6 < Q < 20 (facts/diffraction.md 2)."""
    path = shared_data / "models" / "SiO2_NIMROD.mint01"
    with pytest.warns(
        UserWarning, match=r"SiO2_NIMROD\.mint01: 2 rows at the ends .*Q = 49\.975, 50"
    ):
        data = read_experiment(path, convention="F", composition="SiO2")
    peak = first_sharp_diffraction_peak(data)
    assert peak.position == pytest.approx(1.475, abs=0.01)
    assert peak.height == pytest.approx(1.44, abs=0.01)
    assert data.sigma is not None
    assert (data.sigma > 0).all()
    assert data.total[data.q > 40].mean() == pytest.approx(1.0, abs=0.01)
    atoms = read(shared_data / "models" / "sova_sio.cfg", species=("Si", "O"))
    model = model_of(atoms, np.arange(0.4, 21, 0.02))
    use = (data.q > 0.6) & (data.q < 20)
    rms = np.sqrt(np.mean((np.interp(data.q[use], model.q, model.total) - data.total[use]) ** 2))
    assert rms == pytest.approx(0.051, abs=0.005)
    assert 0.1 < r_factor(model, data, (0.6, 20)) < 0.4


@pytest.mark.parametrize(
    ("convention", "values"),
    [
        ("S", S),
        ("S(Q)", S),
        ("i(Q)", S - 1),
        ("S-1", S - 1),
        ("Q(S-1)", Q * (S - 1)),
        ("F", 0.27586 * (S - 1)),
    ],
)
def test_conventions_lead_to_the_same_curve(tmp_path, convention, values):
    path = write_table(tmp_path / "s.dat", (Q, values))
    data = read_experiment(path, convention, composition="SiO2")
    np.testing.assert_allclose(data.total, S, atol=1e-3)
    assert "read as" in data.source


def test_separators_headers_and_errors_column(tmp_path):
    path = write_table(
        tmp_path / "s.csv", (Q, S, 0.01 * S), header="silica, 300 K\n95\nQ,S,err\n", separator=","
    )
    data = read_experiment(path)
    np.testing.assert_allclose(data.sigma, 0.01 * S, atol=1e-5)
    assert list(data.to_frame().columns) == ["q", "total", "sigma"]
    assert data.plot().get_ylabel()


def test_r_factor_of_itself_and_of_nothing(tmp_path):
    data = read_experiment(write_table(tmp_path / "s.dat", (Q, S)))
    assert r_factor(data, data) == 0
    flat = read_experiment(write_table(tmp_path / "f.dat", (Q, np.ones_like(Q))))
    assert r_factor(flat, data) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="share 0 points"):
        r_factor(data, data, (20, 30))
    x_ray = read_experiment(tmp_path / "s.dat", radiation="x-ray")
    with pytest.raises(ValueError, match="as_radiation"):
        r_factor(data, x_ray)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found 0"),
        ("no numbers here\n", "found 0"),
        ("1.0 1.0\n1.1 oops\n", "line 2: expected two or three numbers"),
        ("1.0 1.0\n1.1 1.0 0.1\n", "line 2: expected 2 columns"),
        ("1.0 1.0\n0.9 1.0\n", "must rise"),
        ("1.0 nan\n1.1 1.0\n", "NaN"),
        ("-1.0 1.0\n1.1 1.0\n", "Q=-1 in the first column is negative"),
        ("3\ntitle\n1.0 1.0\n1.1 1.0\n", "announces 3 points, but 2 follow"),
        ("1 2 3 4 5\n2 2 3 4 5\n", "line 1: 5 columns"),
        ("1 1\n2 1\n&\n1 1\n2 1\n&\n", "line 4: a second set"),
    ],
)
def test_bad_files_are_named(tmp_path, text, message):
    path = tmp_path / "bad.dat"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_experiment(path)
    assert "bad.dat" in str(error.value)


def test_bad_options_are_named(tmp_path):
    path = write_table(tmp_path / "s.dat", (Q, S))
    with pytest.raises(ValueError, match="convention='T'"):
        read_experiment(path, "T")
    with pytest.raises(ValueError, match="composition=None"):
        read_experiment(path, "F")
    with pytest.raises(ValueError, match="composition='Si_2'"):
        read_experiment(path, "F", composition="Si_2")


# -- formats of the field ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "convention", "error"),
    [
        ("gudrun.mint01", "F", True),
        ("rmcpp.dat", "S", False),
        ("rmcprofile.dat", "S-1", False),
        ("pdfgetx3.sq", "S", False),
        ("pdfgetx3.fq", "Q(S-1)", False),
        ("columns.csv", "S", True),
        ("xmgrace.agr", "S", False),
    ],
)
def test_formats_of_the_field_lead_to_the_same_curve(name, convention, error):
    """Each sample holds 1 + 0.5 exp(-10 (Q - 1.5)²), error 0.001 S; <b>^2 rounded to 0.27586."""
    data = read_experiment(SAMPLES / name, convention, composition="SiO2")
    np.testing.assert_allclose(data.q, np.arange(1, 21) / 2)
    expected = 1 + 0.5 * np.exp(-10 * (data.q - 1.5) ** 2)
    np.testing.assert_allclose(data.total, expected, atol=1e-4)
    assert (data.sigma is not None) == error
    if error:
        np.testing.assert_allclose(data.sigma, 0.001 * expected, rtol=1e-3)


def test_f_of_pdfgetx3_is_not_the_f_of_neutrons():
    with pytest.raises(ValueError, match=r"PDFgetX3 means Q\(S-1\)"):
        read_experiment(SAMPLES / "pdfgetx3.fq", "F", composition="SiO2")


@pytest.mark.parametrize(
    ("name", "q_max", "radiation"),
    [("pdfgetx3.gr", 24.0, "x-ray"), ("pdfgui.gr", 31.4, "neutron")],
)
def test_pair_functions_know_where_their_transform_ended(name, q_max, radiation):
    """The samples hold sin(2r) exp(-r/4); the point at r = 0 says nothing and is left out."""
    data = read_pair_function(SAMPLES / name)
    assert data.radiation == radiation
    np.testing.assert_allclose(data.r, np.arange(1, 21) / 2)
    np.testing.assert_allclose(data.values, np.sin(2 * data.r) * np.exp(-data.r / 4), atol=1e-6)
    assert (data.function, data.q_max) == ("G_PDF", q_max)
    assert read_pair_function(SAMPLES / name, q_max=20.0).q_max == 20.0
    if name == "pdfgui.gr":
        np.testing.assert_array_equal(data.sigma, 0.01)
    assert list(data.to_frame().columns)[:2] == ["r", "G_PDF"]
    assert "PDF" in data.plot().get_ylabel()


def test_pair_function_options_are_named():
    with pytest.raises(ValueError, match="function='h'"):
        read_pair_function(SAMPLES / "pdfgui.gr", "h")
    with pytest.raises(ValueError, match="q_max=0"):
        read_pair_function(SAMPLES / "pdfgui.gr", q_max=0)
    with pytest.raises(ValueError, match="radiation='light'"):
        read_pair_function(SAMPLES / "pdfgui.gr", radiation="light")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2\n17\n1.0 0.5\n2.0 0.6\n", [0.5, 0.6]),  # the title is a number
        ("2\n1.5 2.5\n1.0 0.5\n2.0 0.6\n", [0.5, 0.6]),  # or two
        ("2\n1.0 0.5\n2.0 0.6\n", [0.5, 0.6]),  # no title
        ("2\ntitle\n1.0 0.5\n2.0 0.6\nparameters 1 2\n", [0.5, 0.6]),  # what follows is not data
        ("2 S\ntitle\n1.0 0.5\n2.0 0.6\n", [0.5, 0.6]),  # the kind behind the number
        ("0.1D+01 0.5D+00\n0.2D+01 0.6D+00\n", [0.5, 0.6]),  # Fortran
        ("1.0\t0.5 # first\n\n2.0\t0.6\n# end\n", [0.5, 0.6]),
        ("1.0 0.5 0\n2.0 0.6 0\n", [0.5, 0.6]),  # an empty column of errors
    ],
)
def test_titles_counts_and_comments(tmp_path, text, values):
    path = tmp_path / "data.txt"
    path.write_text(text)
    data = read_experiment(path)
    np.testing.assert_allclose(data.q, [1.0, 2.0])
    np.testing.assert_allclose(data.total, values)
    assert data.sigma is None


# -- download ------------------------------------------------------------------------------------


@pytest.fixture
def server():
    """Serve the samples on this machine, and count the requests."""
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=SAMPLES)) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


def test_a_named_file_is_fetched_once_and_checked(server, tmp_path):
    address, asked = server
    digest = hashlib.sha256((SAMPLES / "gudrun.mint01").read_bytes()).hexdigest()
    for _ in range(2):
        data = fetch_experiment(
            f"{address}/gudrun.mint01", digest, "F", composition="SiO2", folder=tmp_path
        )
    assert data.total.max() == pytest.approx(1.5, abs=1e-4)
    assert "gudrun.mint01" in data.source
    assert len(asked) == 1
    with pytest.raises(ValueError, match=r"(?i)hash"):
        fetch_experiment(f"{address}/columns.csv", digest, folder=tmp_path)
    with pytest.raises(ValueError, match="sha256='abc'"):
        fetch_experiment(f"{address}/columns.csv", "abc")
    with pytest.raises(OSError, match="404"):
        fetch_experiment(f"{address}/absent.dat", digest, folder=tmp_path)
