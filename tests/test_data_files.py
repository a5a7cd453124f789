"""Text files of data, program by program, and what they must not be mistaken for."""

import numpy as np
import pytest

from glassnb.scattering import read_experiment, structure_factor
from glassnb.scattering.pair_function import read_pair_function
from glassnb.scattering.weights import neutron_scattering_length

# What the files hold: one peak, or a damped wave, with errors.
Q = np.arange(1, 21) / 2
S = 1 + 0.5 * np.exp(-10 * (Q - 1.5) ** 2)
R = np.arange(1, 21) / 2
G = np.sin(2 * R) * np.exp(-R / 4)
ERROR = np.full(20, 0.002)


def rows(*columns, form="{:.6f}", separator=" "):
    return "".join(separator.join(form.format(x) for x in row) + "\n"
                   for row in zip(*columns, strict=True))  # fmt: skip


def saved(tmp_path, content, name="data.txt"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


FORTRAN = rows(Q, 0.27586 * (S - 1), ERROR, form="  {:.7E}")
S_FILES = {
    "gudrun": ("a.mint01", "# RUN01.mint01 \n# sample \n#     1    20\n#    10\n" + FORTRAN, "F"),
    "RMC++": ("a.dat", "20\n 300 K, S(Q)\n" + rows(Q, S), "S"),
    "RMCProfile": ("a.dat", "  20\n2026\n" + rows(Q, S - 1), "S-1"),
    "RMCProfile, kind behind the number": ("a.sq", "20 S(Q)\nsilica\n" + rows(Q, S), "S"),
    "PDFgetN": ("a.sq", "#S 1\n#L Q S(Q) dQ dS(Q)\n" + rows(Q, S, 0 * Q, ERROR), "S"),
    "PDFgetX3": ("a.fq", "[DEFAULT]\ndataformat = Qnm\nqmax = 24\n#### start data\n#S 1\n"
                 "#L Q(Å$^{-1}$)  F(Å$^{-1}$)\n" + rows(Q, Q * (S - 1)), "Q(S-1)"),
    "GSAS-II": ("a.sq", "#T S(Q) PDF silica\n#L Q     S(Q)\n" + rows(Q, S, form="{:15.6g}"), "S"),
    "GSAS-II for RMCProfile": ("a.fq", f"{20:20d}\nsilica.fq\n" + rows(Q, S - 1), "S-1"),
    "Mantid SaveAscii": ("a.txt", "# X , Y , E\n1\n" + rows(Q, S, ERROR, separator=","), "S"),
    "Mantid SaveAscii, resolution": (
        "a.txt", "# X , Y , E , DX\n1\n" + rows(Q, S, ERROR, 0 * Q + 0.1, separator=", "), "S"),
    "LiquidDiffract": ("a_SQ.dat", "#Refined S(Q)\n#LiquidDiffract v1\n#S(Q) = i(Q) + S_inf\n"
                       "#Q|S(Q)\n" + rows(Q, S, form="{:.18e}"), "S"),
    "Fit2D": ("a.chi", "a.chi\nQ (Inverse Nanometres)\nIntensity\n    20\n" + rows(10 * Q, S), "S"),
    "pyFAI": ("a.dat", "# == pyFAI calibration ==\n# Distance Sample to Detector: 0.2 m\n"
              "# Wavelength: 1.6e-11m\n# --> a.dat\n#       q_nm^-1              I\n"
              + rows(10 * Q, S, form="{:14.6e}"), "S"),
    "Dioptas": ("a.xy", "# Dioptas\n# Wavelength: 0.3344 A\n# q_A^-1\t I\n" + rows(Q, S), "S"),
    "SasView": ("a.txt", "<Q>\t<I>\t<dI>\t<dQ>\n" + rows(Q, S, ERROR, 0 * Q + 0.1), "S"),
    "xmgrace": ("a.agr", '@version 50125\n@    xaxis  label "Q (nm\\S-1\\N)"\n@target G0.S0\n'
                "@type xy\n" + rows(10 * Q, S) + "&\n", "S"),
    "Origin": ("a.txt", "Q\tS(Q)\tError\n1/nm\t\t\n" + rows(10 * Q, S, ERROR, separator="\t"), "S"),
    "a spreadsheet": ("a.csv", "Q (1/A),S(Q),error\n" + rows(Q, S, ERROR, separator=","), "S"),
    "a spreadsheet with decimal commas": (
        "a.csv", "Q;S(Q);Fehler err\n" + rows(Q, S, ERROR, separator=";").replace(".", ","), "S"),
    "decimal commas and tabs": ("a.txt", rows(Q, S, separator="\t").replace(".", ","), "S"),
    "decimal commas and blanks": ("a.txt", rows(Q, S, ERROR).replace(".", ","), "S"),
    "Excel's Unicode text": (
        "a.txt", ("Q\tS\n" + rows(Q, S, separator="\t")).encode("utf-16"), "S"),
    "Notepad": ("a.txt", ("\ufeff" + rows(Q, S).replace("\n", "\r\n")).encode(), "S"),
    "Latin-1": ("a.txt", ("# Q (Å-1)  S, échantillon\n" + rows(Q, S)).encode("latin-1"), "S"),
    "pandas with its index": (
        "a.csv", ",q,total,sigma\n" + "".join(
            f"{k},{line}\n"
            for k, line in enumerate(rows(Q, S, ERROR, separator=",").splitlines())
        ), "S"),
    "pandas as text": (
        "a.txt", "      q  total\n" + "".join(
            f"{k:2d} {line}\n" for k, line in enumerate(rows(Q, S).splitlines())), "S"),
    "Fortran without E": (
        "a.txt", "".join(f" {q:.4f}+000 {s * 1e-100:.6e}\n".replace("e-", "-")
                         for q, s in zip(Q, 1e100 * S, strict=True)), "S"),
}  # fmt: skip
WITH_ERRORS = {
    "gudrun", "PDFgetN", "Mantid SaveAscii", "Mantid SaveAscii, resolution", "SasView", "Origin",
    "a spreadsheet", "a spreadsheet with decimal commas", "decimal commas and blanks",
    "pandas with its index",
}  # fmt: skip


@pytest.mark.parametrize("program", S_FILES)
def test_structure_factors_of_the_table(tmp_path, program):
    """Every file holds the same curve; silica's <b>^2 is 0.27586 barn."""
    name, text, convention = S_FILES[program]
    data = read_experiment(saved(tmp_path, text, name), convention, composition="SiO2")
    np.testing.assert_allclose(data.q, Q)
    np.testing.assert_allclose(data.total, S, atol=1e-4)
    assert (data.sigma is not None) == (program in WITH_ERRORS)
    if data.sigma is not None:
        factor = 1 / 0.27586 if convention == "F" else 1
        np.testing.assert_allclose(data.sigma, ERROR * factor, rtol=1e-3)
    assert ("converted" in data.source) == ("nm" in str(text) and convention != "Q(S-1)"
                                            or "Nanometres" in str(text))  # fmt: skip


PAIR_FILES = {
    "PDFgetX3": "qmax = 24.0\n#### start data\n#S 1\n#L r(Å)  G(Å$^{-2}$)\n0 0\n" + rows(R, G),
    "PDFgetN": "#S 1 - PDF from PDFgetN\n#L r G(r) dr dG(r)\n" + rows(R, G, 0 * R, ERROR),
    "Mantid": "#Comment: neutron, Qmin=0.9, Qmax=24.0, Ei=0\n##### start data\n"
    "#S 1 - PDF from Mantid\n#L r G(r) dr dG(r)\n" + rows(R, G, 0 * R, ERROR),
    "GSAS-II": "#T G(R) silica\n#L R     G(R)\n" + rows(R, G),
    "nm": "r (nm)  G (nm^-2)\n" + rows(R / 10, 100 * G),
    "xmgrace": '@ xaxis label "r (Å)"\n' + rows(R, G),
}


@pytest.mark.parametrize("program", PAIR_FILES)
def test_pair_functions_of_the_table(tmp_path, program):
    text = PAIR_FILES[program]
    data = read_pair_function(saved(tmp_path, text))
    np.testing.assert_allclose(data.r, R)
    np.testing.assert_allclose(data.values, G, atol=1e-4 if program == "nm" else 1e-6)
    assert data.q_max == (24.0 if "max" in text else None)
    assert (data.sigma is not None) == (program in ("PDFgetN", "Mantid"))


# -- what is refused, and why --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2theta  Intensity\n", "the scattering angle"),
        ("# 2th_deg I\n", "the scattering angle"),
        ("a.chi\n2-Theta Angle (Degrees)\nIntensity\n  20\n", "the scattering angle"),
        ("2θ\tI\n", "the scattering angle"),
        ("d-spacing (A) I\n", "a spacing d"),
        ("# d I(d)\n", "a spacing d"),
        ("s = sin(theta)/lambda  I\n", "sin"),
        ("# s (A^-1) I\n", "k = Q / 2 pi"),
        ("TOF Y\n", "a time of flight"),
        ("Energy  Counts\n", "an energy"),
        ("r g(r)\n", "read_pair_function"),
        ("Q (nm) S\n", "in 'nm'"),
        ("Q (deg) S\n", "in 'deg'"),
        ("Q (cm^-1) S\n", "in cm"),
        ("# Q (1/nm) S(Q)\n# Q in A^-1\n", "and"),
    ],
)
def test_other_quantities_and_units_are_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as error:
        read_experiment(saved(tmp_path, text + rows(Q, S)))
    assert "header" in str(error.value)
    assert "data.txt" in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,5,1,2\n1,0,1,1\n1,5,1,0\n", "line 1: in '0,5,1,2' a comma may part columns or"),
        ("1,234 1.5\n2,345 1.2\n", "line 1: in '1,234' the comma may part thousands"),
        ("1,234 1,500\n2,345 1,200\n", "line 1: in '1,234' the comma"),
        ("0.5;1,200.3\n1.0;1,100.1\n", "line 1: in '1,200.3' the comma"),
        ("0.5 1,2\n1.0 1.1\n", "line 1: in '1,2' the comma"),
        ("0.5 1.2\n1.0 1.1\n1.5\n", "line 3: expected two or three numbers, found '1.5'"),
        ("0.5 1.2\n1.0 1_1\n", "line 2: expected two or three numbers"),
        ("0.5 text\n1.0 1.1\n1.5 1.0\n", "line 1: '0.5 text' is neither a row"),
        ("text 1.2\n1.0 1.1\n1.5 1.0\n", "line 1: 'text 1.2' is neither a row"),
        ("2\n0.5 1.2\n1.0 1.1\n1.5 1.0\n", "announces 2 points, but 3 follow"),
        ("2\ntitle\n0.5 1.2\n1.0 1.1\n1.5 1.0\n", "line 5: a row beyond the 2 points"),
        ("3\ntitle\n0.5 1.2\n1.0 1.1\n", "announces 3 points, but 2 follow"),
        ("0.5 1.2\n1.0 1.1\n1.0 1.1\n", "line 3: Q in the first column must rise .*1 follows 1"),
        ("1.0 1.2\n0.5 1.1\n", "line 2: Q in the first column must rise"),
        ("0.5 1.2\n0 1.1\n1.0 1.1\n", "line 2: Q in the first column must rise"),
        ("0.5 1.2 0.1\n1.0 1.1 -0.1\n", "line 2: -0.1 in the last column is no error"),
        ("1 0.5 1.2\n2 1.0 1.1\n3 1.5 1.0\n", "the first column counts the rows"),
        ("0 0.5 1.2 0.1\n1 1.0 1.1 0.1\n2 1.5 1.0 0.1\n", "the first column counts the rows"),
        ("Q S(Q) fit\n0.5 1.2 1.2\n1.0 1.1 1.1\n", "further columns 'fit'"),
        ("#Q|S(Q)|i(Q)*M(Q)\n0.5 1.2 1.2\n1.0 1.1 1.1\n", r"further columns 'i\(q\)\*m\(q\)'"),
        ("q I_exp sigma I_fit\n" + "0.5 1 1 1\n1.0 1 1 1\n", "the functions 'i_exp', 'i_fit'"),
        ("1.0 nan\n1.1 1.0\n", "found 1, and 1 with NaN"),
        ("0 0\n1.0 1.0\n", "found 1"),
        ("@type xy\n1 1\n2 1\n&\n3 1\n", "line 5: a second set"),
        (b"\x1f\x8b\x08\x00\x00", "line 1: expected text"),
        ("Q S\n0.5 1.2\n1.0 1.1\n".encode("utf-16-le"), "line 1: expected text"),
        (b"\xff\xfe0\x00.\x005", "expected text in utf-16-le"),
        ("r (nm)  G\n0.1 1.2\n0.2 1.1\n", None),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(tmp_path, text, message):
    read = read_experiment if message else read_pair_function
    with pytest.raises(ValueError, match=message or "does not say the unit of G_PDF") as error:
        read(saved(tmp_path, text))
    assert "data.txt" in str(error.value)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.dat"):
        read_experiment(tmp_path / "absent.dat")
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_experiment(tmp_path)


