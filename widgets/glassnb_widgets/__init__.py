"""Inspectors for notebooks: build a glass, refine it, see it, its rings, diagrams, diffraction."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "beam_scanner": ["BeamScanner"],
        "diagram_explorer": ["DiagramExplorer"],
        "energy_map": ["EnergyMap"],
        "glass_builder": ["GlassBuilder"],
        "refinement_monitor": ["RefinementMonitor"],
        "ring_inspector": ["RingInspector"],
        "structure_viewer": ["StructureViewer"],
    },
)
