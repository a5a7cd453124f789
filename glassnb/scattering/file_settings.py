"""What programs of the field write above their tables: the radiation, the sample, the function."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from glassnb.core.callers import warn
from glassnb.scattering.composition import parse_composition

__all__ = ["choose_composition", "choose_radiation", "warn_of_output"]

# PDFgetX3, xPDFsuite and GSAS-II write "mode = xray", PDFgui "stype=X", PDFgetN "#D 1 neutron" and
# Mantid "#Comment: neutron, Qmin=...".
_RADIATION = re.compile(
    r"(?:\b(?:mode|stype|radiation(?:[ _]type)?|probe|beam|source)[ \t]*[=:][ \t]*[\"']?"
    r"|^#D[ \t]+\d+[ \t]+|^#?[ \t]*Comment:[ \t]*)"
    r"(?P<kind>x[-_ ]?rays?|neutrons?|electrons?|(?<=type[=:])[xne])(?![\w-])",
    re.IGNORECASE | re.MULTILINE,
)
_KINDS = {"x": "x-ray", "n": "neutron", "e": "electron"}
_SETTING = r"^[#!%;][ \t]*{0}[ \t]*[=:][ \t]*(\S.*)$|^[ \t]*{0}[ \t]*[=:][ \t]*(\S.*)$"
# The function that a file of PDFgetX3 holds, by its outputtype.
_OUTPUTS = {"iq": "a measured intensity", "sq": "S", "fq": "Q(S-1)", "gr": "G_PDF"}


def choose_radiation(path: Path, header: str, radiation: str | None) -> tuple[str, str]:
    """Return the radiation of an argument or, where it is missing, of a header.

    Parameters
    ----------
    path : pathlib.Path
        Named in messages.
    header : str
        The text above the table.
    radiation : str or None
        The argument.

    Returns
    -------
    radiation : str
        ``"neutron"`` where neither says it.
    note : str
        Where it comes from, if from the header.

    Raises
    ------
    ValueError
        If the argument is missing, and the header names several kinds.

    Warns
    -----
    UserWarning
        If the argument contradicts the header.
    """
    found = {_KINDS[match["kind"][0].lower()] for match in _RADIATION.finditer(header)}
    if radiation is None:
        if len(found) > 1:
            raise ValueError(
                f"{path}: radiation=None, and its header names {' and '.join(sorted(found))}; "
                "give radiation="
            )
        return (found.pop(), ", radiation of its header") if found else ("neutron", "")
    if found and radiation not in found:
        stated = " and ".join(sorted(found))
        warn(
            f"{path}: radiation={radiation!r}, but its header says {stated}; leave the argument "
            "out, or mend the header",
        )
    return radiation, ""


def choose_composition(
    path: Path, header: str, composition: str | None, *, needed: bool
) -> tuple[str | None, str]:
    """Return the composition of an argument or, where it is missing and needed, of a header.

    Parameters
    ----------
    path : pathlib.Path
        Named in messages.
    header : str
        The text above the table.
    composition : str or None
        The argument.
    needed : bool
        Whether one is needed.

    Returns
    -------
    composition : str or None
        The formula.
    note : str
        Where it comes from, if from the header.

    Raises
    ------
    ValueError
        If one is needed, and there is none, or that of the header is no formula.

    Warns
    -----
    UserWarning
        If the elements of the argument, or their shares, are not those of the header.
    """
    stated = re.sub(r"\s+", "", _setting(header, "composition") or "") or None  # Ge 1.0 Se 2.0
    if composition is None:
        if not needed:
            return None, ""
        if stated is None:
            raise ValueError(
                'composition=None: F = <b>^2 (S - 1) needs it, for example composition="SiO2"'
            )
        try:
            parse_composition(stated)
        except ValueError as error:
            raise ValueError(
                f"{path}: composition=None, and that of its header cannot be used; give "
                f"composition= ({error})"
            ) from None
        return stated, f", composition {stated} of its header"
    shares = _shares(composition)
    try:
        theirs = _shares(stated) if stated else shares
    except ValueError:
        return composition, ""  # no formula, so nothing to contradict
    if shares.keys() != theirs.keys() or not all(
        np.isclose(shares[symbol], theirs[symbol], atol=0.005) for symbol in shares
    ):
        warn(
            f"{path}: composition={composition!r}, but its header says {stated!r}; give the one "
            "that was measured, or mend the header",
        )
    return composition, ""


def warn_of_output(path: Path, header: str, argument: str, function: str) -> None:
    """Warn if PDFgetX3 says that it wrote another function.

    Parameters
    ----------
    path : pathlib.Path
        Named in the message.
    header : str
        The text above the table.
    argument : str
        Name of the argument that says which function it is.
    function : str
        Its value.

    Warns
    -----
    UserWarning
        If the ``outputtype`` of the header is another one.
    """
    output = (_setting(header, "outputtype") or "").lower()
    if output in _OUTPUTS and _OUTPUTS[output] != function:
        warn(
            f"{path}: {argument}={function!r}, but its header says 'outputtype = {output}', which "
            f"is {_OUTPUTS[output]}; give that, or mend the header",
        )


def _setting(header: str, name: str) -> str | None:
    found = re.search(_SETTING.format(name), header, re.IGNORECASE | re.MULTILINE)
    if found is None:
        return None
    return re.split(r"\s[#!]", found[1] or found[2])[0].strip(" \t\"'") or None


def _shares(composition: str) -> dict[str, float]:
    symbols, concentrations, _ = parse_composition(composition)
    return dict(zip(symbols, concentrations.tolist(), strict=True))
