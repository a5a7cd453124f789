"""Structure files that ASE does not read, or reads wrongly: one module per format.

Each has ``parse(lines, ...) -> ase.Atoms``, or ``frames(lines, ...)`` with a function for each
frame where a file may have several, and ``render(atoms) -> str`` if it is written. ``kinds`` tells
what a file is, ``by_ase`` reads what is left to ASE. The functions that users call are in
:mod:`glassnb.core.files`.
"""
