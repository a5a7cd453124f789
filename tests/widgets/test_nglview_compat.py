"""nglview asks for the JavaScript that is installed: otherwise its views stay empty."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from glassnb_widgets._nglview_compat import import_nglview, installed_frontend_version


def test_versions_agree() -> None:
    """The guard of the trap in nglview 4.0.1, which ships the JavaScript of 3.1.5."""
    nglview = import_nglview()
    version = installed_frontend_version()
    assert version is not None
    frontend = importlib.import_module("nglview._frontend")
    assert frontend.__frontend_version__ == version
    widget_class = nglview.NGLWidget
    assert widget_class._view_module_version.default_value == version
    assert widget_class._model_module_version.default_value == version


def test_nglview_imported_first_is_refused_when_it_would_stay_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_nglview()
    frontend = sys.modules["nglview._frontend"]
    monkeypatch.setattr(frontend, "__frontend_version__", "0.0.0", raising=True)
    with pytest.raises(ImportError, match=r"version 0\.0\.0.*Restart the kernel"):
        import_nglview()


def test_import_of_the_package_is_light() -> None:
    code = (
        "import sys, glassnb_widgets;"
        "print([m for m in ('nglview', 'ipywidgets', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
