"""Import nglview so that it shows something.

A widget appears only if the version that Python asks for is the version of the JavaScript that is
installed. nglview 4.0.1 asks for 4.0 and ships 3.1.5: no error anywhere, and no picture. Here
Python is told the version that is really there. With a release that agrees with itself this
changes nothing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

__all__ = ["import_nglview", "installed_frontend_version"]

_FRONTEND = "nglview._frontend"


def installed_frontend_version() -> str | None:
    """Return the version of nglview's JupyterLab extension.

    Returns
    -------
    str or None
        The version, or ``None`` if the extension is not installed in this environment.
    """
    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path("labextensions"):
        package = Path(folder) / "nglview-js-widgets" / "package.json"
        if package.is_file():
            return str(json.loads(package.read_text(encoding="utf-8"))["version"])
    return None


def import_nglview() -> ModuleType:
    """Import nglview with the version of the front end that is installed.

    Returns
    -------
    module
        ``nglview``.

    Raises
    ------
    ImportError
        If nglview was imported before, by somebody else, with a version that shows nothing.
    """
    version = installed_frontend_version()
    if version is not None and _FRONTEND not in sys.modules:
        stand_in = ModuleType(_FRONTEND)
        stand_in.__dict__["__frontend_version__"] = version
        sys.modules[_FRONTEND] = stand_in
    import nglview

    asked = sys.modules[_FRONTEND].__dict__["__frontend_version__"]
    if version is not None and asked != version:
        raise ImportError(
            f"nglview asks for version {asked} of its JavaScript, but {version} is installed, so "
            "its views would stay empty. Restart the kernel and import glassnb_widgets before "
            "nglview"
        )
    return nglview
