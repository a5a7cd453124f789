"""JupyterLab and headless Chromium, started once for all browser tests."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import nbformat
import pytest

TOKEN = "glassnb"
SCREENSHOTS = Path(__file__).parents[2] / "output" / "screenshots"
START = 120.0  # s, longest wait for JupyterLab
WAIT = 60_000  # ms, longest wait for anything in the page
CHROMIUM_OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def _cannot(reason: str) -> None:
    """Skip on a machine that lacks what a browser test needs; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; in CI the browser tests must run")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, drawing WebGL in software."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        _cannot("Chromium is not installed: run scripts/install_browser.sh")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _cannot("playwright is not installed: pip install 'glassnb[test]'")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program, headless=True, args=CHROMIUM_OPTIONS
        )
        yield chromium
        chromium.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _settings(home: Path) -> dict[str, str]:
    """Return an environment in which Lab reads and writes nothing of the user's."""
    news = home / "settings" / "@jupyterlab" / "apputils-extension"
    news.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (news / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    return os.environ | {variable: str(home / name) for variable, name in folders.items()}


@pytest.fixture(scope="session")
def lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address of a running JupyterLab and the folder that it serves."""
    home = tmp_path_factory.mktemp("lab")
    root = home / "notebooks"
    root.mkdir()
    address = f"http://127.0.0.1:{(port := _free_port())}"
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    log = home / "lab.log"
    with log.open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, env=_settings(home))
        try:
            _wait_for(f"{address}/api?token={TOKEN}", server, log)
            yield address, root
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


class Notebook:
    """A notebook open in the browser, all of its cells run."""

    def __init__(self, page: Any, name: str) -> None:
        self.page = page
        self.name = name

    @property
    def canvas(self) -> Any:
        """The picture of the first nglview view."""
        return self.page.locator(".jp-OutputArea-output canvas").first

    def wait_until_drawn(self, *, after: int = 0) -> int:
        """Wait until the canvas has drawn a message later than one; return its number."""
        drawn = "Number(document.querySelector('[data-drawn]')?.dataset.drawn ?? 0)"
        self.page.wait_for_function(f"{drawn} > {after}", timeout=WAIT)
        return int(self.page.evaluate(drawn))

    def screenshot(self, name: str) -> None:
        """Keep a picture of the page under ``output/screenshots/``."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture
def open_notebook(browser: Any, lab: tuple[str, Path]) -> Iterator[Callable[..., Notebook]]:
    """Write a notebook, open it in Lab, run it; in the end check that nothing went wrong."""
    address, root = lab
    opened: list[tuple[Any, list[str], list[str]]] = []

    def open_(name: str, *cells: str, height: int = 1000) -> Notebook:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, root / f"{name}.ipynb")
        page = browser.new_page(viewport={"width": 1360, "height": height})
        page.set_default_timeout(WAIT)
        foreign: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: _note_foreign(request.url, foreign))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: _note_error(message.text, errors))
        opened.append((page, foreign, errors))
        page.goto(f"{address}/doc/tree/{name}.ipynb?token={TOKEN}&reset")
        page.wait_for_function("window.jupyterapp !== undefined")
        page.evaluate("window.jupyterapp.restored.then(() => null)")
        kernel = "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status"
        page.wait_for_function(f"{kernel} === 'idle'")
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        return Notebook(page, name)

    yield open_
    for page, foreign, errors in opened:
        _check_page(page, foreign, errors)
        page.close()


def _note_foreign(url: str, foreign: list[str]) -> None:
    parts = urlparse(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
        foreign.append(url)


def _note_error(text: str, errors: list[str]) -> None:
    # "glassnb:" is how canvas.js reports; the other is a widget whose JavaScript is missing.
    if text.startswith("glassnb:") or "is not registered" in text:
        errors.append(text)


def _check_page(page: Any, foreign: list[str], errors: list[str]) -> None:
    broken = page.locator(".jupyter-widgets-error-widget").count()
    failed = page.locator('[data-mime-type="application/vnd.jupyter.error"]')
    outputs = failed.all_inner_texts()
    warned = page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').all_inner_texts()
    assert not outputs, f"a cell failed: {outputs}"
    assert not warned, f"a cell wrote to stderr: {warned}"
    assert not broken, "a widget could not be shown"
    assert not errors, f"errors in the page: {errors}"
    assert not foreign, f"requests to other hosts: {foreign}"
