"""Make the picture of the README: a slab of the shipped glass, its g(r) and its S(Q)."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

import glassnb as gn  # noqa: E402

NAME = "silica-pristine-3000"
TARGET = Path(__file__).resolve().parents[1] / "notebooks" / "images" / "silica.png"


def main() -> None:
    glass = gn.models.load(NAME)
    neutron = gn.scattering.structure_factor(glass, np.arange(0.36, 15, 0.02))
    with gn.plotting.paper_style():
        figure = plt.figure(figsize=(7.0, 3.3))
        grid = figure.add_gridspec(2, 2, width_ratios=[1.05, 1])
        left, top, bottom = (figure.add_subplot(grid[k]) for k in (np.s_[:, 0], (0, 1), (1, 1)))
        gn.plotting.plot_slab(glass, 8.0, left)
        gn.scattering.pair_distribution(glass).plot(top)
        neutron.plot(bottom)
        neutron.as_radiation("x-ray").plot(bottom)
        bottom.set(ylabel="$S(Q)$", xlim=(0, 12))
    print(gn.plotting.save_figure(figure, TARGET, model=NAME))


if __name__ == "__main__":
    main()
