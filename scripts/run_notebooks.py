"""Execute the notebooks and leave what they show in output/: pages, figures and an index.

The pages need no network and no JavaScript: formulas are drawn, figures are embedded, and in place
of an interactive widget stands a note. The figures that a notebook saves (to the folder in
GLASSNB_FIGURES) are in output/figures; where it saves none, those that it shows are put there.

    python scripts/run_notebooks.py              all notebooks
    python scripts/run_notebooks.py 00 02_rings  those whose names begin so
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import os
import re
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

import glassnb
from glassnb.core.provenance import atomic_path, git_commit

ROOT = Path(__file__).parents[1]
WIDGET = "application/vnd.jupyter.widget-view+json"
SHOWN = (".png", ".jpg", ".svg")


@dataclass
class Run:
    """What became of one notebook."""

    name: str
    title: str
    seconds: float
    error: str | None
    figures: list[str]


# -- execution -----------------------------------------------------------------------------------


def run_notebook(path: Path, output: Path, timeout: int) -> Run:
    """Execute one notebook; write its page and its figures."""
    figures = output / "figures"
    before = _stamps(figures)
    start = time.perf_counter()
    error = None
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as reason:  # whatever is wrong with the file, the others shall run
        return Run(path.stem, path.stem, 0.0, f"is no notebook ({reason})", [])
    try:
        _execute(notebook, path.parent, timeout)
    except Exception as reason:
        error = _in_one_line(reason)
    seconds = time.perf_counter() - start
    after = _stamps(figures)
    saved = sorted(name for name in after if after[name] != before.get(name))
    saved = saved or _save_shown_figures(notebook, path.stem, figures)
    with atomic_path(output / f"{path.stem}.html") as temporary:
        temporary.write_text(page(notebook, path.stem), encoding="utf-8")
    return Run(path.stem, _title(notebook, path.stem), seconds, error, saved)


def _execute(notebook: NotebookNode, folder: Path, timeout: int) -> None:
    from nbclient import NotebookClient

    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=timeout,
        store_widget_state=False,
        # one warning less: the kernel talks through the loopback without encryption
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()


def _in_one_line(reason: Exception) -> str:
    name, value = getattr(reason, "ename", ""), getattr(reason, "evalue", "")
    if not name:
        name, value = type(reason).__name__, str(reason)
    return " ".join(f"{name}: {value}".split())[:300]


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    found = {p: p.stat() for p in folder.rglob("*") if p.is_file()}
    return {p.relative_to(folder).as_posix(): (s.st_mtime_ns, s.st_size) for p, s in found.items()}


def _save_shown_figures(notebook: NotebookNode, name: str, figures: Path) -> list[str]:
    """Save the pictures among the outputs, for a notebook that saved none itself."""
    saved: list[str] = []
    for cell in notebook.cells:
        for result in cell.get("outputs", []):
            picture = result.get("data", {}).get("image/png")
            if picture is None:
                continue
            saved.append(f"{name}-{len(saved) + 1}.png")
            with atomic_path(figures / saved[-1]) as temporary:
                temporary.write_bytes(base64.b64decode(picture))
    return saved


def _title(notebook: NotebookNode, name: str) -> str:
    for cell in notebook.cells:
        heading = re.search(r"^#\s+(.+)$", cell.source, re.M) if cell.cell_type == "markdown" else 0
        if heading:
            return str(heading[1].strip())
    return name


# -- pages ---------------------------------------------------------------------------------------

# The page of nbconvert without its scripts, all of which it would load from the network.
_TEMPLATE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""

# Code, which is left alone, or a formula.
_FORMULA = re.compile(r"```.*?```|`[^`\n]*`|\$\$(.+?)\$\$|(?<![\\$])\$([^$\n]+?)\$", re.S)


def page(notebook: NotebookNode, name: str) -> str:
    """Turn an executed notebook into HTML that needs nothing else."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    shown = nbformat.from_dict(json.loads(json.dumps(notebook)))
    shown.metadata.pop("widgets", None)
    shown.metadata.setdefault("title", _title(notebook, name))
    for cell in shown.cells:
        if cell.cell_type == "markdown":
            cell.source = _FORMULA.sub(_drawn, cell.source)
        for result in cell.get("outputs", []):
            if WIDGET in result.get("data", {}):
                note = "<em>Interactive widget: open the notebook in JupyterLab to use it.</em>"
                result["data"] = {"text/html": note, "text/plain": "interactive widget"}
    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"offline.html.j2": _TEMPLATE})], template_file="offline.html.j2"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pictures without alternative text
        return str(exporter.from_notebook_node(shown)[0])


