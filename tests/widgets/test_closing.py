"""Widgets that are closed leave nothing behind: no widget, no channel, no thread, no memory."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import comm
import glassnb_widgets as gw
import ipywidgets as ipw
import numpy as np
import pytest
from ase import Atoms
from glassnb_widgets.closing import held
from glassnb_widgets.energy_table import AtomTable
from glassnb_widgets.ring_plot import RingPlot
from glassnb_widgets.viewer import Canvas
from ipywidgets.widgets.widget import _instances

import glassnb as gn
from glassnb.models import Coordination, MinimumDistance, ReverseMonteCarlo

CUTOFF = {("Si", "O"): 2.0}


def crystal(repeat: int = 1) -> Atoms:
    return gn.models.crystal("alpha-quartz", repeat)


def monitor() -> gw.RefinementMonitor:
    atoms = crystal(2)
    atoms.rattle(0.05, seed=0)
    wanted = [Coordination("Si", "O", (0, 2.2), 4), MinimumDistance({("Si", "O"): 1.1})]
    q = np.linspace(2, 6, 9)
    measured = gn.scattering.structure_factor(crystal(2), q).total
    data = [gn.models.StructureFactorData(q, measured, "neutron", name="neutrons")]
    return gw.RefinementMonitor(ReverseMonteCarlo(atoms, data, wanted), moves=10)


MAKE: dict[str, Callable[[], Any]] = {
    "BeamScanner": lambda: gw.BeamScanner(
        crystal(4), gn.diffraction.Probe(fwhm=8.0), k_max=0.7, thickness=10
    ),
    "DiagramExplorer": lambda: gw.DiagramExplorer(gn.topology.persistence(crystal())),
    "EnergyMap": lambda: gw.EnergyMap(crystal(), np.arange(9.0), cutoff=CUTOFF),
    "GlassBuilder": lambda: gw.GlassBuilder(lambda **_: None),
    "RefinementMonitor": monitor,
    "RingInspector": lambda: gw.RingInspector(crystal(), cutoff=CUTOFF, max_size=12),
    "StructureViewer": lambda: gw.StructureViewer(crystal(), cutoff=CUTOFF),
}
PARTS: dict[str, Callable[[], Any]] = {
    "AtomTable": lambda: AtomTable(print),
    "Canvas": Canvas,
    "RingPlot": lambda: RingPlot(print),
}


@pytest.fixture(autouse=True)
def only_what_is_new() -> Iterator[None]:
    """Let the collector look at what a test makes alone, which takes it far less time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def counts() -> tuple[int, int, int]:
    """Widgets, channels to the browser, threads of ours."""
    gc.collect()
    threads = [t for t in threading.enumerate() if t.name.startswith("glass")]
    return len(_instances), len(comm.get_comm_manager().comms), len(threads)


def settle(widget: Any) -> None:
    if hasattr(widget, "wait"):
        widget.wait(60)


def test_every_public_widget_is_tried() -> None:
    assert set(MAKE) == set(gw.__all__)


@pytest.mark.parametrize("name", [*MAKE, *PARTS])
def test_closed_widgets_are_freed(name: str) -> None:
    make = (MAKE | PARTS)[name]
    first = make()  # nglview makes a widget of its own when it is imported
    first.close()
    settle(first)
    del first
    before = counts()
    traces = []
    for round_ in range(6):
        made = make()
        if round_ == 0:  # the others are closed while they work, if they do
            settle(made)
        assert counts()[:2] > before[:2]
        traces.append(weakref.ref(made))
        if hasattr(made, "model"):
            traces.append(weakref.ref(made.model))
        made.close()
        made.close()  # a second time does nothing
        settle(made)
        del made
        assert counts() == before
        assert [trace() for trace in traces] == [None] * len(traces)


def test_closed_while_it_works() -> None:
    before = counts()
    made = gw.RingInspector(gn.models.load("silica-pristine-648"), cutoff=CUTOFF)
    assert made.model.busy
    trace = weakref.ref(made.model)
    made.close()
    settle(made)
    del made
    assert counts() == before
    assert trace() is None


def test_what_came_later_is_freed_too() -> None:
    """Another structure brings other controls."""
    before = counts()
    viewer = gw.StructureViewer(crystal(), cutoff=2.0)
    for symbols in ("GeO2", "Na2O", "GeO2"):
        viewer.set_atoms(Atoms(symbols, positions=np.eye(3) * 2, cell=[5, 5, 5], pbc=True))
    viewer.close()
    del viewer
    assert counts() == before


def test_what_is_not_ours_stays_open() -> None:
    viewer, other = (gw.StructureViewer(crystal(), cutoff=CUTOFF) for _ in range(2))
    button = ipw.Button(description="mine")
    link = ipw.jslink((button, "description"), (viewer.status, "value"))
    viewer.children = [*viewer.children, button]
    box = ipw.HBox([viewer, other])
    viewer.close()
    theirs = [button, button.layout, button.style, box, box.layout, link, *held(other)]
    assert all(widget.model_id in _instances for widget in theirs)
    assert viewer.comm is None
    assert viewer.range.comm is None
    for widget in (button.layout, button.style, button, link, box.layout, box):
        widget.close()
    other.close()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: gw.StructureViewer(crystal(), polyhedra="Ge"), "polyhedra"),
        (lambda: gw.RingInspector(crystal(), definition="all"), "definition"),
        (lambda: gw.DiagramExplorer(gn.topology.persistence(crystal()), dimension=3), "dimension"),
        (lambda: gw.EnergyMap(crystal(), [1.0]), "energies"),
        (lambda: gw.GlassBuilder(potential="LJ"), "potential"),
        (lambda: gw.BeamScanner(crystal(4), k_max=0.01), "k_max"),
    ],
)
def test_a_refused_widget_leaves_nothing(make: Callable[[], Any], words: str) -> None:
    before = counts()
    with pytest.raises(ValueError, match=words):
        make()
    assert counts() == before
