"""What is asked with arguments that mean nothing is refused or warned of, by name."""

import warnings

import glassnb_widgets
import numpy as np
import pytest

import glassnb as gn

PAPER = {"Si": 0.375, "O": 1.275}  # Å, Y. Hiraoka et al., PNAS 113, 7035 (2016)


@pytest.mark.parametrize("radii", [{"Si": 1.1, "O": 1.1}, {"Si": 0.0, "O": 1.2}])
def test_named_regions_of_other_radii(radii):
    quartz = gn.models.crystal("alpha-quartz", 2)
    diagrams = gn.topology.persistence(quartz, radii=radii)
    words = rf"name_or_box='C_P'.*{PAPER['Si']}.*{PAPER['O']}.*'Si': {radii['Si']}.*birth"
    with pytest.warns(UserWarning, match=words) as caught:
        diagrams.region("C_P")
    assert caught[0].filename == __file__
    diagrams.region((0, 0.08, 0.5, 9))  # numbers are the user's own


@pytest.mark.parametrize("radii", [PAPER, {"Si": 0.3, "O": 1.31}, "pdf"])
def test_named_regions_of_radii_nearby(radii):
    glass = gn.models.load("silica-pristine-648")
    diagrams = gn.topology.persistence(glass, radii=radii)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert diagrams.region("C_P").size


def test_widgets_say_what_they_show():
    """A structure where a refinement is meant, a number where rings are."""
    quartz = gn.models.crystal("alpha-quartz", 2)
    for given in (quartz, None, 5):
        kind = type(given).__name__
        with pytest.raises(ValueError, match=rf"rmc={kind}: must be a ReverseMonteCarlo"):
            glassnb_widgets.RefinementMonitor(given)
    for rings in (5, [1, 2]):
        with pytest.raises(ValueError, match=r"rings=.*must be a Rings.*max_size"):
            glassnb_widgets.RingInspector(quartz, rings)


def test_temperatures_and_errors_of_refinements():
    quartz = gn.models.crystal("alpha-quartz", 2)
    measured = gn.scattering.structure_factor(quartz, np.arange(1.6, 10.0, 0.1), r_max=4.0)
    rmc = gn.models.ReverseMonteCarlo(quartz, [measured])
    for temperature in ((1, 0.5, 0.1), (), "hot", [[1, 2]], None):
        with pytest.raises(ValueError, match=r"temperature=.*: must be"):
            rmc.run(10, temperature=temperature)
    for sigma in (1e-200, np.where(measured.q > 9, 1e-300, 1.0)):
        data = gn.models.StructureFactorData(measured.q, measured.total, sigma=sigma)
        with pytest.raises(ValueError, match=r"sigma=1e-[23]00: .*rounding.*at least.*leave"):
            gn.models.ReverseMonteCarlo(quartz, [data])


@pytest.mark.parametrize("word", ["no", "False", 2, None])
def test_switches_are_true_or_false(word):
    glass = gn.models.load("silica-pristine-648")
    for call, name in (
        (lambda: gn.models.densify(glass, 1.0, 300.0, release=word), "release"),
        (lambda: gn.models.densify(glass, 1.0, 300.0, minimise=word), "minimise"),
        (lambda: gn.models.melt_quench(648, minimise=word), "minimise"),
        (lambda: gn.models.melt_quench(24, small_box=word), "small_box"),
        (lambda: gn.network.cavities(glass, snap=word), "snap"),
    ):
        with pytest.raises(ValueError, match=rf"{name}={word!r}: must be True or False"):
            call()