def _drawn(match: re.Match[str]) -> str:
    """Draw a formula as a picture in the text; leave what Matplotlib cannot draw as it is."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import math_to_image

    display, inline = match.groups()
    formula = " ".join((display or inline or "").split())
    if not formula:
        return match[0]
    buffer = BytesIO()
    try:
        font = FontProperties(size=14 if display else 11, math_fontfamily="cm")
        depth = math_to_image(f"${formula}$", buffer, prop=font, format="svg", dpi=72)
    except (ValueError, RuntimeError):
        return match[0]
    data = base64.b64encode(buffer.getvalue()).decode()
    alt = html.escape(formula, quote=True).replace("*", "&#42;").replace("_", "&#95;")
    style = "display:block;margin:0.6em auto" if display else f"vertical-align:{-depth:.1f}pt"
    return f'<img alt="{alt}" style="{style}" src="data:image/svg+xml;base64,{data}">'


_INDEX = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>glassnb: executed notebooks</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; }}
section {{ border-top: 1px solid #ccc; padding: 0.5rem 0 1rem; }}
h2 {{ font-size: 1.1rem; margin: 0.5rem 0 0; }}
p {{ margin: 0.2rem 0 0.6rem; color: #555; }}
.failed {{ color: #a40000; font-weight: bold; }}
figure {{ display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top; }}
figure img {{ height: 11rem; max-width: 100%; border: 1px solid #ddd; background: #fff; }}
figcaption {{ font-size: 0.8rem; color: #555; }}
</style>
</head>
<body>
<h1>glassnb: executed notebooks</h1>
<p>{summary}</p>
{sections}
</body>
</html>
"""


def index(runs: list[Run], output: Path) -> str:
    """Write the page that links notebooks and figures."""
    sections = []
    for run in runs:
        state = f'<span class="failed">failed: {html.escape(run.error)}</span>' if run.error else ""
        link = html.escape(run.title)
        if (output / f"{run.name}.html").exists():
            link = f'<a href="{run.name}.html">{link}</a>'
        pictures = "\n".join(_thumbnail(stem, files) for stem, files in _by_stem(run.figures))
        sections.append(
            f"<section>\n<h2>{link}</h2>\n<p>{html.escape(run.name)}, {run.seconds:.1f} s {state}"
            f"</p>\n{pictures}\n</section>"
        )
    failed = sum(run.error is not None for run in runs)
    seconds = sum(run.seconds for run in runs)
    summary = (
        f"{len(runs)} notebook{'s' * (len(runs) != 1)} in {seconds:.0f} s, "
        f"{failed or 'none'} failed. glassnb {glassnb.__version__}, "
        f"commit {git_commit() or 'unknown'}, size {os.environ['GLASSNB_SIZE']}."
    )
    return _INDEX.format(summary=html.escape(summary), sections="\n".join(sections))


def _by_stem(figures: list[str]) -> list[tuple[str, list[str]]]:
    """Group the formats of one figure; files that are no pictures (tables) stand alone."""
    groups: dict[str, list[str]] = {}
    for name in figures:
        groups.setdefault(str(Path(name).with_suffix("")), []).append(name)
    return sorted(groups.items())


