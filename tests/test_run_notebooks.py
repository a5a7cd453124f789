"""The runner: pages that need no network, figures, an index, and an honest exit status."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts" / "run_notebooks.py"

SAVES = """\
import os, pathlib
import matplotlib.pyplot as plt
fig, ax = plt.subplots(figsize=(2, 1))
folder = pathlib.Path(os.environ["GLASSNB_FIGURES"])
fig.savefig(folder / "line.png"); fig.savefig(folder / "line.pdf")
(folder / "table.csv").write_text("a,b")
print(os.environ["GLASSNB_SIZE"], pathlib.Path.cwd().name)
"""
SHOWS = "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])\nplt.show()\nraise KeyError('oops')"
WIDGET = "import ipywidgets\nipywidgets.IntSlider()"
TEXT = "# Order & disorder\nThe sum $S(Q) = 1 + a_b*c$ costs `$5` or $\\begin{unknown}$.\n\n$$Q_1$$"


class Links(HTMLParser):
    """Everything that a page loads or links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, value) for key, value in attrs if key in ("src", "href") and value]


def write_notebook(path: Path, *cells: nbformat.NotebookNode) -> None:
    nbformat.write(new_notebook(cells=list(cells)), path)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GLASSNB_")}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        env=environment | {"MPLBACKEND": "agg"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess, Path]:
    """One run over four notebooks: good, failing, broken file, widget."""
    folder = tmp_path_factory.mktemp("run") / "books"
    folder.mkdir()
    write_notebook(folder / "00_good.ipynb", new_markdown_cell(TEXT), new_code_cell(SAVES))
    write_notebook(folder / "01_bad.ipynb", new_code_cell(SHOWS), new_code_cell("print('never')"))
    (folder / "02_broken.ipynb").write_text("{")
    write_notebook(folder / "03_widget.ipynb", new_code_cell(WIDGET))
    output = folder.parent / "output"
    return run("--notebooks", folder, "--output", output), output


@pytest.mark.slow
def test_progress_and_exit_status(
    result: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    process, output = result
    lines = process.stdout.splitlines()
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    assert "encryption" not in process.stderr
    assert re.fullmatch(r"00_good +\d+\.\d s  ok", lines[0]), process.stdout + process.stderr
    assert re.fullmatch(r"01_bad +\d+\.\d s  failed: KeyError: 'oops'", lines[1])
    assert re.match(r"02_broken +0\.0 s  failed: is no notebook", lines[2])
    assert re.fullmatch(r"03_widget +\d+\.\d s  ok", lines[3])
    assert re.fullmatch(r"total +\d+\.\d s  failed: 01_bad, 02_broken", lines[4])
    assert lines[5] == f"see {output / 'index.html'}"


@pytest.mark.slow
def test_figures(result: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """Saved figures as saved; for the notebook that saved none, the one that it showed."""
    figures = {path.name for path in (result[1] / "figures").iterdir()}
    assert figures == {"line.png", "line.pdf", "table.csv", "01_bad-1.png"}
    assert (result[1] / "figures" / "01_bad-1.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_pages_need_no_network(result: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    pages = sorted(path.name for path in result[1].glob("*.html"))
    assert pages == ["00_good.html", "01_bad.html", "03_widget.html", "index.html"]
    for name in pages:
        text = (result[1] / name).read_text()
        loaded = [link for tag, link in Links(text).found if tag != "a"]
        assert [link for link in loaded if not link.startswith(("data:", "figures/"))] == []
        assert "<script" not in text
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", text)


@pytest.mark.slow
def test_pages_show_what_happened(result: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    output = result[1]
    good = (output / "00_good.html").read_text()
    assert "<title>Order &amp; disorder</title>" in good
    assert "teaching books" in good  # the size, and the folder of the notebook
    assert len(re.findall(r"<img [^>]*data:image/svg", good)) == 2  # both formulas
    assert r"\begin{unknown}" in good  # what cannot be drawn is left
    assert ">$5<" in good
    bad = (output / "01_bad.html").read_text()
    assert "KeyError" in bad
    assert "data:image/png" in bad
    widget = (output / "03_widget.html").read_text()
    assert "open the notebook in JupyterLab" in widget
    assert "widget-view" not in widget


@pytest.mark.slow
def test_index_links_everything(result: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    text = (result[1] / "index.html").read_text()
    targets = {link for _, link in Links(text).found}
    assert targets == {
        "00_good.html", "01_bad.html", "03_widget.html", "figures/line.png", "figures/line.pdf",
        "figures/table.csv", "figures/01_bad-1.png",
    }  # fmt: skip
    for target in targets:
        assert (result[1] / target).exists()
    assert "Order &amp; disorder" in text
    assert "4 notebooks" in text
    assert "2 failed" in text
    assert "KeyError" in text


@pytest.mark.slow
def test_one_notebook_again(result: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """A later run of one notebook replaces it and keeps the others in the index."""
    output = result[1]
    folder = output.parent / "books"
    write_notebook(folder / "01_bad.ipynb", new_code_cell("1 + 1"))
    process = run("01", "--notebooks", folder, "--output", output)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "all ok" in process.stdout
    names = [entry["name"] for entry in json.loads((output / "runs.json").read_text())]
    assert names == ["00_good", "01_bad", "02_broken", "03_widget"]
    assert not (output / "figures" / "01_bad-1.png").exists()
    assert "1 failed" in (output / "index.html").read_text()
    assert (output / "figures" / "line.png").exists()


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("run_notebooks", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_choice_of_notebooks(script: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no notebooks in"):
        script.choose(tmp_path, [])
    for name in ("00_start", "01_scattering", "10_rings"):
        (tmp_path / f"{name}.ipynb").touch()
    assert [p.stem for p in script.choose(tmp_path, [])] == [
        "00_start",
        "01_scattering",
        "10_rings",
    ]
    assert [p.stem for p in script.choose(tmp_path, ["notebooks/01_scattering.ipynb", "10"])] == [
        "01_scattering", "10_rings",
    ]  # fmt: skip
    with pytest.raises(SystemExit, match="no notebook begins with '07'; there are: 00_start"):
        script.choose(tmp_path, ["07"])
