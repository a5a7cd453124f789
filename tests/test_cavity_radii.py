"""Which cutoff radii cavities use where none are given, and that the result says whose they are."""

import contextlib

import numpy as np
import pytest
from ase.build import bulk

import glassnb as gn
from glassnb.network import cavities


def test_silica_has_the_radius_of_the_papers_on_silica():
    glass = gn.models.load("silica-pristine-648")
    found = cavities(glass, resolution=32)
    assert found.radii == {"Si": 2.5, "O": 2.5}
    assert "silica glass" in found.source
    assert "papers on its cavities" in found.source
    given = cavities(glass, radii=2.5, resolution=32)
    np.testing.assert_array_equal(found.labels, given.labels)
    assert given.source == "given"
    assert "radii Si 2.5, O 2.5 Å: Si, O as for silica glass" in repr(found)
    assert found.to_frame().attrs["source"] == found.source
    label = found.plot().get_legend().get_texts()[0].get_text()
    assert "cutoff 2.5 Å from Si, O" in label
    assert found.plot().get_ylabel() == "cavities in the cell"


def test_others_have_that_of_pymoldyn():
    theirs = 2.8
    with contextlib.suppress(ImportError):
        from sovapy.config.configuration import Configuration

        theirs = Configuration.Computation().std_cutoff_radius
    found = cavities(bulk("GeTe", "rocksalt", a=6.0) * 2, resolution=32)
    assert found.radii == {"Te": theirs, "Ge": theirs}
    assert "pyMolDyn and SOVA" in found.source
    salt = cavities(bulk("NaO", "rocksalt", a=6.0), resolution=16)
    assert salt.radii == {"Na": theirs, "O": 2.5}
    assert "O as for silica glass" in salt.source
    assert "Na as for pyMolDyn" in salt.source


@pytest.mark.parametrize("name", ["C_P", "C_T", "C_O", "B_O"])
def test_named_regions_ask_for_radii(name):
    quartz = gn.models.crystal("alpha-quartz", 2)
    with pytest.raises(ValueError, match=rf"name_or_box='{name}'.*radii=None.*0.375.*1.275"):
        gn.topology.persistence(quartz).region(name)
    weighted = gn.topology.persistence(quartz, radii={"Si": 0.375, "O": 1.275})
    weighted.region(name)
