"""Parameters of GFN1-xTB for the elements, in Hartree and bohr.

They are read from the installed tblite when they are first asked for. What its table does not hold,
Gaussian expansions of Slater functions and two sets of radii, stands in ``glassnb/data`` with its
sources. The method: S. Grimme, C. Bannwarth, P. Shushkov, J. Chem. Theory Comput. 13, 1989 (2017).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import units

__all__ = [
    "BOHR",
    "HARTREE",
    "KELVIN",
    "ElementParameters",
    "GlobalParameters",
    "element_parameters",
    "global_parameters",
    "load_tblite",
]

FloatArray = npt.NDArray[np.float64]

BOHR = units.Bohr  # Å
HARTREE = units.Hartree  # eV
KELVIN = units.kB / units.Hartree  # Boltzmann's constant in Hartree/K
TABLE_EV = 27.21138505  # eV per Hartree with which the published levels are meant to be converted
ANGULAR = "spd"


@dataclass(frozen=True)
class ElementParameters:
    """What GFN1-xTB has to know of one element.

    Parameters
    ----------
    symbol : str
        Chemical symbol.
    principal, angular : ndarray of int, shape (n_shells,)
        Quantum numbers of the shells.
    valence : ndarray of bool, shape (n_shells,)
        False for a second shell of the same angular momentum (the 2s of hydrogen).
    exponents, coefficients : tuple of ndarray
        Gaussian expansion of each shell: exponents in bohr⁻², coefficients with their norm.
    levels, cn_shifts : ndarray, shape (n_shells,)
        Atomic levels, and by how much they fall per unit of coordination number, in Hartree.
    polynomials : ndarray, shape (n_shells,)
        Slopes of the distance dependence of H0.
    occupations : ndarray, shape (n_shells,)
        Electrons of the neutral atom.
    hardnesses : ndarray, shape (n_shells,)
        Chemical hardness of the shells in Hartree.
    hubbard_derivative : float
        Coefficient of the third-order term in Hartree.
    nuclear_charge, repulsion_exponent : float
        Effective charge, and exponent in bohr^-3/2, of the repulsion.
    electronegativity : float
        On Pauling's scale.
    covalent_radius, atomic_radius : float
        Radii of the coordination number and of the distance dependence of H0, in bohr.
    """

    symbol: str
    principal: npt.NDArray[np.int64]
    angular: npt.NDArray[np.int64]
    valence: npt.NDArray[np.bool_]
    exponents: tuple[FloatArray, ...]
    coefficients: tuple[FloatArray, ...]
    levels: FloatArray
    cn_shifts: FloatArray
    polynomials: FloatArray
    occupations: FloatArray
    hardnesses: FloatArray
    hubbard_derivative: float
    nuclear_charge: float
    repulsion_exponent: float
    electronegativity: float
    covalent_radius: float
    atomic_radius: float


@dataclass(frozen=True)
class GlobalParameters:
    """What GFN1-xTB has in common for all elements.

    Parameters
    ----------
    shell_scaling : ndarray, shape (3, 3)
        Factor of H0 by the angular momenta of two valence shells.
    polarization_scaling : float
        The same for two shells that are no valence shells.
    electronegativity_scaling : float
        Factor of the squared difference of electronegativities.
    pair_scaling : mapping
        Further factor by pair of symbols, under both orders; 1 for those not named.
    repulsion_power : float
        Power of the distance in the exponent of the repulsion.
    dispersion : mapping
        Coefficients s6, s8, s9, a1, a2 of the D3 dispersion.
    """

    shell_scaling: FloatArray
    polarization_scaling: float
    electronegativity_scaling: float
    pair_scaling: Mapping[tuple[str, str], float]
    repulsion_power: float
    dispersion: Mapping[str, float]


def load_tblite() -> Any:
    """Import the library of tblite, with the stack that its threads need.

    Returns
    -------
    module
        ``tblite.library``.

    Raises
    ------
    ValueError
        If the installed version is too old to tell its parameters.
    """
    # The OpenMP runtime reads this once, when it is loaded; with its default large cells crash.
    os.environ.setdefault("OMP_STACKSIZE", "1G")
    import tblite.library as library

    if not hasattr(library, "dump_param"):
        version = ".".join(map(str, library.get_version()))
        raise ValueError(f"tblite {version}: too old to tell its parameters; install tblite>=0.8")
    return library


@cache
def _table() -> dict[str, Any]:
    """Return the parameters of GFN1-xTB as tblite writes them."""
    library = load_tblite()
    parameters, table = library.new_param(), library.new_table()
    library.export_gfn1_param(parameters)
    library.dump_param(parameters, table)
    return dict(library.table_to_dict(table))


@cache
def _data(name: str) -> dict[str, Any]:
    """Return a file of ``glassnb/data``."""
    file = resources.files("glassnb") / "data" / name
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def global_parameters() -> GlobalParameters:
    """Return the parameters that all elements share.

    Returns
    -------
    GlobalParameters
        Scaling factors, repulsion and dispersion.
    """
    table = _table()
    hamiltonian = table["hamiltonian"]["xtb"]
    diagonal = [hamiltonian["shell"][letter * 2] for letter in ANGULAR]
    scaling = np.add.outer(diagonal, diagonal) / 2
    for pair, value in hamiltonian["shell"].items():
        first, second = map(ANGULAR.index, pair)
        scaling[first, second] = scaling[second, first] = value
    pairs = {}
    for names, value in hamiltonian["kpair"].items():
        a, b = names.split("-")
        pairs[a, b] = pairs[b, a] = float(value)
    return GlobalParameters(
        shell_scaling=scaling,
        polarization_scaling=float(hamiltonian["kpol"]),
        electronegativity_scaling=float(hamiltonian["enscale"]),
        pair_scaling=MappingProxyType(pairs),
        repulsion_power=float(table["repulsion"]["effective"]["kexp"]),
        dispersion=MappingProxyType(dict(table["dispersion"]["d3"])),
    )


@cache
def element_parameters(symbol: str) -> ElementParameters:
    """Return the parameters of one element.

    Parameters
    ----------
    symbol : str
        Chemical symbol.

    Returns
    -------
    ElementParameters
        In Hartree and bohr.

    Raises
    ------
    ValueError
        If the element has no parameters, no Gaussian expansion or no radii, or needs the
        halogen-bond term.
    """
    row = _table()["element"].get(symbol)
    radii, expansions = _data("xtb_radii.toml"), _data("sto_ng.toml")
    names = [] if row is None else [f"{s}-{n}G" for s, n in zip(row["shells"], row["ngauss"])]  # noqa: B905
    missing = [name for name in names if name not in expansions]
    if row is None or missing or symbol not in radii["covalent"]:
        reason = f" (no expansion {missing[0]})" if missing else ""
        known = ", ".join(s for s in radii["covalent"] if s in _table()["element"])
        raise ValueError(f"element {symbol}: no parameters{reason}; known are {known}")
    if row["xbond"] != 0.0:
        raise ValueError(
            f"element {symbol}: its halogen-bond term is not implemented; use tblite for it"
        )
    angular = np.array([ANGULAR.index(name[1]) for name in row["shells"]])
    valence = np.array([l_ not in angular[:k] for k, l_ in enumerate(angular)])
    exponents, coefficients = _expansions(names, row["slater"], angular, valence)
    return ElementParameters(
        symbol=symbol,
        principal=np.array([int(name[0]) for name in row["shells"]]),
        angular=angular,
        valence=valence,
        exponents=exponents,
        coefficients=coefficients,
        levels=np.array(row["levels"]) / TABLE_EV,
        cn_shifts=np.array(row["kcn"]) / TABLE_EV,
        polynomials=np.array(row["shpoly"]),
        occupations=np.array(row["refocc"]),
        hardnesses=row["gam"] * np.array(row["lgam"]),
        hubbard_derivative=float(row["gam3"]),
        nuclear_charge=float(row["zeff"]),
        repulsion_exponent=float(row["arep"]),
        electronegativity=float(row["en"]),
        covalent_radius=radii["covalent"][symbol] / BOHR,
        atomic_radius=radii["atomic"][symbol] / BOHR,
    )


def _expansions(
    names: list[str], slater: list[float], angular: npt.NDArray[np.int64], valence: npt.NDArray[Any]
) -> tuple[tuple[FloatArray, ...], tuple[FloatArray, ...]]:
    """Return exponents and coefficients of the shells, the norm of the primitives included.

    A shell that is no valence shell is made orthogonal to the valence shell of its kind.
    """
    exponents, coefficients = [], []
    for name, zeta, l_ in zip(names, slater, angular, strict=True):
        fit = _data("sto_ng.toml")[name]
        alpha = np.array(fit["exponents"]) * zeta**2
        double_factorial = (1, 1, 3)[l_]
        norm = (2 * alpha / np.pi) ** 0.75 * np.sqrt((4 * alpha) ** l_ / double_factorial)
        exponents.append(alpha)
        coefficients.append(np.array(fit["coefficients"]) * norm)
    for k in np.flatnonzero(~valence):
        first = int(np.flatnonzero(angular == angular[k])[0])
        if angular[k] != 0:
            raise ValueError(f"shell {names[k]}: a second shell of p or d kind is not foreseen")
        a, c = exponents[first], coefficients[first]
        alpha = np.concatenate([exponents[k], a])
        overlap = c @ _s_overlaps(a, exponents[k]) @ coefficients[k]
        both = np.concatenate([coefficients[k], -overlap * c])
        exponents[k], coefficients[k] = (
            alpha,
            both / np.sqrt(both @ _s_overlaps(alpha, alpha) @ both),
        )
    return tuple(exponents), tuple(coefficients)


def _s_overlaps(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the overlap of concentric Gaussian functions without norm."""
    return np.asarray((np.pi / np.add.outer(a, b)) ** 1.5)