@pytest.mark.parametrize(
    "word",
    ["nan", "NaN", "-nan(ind)", "1.#QNAN", "-1.#IND", "1.#INF", "inf", "-Infinity", "*****",
     "1e999", "#N/A", "n/a", "null", "--"],
)  # fmt: skip
@pytest.mark.parametrize("column", [0, 1, 2])
def test_rows_without_numbers_are_left_out_and_told(tmp_path, word, column):
    lines = [line.split(",") for line in rows(Q, S, ERROR, separator=",").splitlines()]
    for k in (3, 10):
        lines[k][column] = word
    path = saved(tmp_path, "".join(",".join(line) + "\n" for line in lines))
    with pytest.warns(UserWarning, match=r"data\.txt: 2 of 20 rows .*\(line 4, 11\)") as caught:
        data = read_experiment(path)
    assert caught[0].filename == __file__
    keep = np.delete(np.arange(20), [3, 10])
    np.testing.assert_allclose(data.q, Q[keep])
    np.testing.assert_allclose(data.total, S[keep], atol=1e-6)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("Qmax = 2.4e1", 24), ("qmax=24.0", 24), ("QMAX: 24", 24), ("Qmax=24,5, Ei=0", 24.5),
     ("qmax = 240 nm^-1", 24), ("qmax = 24 1/A", 24), ("qmax = auto", None),
     ("qmaxinst = 24", None), ("qmax = 2.4D+01", 24)],
)  # fmt: skip
def test_settings_are_whole_numbers_with_units(tmp_path, setting, value):
    path = saved(tmp_path, f"# {setting}\n# r(A) G(A^-2)\n" + rows(R, G))
    assert read_pair_function(path).q_max == value


