"""What a search for rings left out, it says; pictures and tables say per what they count."""

import warnings

import numpy as np
import pytest
from ase import Atoms

import glassnb as gn
from glassnb.network import king_rings, primitive_rings, ring_compaction, ring_statistics


def polygon(n):
    angle = 2 * np.pi * np.arange(n) / n
    corners = np.column_stack([np.cos(angle), np.sin(angle), 0 * angle]) / (2 * np.sin(np.pi / n))
    return Atoms(f"C{n}", corners)


@pytest.mark.parametrize("n", [22, 23])
def test_smaller_rings_do_not_warn(n):
    assert primitive_rings(polygon(n), cutoff=1.01).sizes.tolist() == [n]


def test_rings_of_the_largest_size_warn():
    with pytest.warns(
        UserWarning, match="1 of 1 rings have 24 atoms.*give max_size.*=32"
    ) as warned:
        rings = primitive_rings(polygon(24), cutoff=1.01)
    assert warned[0].filename == __file__
    assert rings.max_size == 24
    assert repr(rings) == "Rings(primitive up to 24 atoms, 1 rings of C {24: 1})"
    # a limit that somebody names is known to them
    assert len(primitive_rings(polygon(24), cutoff=1.01, max_size=24)) == 1
    assert len(primitive_rings(polygon(25), cutoff=1.01)) == 0


def test_coesite_has_no_larger_ones_than_the_warning_is_about():
    """Primitive rings of up to 12 Si, as the notebook on rings says; so the default is in doubt."""
    coesite = gn.models.crystal("coesite")
    with pytest.warns(UserWarning, match="12 of 64 rings have 24 atoms"):
        short = primitive_rings(coesite)
    long = primitive_rings(coesite, max_size=32)
    np.testing.assert_array_equal(long.sizes, short.sizes)
    assert "up to 32 atoms" in repr(long)


def test_the_other_definitions_do_not_change():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert repr(king_rings(polygon(40), cutoff=1.01)).startswith("Rings(king, 1 rings of C")
    with pytest.warns(UserWarning, match="have no ring up to max_size=40"):
        king_rings(polygon(41), cutoff=1.01)


def test_tables_and_pictures_say_per_what():
    quartz = gn.models.crystal("alpha-quartz", 2)
    rings = king_rings(quartz, cutoff={("Si", "O"): 2.0})
    assert rings.plot().get_ylabel() == "rings per Si"
    assert rings.to_frame().attrs == {"definition": "king", "max_size": 40, "formers": ("Si",)}
    every = ring_statistics(rings)
    assert every.plot().get_ylabel() == "$R_C$ (rings per atom)"
    of_silicon = ring_statistics(king_rings(quartz, cutoff={("Si", "O"): 2.0}, nodes="Si"))
    ax = of_silicon.plot()
    assert ax.get_ylabel() == "$R_C$ (rings per Si)"
    assert ax.figure.axes[-1].get_ylabel() == "share of Si"
    assert of_silicon.to_frame().attrs == {"definition": "king", "per": "Si"}
    series = ring_compaction([quartz, quartz], against=[1, 2], cutoff={("Si", "O"): 2.0})
    assert series.plot(quantity="rings_per_former").get_ylabel() == "rings per Si"
    assert series.to_frame().attrs["formers"] == ("Si",)
