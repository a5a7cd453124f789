"""Fixtures that every test may use."""

from pathlib import Path

import pytest

_SHARED = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of published models and data beside the checkout; skips where it is absent."""
    if not _SHARED.is_dir():
        pytest.skip("the shared data folder ../shared/data is not on this machine")
    return _SHARED


@pytest.fixture(autouse=True)
def _settings_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests do not reach them."""
    for variable in ("GLASSNB_SIZE", "GLASSNB_FIGURES"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("GLASSNB_PROGRESS", "off")