# -- the tail ------------------------------------------------------------------------------------

BEGINNINGS = {"S": 1.0, "S-1": 0.0, "Q(S-1)": 0.0, "F": 0.0}


def in_convention(q, s, convention):
    return {"S": s, "S-1": s - 1, "Q(S-1)": q * (s - 1), "F": 0.27586 * (s - 1)}[convention]


@pytest.fixture(scope="module")
def nimrod(shared_data):
    """Measured on silica glass: Q, S and the error of S."""
    table = np.loadtxt(shared_data / "models" / "SiO2_NIMROD.mint01")[1:]
    return table[:, 0], 1 + table[:, 1] / 0.27586


@pytest.mark.parametrize("q_max", [8, 10, 20, 50])
@pytest.mark.parametrize("held", BEGINNINGS)
@pytest.mark.parametrize("read_as", BEGINNINGS)
def test_the_tail_of_measured_data_tells_the_convention(tmp_path, nimrod, q_max, held, read_as):
    """S-1 and F end alike, and where S stays above zero nothing tells them apart."""
    use = nimrod[0] <= q_max
    q, s = nimrod[0][use], nimrod[1][use]
    path = saved(tmp_path, rows(q, in_convention(q, s, held)))
    if held == read_as or (held, read_as) == ("F", "S-1"):
        read_experiment(path, read_as, composition="SiO2")  # warnings are errors
        return
    with pytest.warns(UserWarning, match=r"data\.txt: convention=") as caught:
        read_experiment(path, read_as, composition="SiO2")
    words = str(caught[0].message)
    assert repr(read_as) in words
    assert held in words.split("of the conventions")[1]


