"""Build, see and explain the hidden order of silica glass.

The rooms are loaded when they are first used::

    import glassnb as gn

    glass = gn.models.load("silica-pristine-3000")
    gn.scattering.structure_factor(glass).plot()
"""

import lazy_loader as _lazy

from glassnb._version import __version__

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=[
        "core",
        "diffraction",
        "linking",
        "models",
        "network",
        "plotting",
        "scattering",
        "tightbinding",
        "topology",
    ],
)
__all__ = [*__all__, "__version__"]
