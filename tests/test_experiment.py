"""Reading measurements and comparing models with them."""

import numpy as np
import pytest

from glassnb.core.files import read
from glassnb.scattering import first_sharp_diffraction_peak, r_factor, read_experiment
from glassnb.scattering import structure_factor as model_of

Q = np.arange(0.5, 10.0, 0.1)
S = 1 + 0.5 * np.exp(-((Q - 1.5) ** 2) / 0.1)


def write_table(path, columns, header="# Q S\n", separator="  "):
    rows = [separator.join(f"{x:.6f}" for x in row) for row in zip(*columns, strict=True)]
    path.write_text(header + "\n".join(rows) + "\n")
    return path


def test_measured_silica(shared_data):
    """NIMROD: Q1 = 1.475, S = 1.44 (facts/models.md 2); against the reverse Monte Carlo model
    RMS dS = 0.051 for 0.6 < Q < 20 (facts/diffraction.md 2)."""
    data = read_experiment(
        shared_data / "models" / "SiO2_NIMROD.mint01", convention="F", composition="SiO2"
    )
    peak = first_sharp_diffraction_peak(data)
    assert peak.position == pytest.approx(1.475, abs=0.01)
    assert peak.height == pytest.approx(1.44, abs=0.01)
    assert data.sigma is not None
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