def test_a_file_of_gudrun_read_as_s_names_what_fits(shared_data):
    path = shared_data / "models" / "SiO2_NIMROD.mint01"
    with (
        pytest.warns(UserWarning, match="2 rows at the ends of the table"),
        pytest.warns(UserWarning, match="S tends to 1; .* S-1 or .*composition") as caught,
    ):
        read_experiment(path)
    assert {warning.filename for warning in caught} == {__file__}


def test_a_total_with_its_self_part_fits_nothing(tmp_path, nimrod):
    """Merged cross sections of Gudrun (.mdcs01) end at the self scattering."""
    q, s = nimrod
    path = saved(tmp_path, rows(q, 0.27586 * (s - 1) + 0.35))
    with pytest.warns(UserWarning, match="F tends to 0; of the conventions none"):
        read_experiment(path, "F", composition="SiO2")


@pytest.mark.parametrize("radiation", ["neutron", "x-ray", "electron"])
def test_noise_and_short_ranges_are_no_other_convention(tmp_path, radiation):
    """No false alarm in 360 noisy curves of a glass that end anywhere between 4 and 30 Å⁻¹."""
    import glassnb as gn

    q = np.arange(0.6, 30, 0.05)
    s = structure_factor(gn.models.load("silica-pristine-648"), q, radiation=radiation).total
    rng = np.random.default_rng(0)
    for q_max in (4, 6, 8, 12, 20, 30):
        for noise in (0.0, 0.05, 0.3, 0.8):
            use = q < q_max
            grows = noise * (0.3 + (q[use] / q_max) ** 2)
            noisy = s[use] + grows * rng.normal(size=use.sum())
            for convention in ("S", "S-1", "Q(S-1)"):
                path = saved(tmp_path, rows(q[use], in_convention(q[use], noisy, convention)))
                data = read_experiment(path, convention, radiation=radiation)
                np.testing.assert_allclose(data.total, noisy, atol=3e-6)


