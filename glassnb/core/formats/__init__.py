"""Structure files that ASE does not read, or reads wrongly: one module per format.

Each has ``parse(path, text, ...) -> ase.Atoms`` and ``render(atoms) -> str``; the functions that
users call are in :mod:`glassnb.core.files`.
"""