def _thumbnail(stem: str, files: list[str]) -> str:
    links = ", ".join(
        f'<a href="figures/{html.escape(name)}">{Path(name).suffix[1:]}</a>' for name in files
    )
    caption = f"<figcaption>{html.escape(stem)} ({links})</figcaption>"
    shown = [name for name in files if name.endswith(SHOWN)]
    if not shown:
        return f"<figure>{caption}</figure>"
    source = f"figures/{html.escape(shown[0])}"
    picture = f'<a href="{source}"><img src="{source}" alt="{html.escape(stem)}"></a>'
    return f"<figure>{picture}{caption}</figure>"


# -- command -------------------------------------------------------------------------------------


def choose(folder: Path, names: list[str]) -> list[Path]:
    """Find the notebooks whose names begin with one of ``names``; all if none are given."""
    found = sorted(folder.glob("*.ipynb"))
    if not found:
        sys.exit(f"no notebooks in {folder}")
    wanted = [Path(name).name.removesuffix(".ipynb") for name in names]
    for name in wanted:
        if not any(path.stem.startswith(name) for path in found):
            sys.exit(f"no notebook begins with {name!r}; there are: "
                     + ", ".join(path.stem for path in found))  # fmt: skip
    return [path for path in found if not wanted or path.stem.startswith(tuple(wanted))]


def main(arguments: list[str] | None = None) -> int:
    """Run the notebooks; return the number that failed."""
    parser = argparse.ArgumentParser(description="Execute notebooks into HTML and figures.")
    parser.add_argument("names", nargs="*", help="beginnings of names; all notebooks if none")
    parser.add_argument("--notebooks", type=Path, default=ROOT / "notebooks", metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=ROOT / "output", metavar="FOLDER")
    parser.add_argument("--timeout", type=int, default=600, help="seconds for one cell")
    options = parser.parse_args(arguments)
    paths = choose(options.notebooks.resolve(), options.names)
    output = options.output.resolve()
    (output / "figures").mkdir(parents=True, exist_ok=True)
    record = output / "runs.json"
    known = _forget(record, output, {path.stem for path in paths}, everything=not options.names)

    os.environ["GLASSNB_FIGURES"] = str(output / "figures")
    os.environ.setdefault("GLASSNB_SIZE", "teaching")
    os.environ["GLASSNB_PROGRESS"] = "off"
    os.environ.pop("MPLBACKEND", None)  # the kernel draws into the notebook
    width = max(len(path.stem) for path in paths)
    runs = []
    for path in paths:
        print(f"{path.stem:<{width}} ", end="", flush=True)
        run = run_notebook(path, output, options.timeout)
        print(f"{run.seconds:7.1f} s  {'failed: ' + run.error if run.error else 'ok'}", flush=True)
        runs.append(run)
        known[run.name] = run
        listed = [known[name] for name in sorted(known)]
        with atomic_path(record) as temporary:
            temporary.write_text(json.dumps([asdict(run) for run in listed], indent=1))
        with atomic_path(output / "index.html") as temporary:
            temporary.write_text(index(listed, output), encoding="utf-8")

    failed = [run.name for run in runs if run.error]
    print(f"{'total':<{width}} {sum(run.seconds for run in runs):7.1f} s  "
          + (f"failed: {', '.join(failed)}" if failed else "all ok"))  # fmt: skip
    print(f"see {output / 'index.html'}")
    return 1 if failed else 0


def _forget(record: Path, output: Path, names: set[str], *, everything: bool) -> dict[str, Any]:
    """Remove what earlier runs left of these notebooks; return the runs that stay listed."""
    try:
        earlier = [Run(**run) for run in json.loads(record.read_text())]
    except (OSError, ValueError, TypeError):
        return {}
    stale = [run for run in earlier if everything or run.name in names]
    for run in stale:
        for name in [f"{run.name}.html", *(f"figures/{figure}" for figure in run.figures)]:
            (output / name).unlink(missing_ok=True)
    return {run.name: run for run in earlier if run not in stale}


if __name__ == "__main__":
    sys.exit(main())
