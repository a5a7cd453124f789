"""What is asked with arguments that mean nothing is refused or warned of, by name."""

import warnings

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