@pytest.mark.parametrize("held", ["g", "G", "D", "T", "G_PDF"])
@pytest.mark.parametrize("read_as", ["g", "G", "D", "T", "G_PDF"])
def test_the_end_of_a_pair_function_tells_which_it_is(tmp_path, held, read_as):
    """G, D and G_PDF all end at 0."""
    import glassnb as gn

    g = gn.scattering.pair_distribution(gn.models.load("silica-pristine-648"))
    path = saved(tmp_path, rows(g.r, g.weighted(held), form="{:.8f}"))
    if held == read_as or {held, read_as} <= {"G", "D", "G_PDF"}:
        assert read_pair_function(path, read_as).function == read_as
        return
    with pytest.warns(UserWarning, match=f"function='{read_as}'") as caught:
        read_pair_function(path, read_as)
    assert held in str(caught[0].message).split("of the functions")[1]


# -- what the header states ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "radiation"),
    [
        ("[DEFAULT]\nmode = xray\n#### start data\n", "x-ray"),
        ("# mode = neutron\n", "neutron"),
        ("# Radiation: X-ray\n", "x-ray"),
        ("# stype=X  qmax=24\n", "x-ray"),
        ("# probe = electron\n", "electron"),
        ("#Comment: neutron, Qmin=0.9\n", "neutron"),
        ("#D 1 x-ray\n", "x-ray"),
        ("# Source: neutrons\n", "neutron"),
        ("# Source: N. N., group E\n", None),
        ("# mode = xtal\n", None),
        ("# data of an x-ray tube mode\n", None),
    ],
)
def test_the_radiation_is_that_of_the_header(tmp_path, header, radiation):
    for read, text in (
        (read_experiment, header + "#L Q S(Q)\n" + rows(Q, S)),
        (read_pair_function, header + "#L r G(r)\n" + rows(R, G)),
    ):
        path = saved(tmp_path, text)
        data = read(path)
        assert data.radiation == (radiation or "neutron")
        assert ("radiation of its header" in data.source) == (radiation is not None)
        assert read(path, radiation=data.radiation).radiation == data.radiation
        other = "electron" if radiation != "electron" else "x-ray"
        if radiation is None:
            assert read(path, radiation=other).radiation == other
            continue
        with pytest.warns(UserWarning, match=f"'{other}', but its header says {radiation}; ") as w:
            assert read(path, radiation=other).radiation == other
        assert "data.txt" in str(w[0].message)
        assert w[0].filename == __file__


