"""Inspectors for notebooks: build a glass, refine it, look at it, its rings and its diagrams."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "diagram_explorer": ["DiagramExplorer"],
        "glass_builder": ["GlassBuilder"],
        "refinement_monitor": ["RefinementMonitor"],
        "ring_inspector": ["RingInspector"],
        "structure_viewer": ["StructureViewer"],
    },
)
