"""Figures: one function for each kind of picture, drawn from results and never from files.

The style is packaged: ``matplotlib.style.use("glassnb.plotting.paper")``. Colours are those of
Okabe and Ito, which colour-blind readers can tell apart.
"""

from glassnb.plotting.cavities import plot_cavities
from glassnb.plotting.cycles import plot_cavity_tree, plot_cycle, plot_cycle_sizes
from glassnb.plotting.ensembles import plot_ensemble, plot_mean_structure_factor
from glassnb.plotting.figures import SPECIES_COLOURS, paper_style, save_figure, species_colour
from glassnb.plotting.learning import (
    plot_coefficient_map,
    plot_crystal_diagram,
    plot_embedding,
    plot_learned,
    plot_nearest_crystals,
)
from glassnb.plotting.models import (
    plot_densification,
    plot_densification_series,
    plot_melt_quench,
)
from glassnb.plotting.network import plot_bond_angles, plot_coordination
from glassnb.plotting.refinement import plot_chi2, plot_refinement
from glassnb.plotting.ring_environment import plot_ring_environment, plot_ring_map
from glassnb.plotting.rings import (
    plot_ring,
    plot_ring_compaction,
    plot_ring_shape,
    plot_ring_sizes,
    plot_ring_statistics,
)
from glassnb.plotting.scattering import (
    plot_difference,
    plot_diffraction_peak,
    plot_experiment,
    plot_pair_distribution,
    plot_pair_function,
    plot_structure_factor,
)
from glassnb.plotting.structure import plot_slab
from glassnb.plotting.tightbinding import plot_atom_values, plot_division
from glassnb.plotting.topology import plot_persistence_diagram, plot_persistence_image

__all__ = [
    "SPECIES_COLOURS",
    "paper_style",
    "plot_atom_values",
    "plot_bond_angles",
    "plot_cavities",
    "plot_cavity_tree",
    "plot_chi2",
    "plot_coefficient_map",
    "plot_coordination",
    "plot_crystal_diagram",
    "plot_cycle",
    "plot_cycle_sizes",
    "plot_densification",
    "plot_densification_series",
    "plot_difference",
    "plot_diffraction_peak",
    "plot_division",
    "plot_embedding",
    "plot_ensemble",
    "plot_experiment",
    "plot_learned",
    "plot_mean_structure_factor",
    "plot_melt_quench",
    "plot_nearest_crystals",
    "plot_pair_distribution",
    "plot_pair_function",
    "plot_persistence_diagram",
    "plot_persistence_image",
    "plot_refinement",
    "plot_ring",
    "plot_ring_compaction",
    "plot_ring_environment",
    "plot_ring_map",
    "plot_ring_shape",
    "plot_ring_sizes",
    "plot_ring_statistics",
    "plot_slab",
    "plot_structure_factor",
    "save_figure",
    "species_colour",
]