def test_a_header_with_two_radiations_is_refused(tmp_path):
    path = saved(tmp_path, "mode = xray\n#D 1 neutron\n" + rows(Q, S))
    with pytest.raises(ValueError, match="radiation=None, .* neutron and x-ray; give"):
        read_experiment(path)
    assert read_experiment(path, radiation="neutron").radiation == "neutron"


def test_the_composition_is_that_of_the_header(tmp_path):
    """<b>^2 of GeSe2: ((8.185 + 2 * 7.970) / 3 fm)^2 = 0.64642 barn, of the table of Sears."""
    text = "mode = neutron\ncomposition = {}\n" + rows(Q, 0.64642 * (S - 1))
    path = saved(tmp_path, text.format("GeSe2"))
    data = read_experiment(path, "F")
    np.testing.assert_allclose(data.total, S, atol=1e-3)
    assert "composition GeSe2 of its header" in data.source
    read_experiment(path, "F", composition="Ge0.333Se0.667")  # warnings are errors
    gsas = saved(tmp_path, text.format("Ge 1.0 Se 2.0"), "gsas.sq")
    np.testing.assert_array_equal(read_experiment(gsas, "F").total, data.total)
    with pytest.warns(UserWarning, match="composition='SiO2', but its header says 'GeSe2'"):
        read_experiment(path, "F", composition="SiO2")
    path = saved(tmp_path, text.format("sample_7"))
    with pytest.raises(ValueError, match=r"data\.txt: composition=None, .*'sample_7'"):
        read_experiment(path, "F")
    read_experiment(path, "F", composition="GeSe2")


def test_another_output_of_pdfgetx3_is_told(tmp_path):
    path = saved(tmp_path, "outputtype = fq\n#### start data\n" + rows(Q, Q * (S - 1)))
    read_experiment(path, "Q(S-1)")
    with pytest.warns(UserWarning, match=r"convention='S-1', but .* 'outputtype = fq', .* Q\(S-1"):
        read_experiment(path, "S-1")
    path = saved(tmp_path, "outputtype = gr\n#### start data\n" + rows(R, G))
    with pytest.warns(UserWarning, match="function='G', but .*'outputtype = gr', which is G_PDF"):
        read_pair_function(path, "G(r)")


# -- errors --------------------------------------------------------------------------------------

PERCENT = [
    "Q,S(Q),err(%)\n", "Q,S(Q),error [%]\n", "Q;S(Q);Fehler in Prozent\n", "Q\tS(Q)\tdS/S (%)\n",
    "Q,S,rel. error (%)\n", "Q S(Q) err %\n", "Q\tS(Q)\tError\n1/A\t\t%\n", "# errors in percent\n",
]  # fmt: skip


@pytest.mark.parametrize("header", PERCENT)
def test_errors_in_percent_are_converted(tmp_path, header):
    data = read_experiment(saved(tmp_path, header + rows(Q, S, 0 * Q + 2.5)))
    np.testing.assert_allclose(data.sigma, [2.5 * s / 100 for s in S], rtol=1e-4)
    assert "percent" in data.source
    pair = read_pair_function(
        saved(tmp_path, header.replace("Q", "r").replace("1/A", "A") + rows(R, G, 0 * R + 2.5))
    )
    np.testing.assert_allclose(pair.sigma, [2.5 * abs(g) / 100 for g in G], atol=1e-7)


@pytest.mark.parametrize(
    "header", ["Q,S(Q),rel. error\n", "Q S relative_error\n", "Q;S;erreur relative\n", "Q,S,dS/S\n"]
)
def test_relative_errors_are_refused(tmp_path, header):
    with pytest.raises(ValueError, match=r"data\.txt: .*relative .*name them 'error \(%\)'"):
        read_experiment(saved(tmp_path, header + rows(Q, S, ERROR)))


@pytest.mark.parametrize(
    "header",
    [
        "# 20 % Na2O\nQ S error\n",
        "# 2 % error of the density\nQ S error\n",
        "# signal in %\nQ signal error\n",
    ],
)
def test_other_percent_are_no_errors(tmp_path, header):
    data = read_experiment(saved(tmp_path, header + rows(Q, S, ERROR)))
    np.testing.assert_array_equal(data.sigma, ERROR)


@pytest.mark.parametrize(
    "name",
    ["Fehler", "erreur", "esd", "std", "stderr", "uncertainty", "sigma", "d{}", "error", "err",
     "s.d.", "Unsicherheit", "incertitude", "Standardabweichung", "écart-type", "Fehler_{}"],
)  # fmt: skip
def test_errors_in_other_words(tmp_path, name):
    """Also in front of an error of x, and of the function."""
    for read, x, y, a, b in (
        (read_experiment, "Q", "S", Q, S), (read_pair_function, "r", "G", R, G),
    ):  # fmt: skip
        word = name.format(y)
        data = read(saved(tmp_path, f"{x};{y};{word}\n" + rows(a, b, ERROR, separator=";")))
        np.testing.assert_array_equal(data.sigma, ERROR)
        text = f"{x};{y};{word};d{x}\n" + rows(a, b, ERROR, 0.5 + 0 * a, separator=";")
        np.testing.assert_array_equal(read(saved(tmp_path, text)).sigma, ERROR)
        text = f"{x};{word};{y}\n" + rows(a, ERROR, b, separator=";")
        np.testing.assert_array_equal(read(saved(tmp_path, text)).sigma, ERROR)


def test_rows_that_were_not_measured_are_left_out(tmp_path):
    """Zeros at both ends, not those between, nor those of a table without errors."""
    s, error = np.concatenate([np.zeros(2), S[2:-3], np.zeros(3)]), ERROR * (Q > 1) * (Q < 8.7)
    s[7] = error[7] = 0
    path = saved(tmp_path, rows(Q, s, error))
    with pytest.warns(
        UserWarning, match=r"data\.txt: 5 rows .* 0, .*\(Q = 0\.5, 1, 9, 9\.5, 10\)"
    ) as w:
        data = read_experiment(path)
    assert w[0].filename == __file__
    np.testing.assert_array_equal(data.q, Q[2:-3])
    assert data.sigma[5] == 0
    assert len(read_experiment(saved(tmp_path, rows(Q, s))).q) == 20
    read_experiment(saved(tmp_path, "0 0 0\n" + rows(Q, S, ERROR)))  # warnings are errors


# -- quotes, units -------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", ", "])
@pytest.mark.parametrize("header", ["", '"Q","S(Q)","Fehler"\n', "Q;S(Q);Fehler\n"])
def test_quoted_decimal_commas_are_read(tmp_path, separator, header):
    """Whole numbers stand without quotes, as LibreOffice writes them."""

    def written(x):
        text = f"{x:.6f}".rstrip("0").rstrip(".").replace(".", ",")
        return f'"{text}"' if "," in text else text

    lines = [separator.join(map(written, row)) for row in zip(Q, S, ERROR, strict=True)]
    data = read_experiment(saved(tmp_path, header + "\n".join(lines)))
    np.testing.assert_allclose(data.q, Q)
    np.testing.assert_allclose(data.total, S, atol=1e-6)
    np.testing.assert_allclose(data.sigma, ERROR)
    with pytest.raises(ValueError, match="line 1: in '1,234' the comma"):
        read_experiment(saved(tmp_path, '"1,234","1,500"\n"2,345","1,200"\n'))


def test_the_minus_of_spreadsheets_is_one(tmp_path):
    path = saved(tmp_path, rows(R, G, separator="\t").replace("-", "\u2212"))
    np.testing.assert_allclose(read_pair_function(path, "D").values, G, atol=1e-6)


def test_whole_rows_between_quoted_ones(tmp_path):
    data = read_experiment(saved(tmp_path, '"0,5","1,25"\n1,2\n"1,5","0,75"\n'))
    np.testing.assert_array_equal([data.q, data.total], [[0.5, 1, 1.5], [1.25, 2, 0.75]])
    with pytest.raises(ValueError, match="line 2: expected 2 columns"):
        read_experiment(saved(tmp_path, '"0,5";"1,25"\n1,2\n"1,5";"0,75"\n'))


def test_ranges_of_another_unit_are_told(tmp_path):
    q, r = 12.5 * Q, R / 5
    for read, x, text in (
        (read_experiment, "Q", rows(q, S)),
        (read_pair_function, "r", rows(r, G)),
    ):
        end, unit = ("125 Å⁻¹", "nm^-1") if x == "Q" else ("2 Å", "nm")
        message = rf"data\.txt: {x} ends at {end}, .*'{x} \({unit}\)'".replace("^", r"\^")
        with pytest.warns(UserWarning, match=message) as caught:
            read(saved(tmp_path, text))
        assert caught[0].filename == __file__
        read(saved(tmp_path, f"# {x} ({unit.replace('nm', 'A')})\n" + text))  # warnings are errors
    np.testing.assert_allclose(
        read_experiment(saved(tmp_path, "Q (nm^-1) S\n" + rows(q, S))).q, q / 10
    )


@pytest.mark.parametrize(
    "name",
    ["Beugungswinkel", "Winkel", "Streuwinkel (Grad)", "angle", "Scattering angle", "Angle (deg)",
     "angle de diffraction", "ángulo", "Angolo"],
)  # fmt: skip
@pytest.mark.parametrize("function", ["Intensity", "Intensität", "S(Q)"])
def test_angles_in_other_words_are_refused(tmp_path, name, function):
    with pytest.raises(ValueError, match="the scattering angle"):
        read_experiment(saved(tmp_path, f"{name}\t{function}\n" + rows(Q, S, separator="\t")))


@pytest.mark.parametrize("function", ["g", "G", "D", "T", "G_PDF"])
def test_pair_functions_are_understood_with_their_argument(tmp_path, function):
    held = {"g": 1 + G, "T": R}.get(function, G)
    path = saved(tmp_path, rows(R, held))
    for name in (f"{function}(r)", f"{function} (r)"):
        assert read_pair_function(path, name).function == function


def test_formulas_and_isotopes_are_told_apart(tmp_path):
    """Lengths of the table of Sears in fm: Ni 10.3, Ni-62 -8.7, D 6.671, O 5.803."""
    path = saved(tmp_path, rows(Q, S - 1))
    lengths = {"Ni62": 10.3, "[62Ni]": -8.7, "2H2O": (2 * 6.671 + 5.803) / 3}
    for formula, length in lengths.items():
        total = read_experiment(path, "F", composition=formula).total
        np.testing.assert_allclose(total, 1 + (S - 1) / (length**2 / 100), rtol=2e-3)
    with pytest.raises(ValueError, match='species \'Ni58\' .* "Ni-58" or "58Ni"'):
        neutron_scattering_length("Ni58")
