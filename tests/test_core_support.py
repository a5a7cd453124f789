"""The ground floor's helpers: parallel work, progress, provenance, configuration."""

import functools
import importlib
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from glassnb.core import jit, parallel
from glassnb.core import progress as progress_module
from glassnb.core.config import Config, config
from glassnb.core.histograms import pair_histogram
from glassnb.core.jit import serial_kernels
from glassnb.core.parallel import map_tasks, thread_count
from glassnb.core.progress import progress_bar
from glassnb.models.crystals import crystal

# glassnb.core exports a function of the same name
provenance = importlib.import_module("glassnb.core.provenance")

# -- configuration -------------------------------------------------------------------------------


def test_config_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("GLASSNB_SIZE", "GLASSNB_PROGRESS", "GLASSNB_FIGURES"):
        monkeypatch.delenv(variable, raising=False)
    assert config() == Config("teaching", progress=True, figures=None)
    assert not config().paper


def test_config_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GLASSNB_SIZE", "paper")
    monkeypatch.setenv("GLASSNB_PROGRESS", "off")
    monkeypatch.setenv("GLASSNB_FIGURES", str(tmp_path))
    assert config() == Config("paper", progress=False, figures=tmp_path)
    assert config().paper
    for off in ("off", ""):
        monkeypatch.setenv("GLASSNB_FIGURES", off)
        assert config().figures is None


@pytest.mark.parametrize(
    ("variable", "allowed"),
    [("GLASSNB_SIZE", "teaching, paper"), ("GLASSNB_PROGRESS", "auto, off")],
)
def test_config_refuses(monkeypatch: pytest.MonkeyPatch, variable: str, allowed: str) -> None:
    monkeypatch.setenv(variable, "huge")
    with pytest.raises(ValueError, match=f"{variable}='huge': must be one of {allowed}"):
        config()


# -- progress ------------------------------------------------------------------------------------


class FakeBar:
    """Records what a tqdm bar is asked."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.calls: list[tuple[str, Any]] = []

    def update(self, units: int) -> None:
        self.calls.append(("update", units))

    def set_postfix_str(self, text: str, refresh: bool) -> None:
        self.calls.append(("message", text))

    def close(self) -> None:
        self.calls.append(("close", None))


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[FakeBar]:
    """Every bar that is drawn."""
    drawn: list[FakeBar] = []

    def draw(total: int, description: str) -> FakeBar:
        drawn.append(FakeBar(total=total, desc=description))
        return drawn[-1]

    monkeypatch.setattr(progress_module, "_tqdm", draw)
    return drawn


def test_progress_counts_and_reports(bars: list[FakeBar]) -> None:
    with progress_bar(10, "melting", True) as bar:
        bar.update()
        bar.update(4, "3000 K")
        assert (bar.done, bar.total, bar.message) == (5, 10, "3000 K")
    bar.update(2)
    assert bar.done == 7  # counts on, draws no more
    assert bars[0].options == {"total": 10, "desc": "melting"}
    assert bars[0].calls == [
        ("update", 1), ("message", "3000 K"), ("update", 4), ("close", None),
    ]  # fmt: skip


def test_progress_calls_back(bars: list[FakeBar]) -> None:
    seen: list[tuple[int, int, str]] = []
    with progress_bar(2, "rings", lambda *state: seen.append(state)) as bar:
        bar.update()
        bar.update(1, "last")
    assert seen == [(1, 2, "rings"), (2, 2, "last")]
    assert bars == []


def test_progress_is_shown_as_asked(bars: list[FakeBar], monkeypatch: pytest.MonkeyPatch) -> None:
    progress_bar(1, "a", False)
    progress_bar(1, "b")  # GLASSNB_PROGRESS=off in the tests
    assert bars == []
    monkeypatch.setenv("GLASSNB_PROGRESS", "auto")
    progress_bar(1, "c", False)
    progress_bar(1, "d")
    assert [bar.options["desc"] for bar in bars] == ["d"]


def test_progress_closes_after_an_error(bars: list[FakeBar]) -> None:
    with pytest.raises(RuntimeError), progress_bar(2, "a", True):
        raise RuntimeError
    assert bars[0].calls == [("close", None)]


@pytest.mark.parametrize(
    ("terminal", "notebook", "expected"),
    [
        (True, False, {"plain": True}),
        (False, False, {"plain": True, "mininterval": 30.0, "ascii": True, "ncols": 100}),
        (True, True, {"plain": False}),
    ],
    ids=["terminal", "log", "notebook"],
)
def test_progress_suits_where_it_is_shown(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, notebook: bool, expected: dict[str, Any]
) -> None:
    import tqdm.auto
    import tqdm.std

    monkeypatch.setattr(tqdm.std, "tqdm", functools.partial(FakeBar, plain=True))
    monkeypatch.setattr(tqdm.auto, "tqdm", functools.partial(FakeBar, plain=False))
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    if notebook:
        monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())  # type: ignore[arg-type]
    options = progress_module._tqdm(5, "name").options
    common = {"total": 5, "desc": "name", "leave": False, "delay": 1.0}
    assert options == common | expected


def test_quick_work_draws_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(3, "quick", True) as bar:
        bar.update(3)
    assert capsys.readouterr().err.strip() == ""


# -- provenance ----------------------------------------------------------------------------------


def test_provenance_tells_all() -> None:
    import ase

    import glassnb

    record = provenance.provenance(seed=7, cutoff=2.0, size=(1, 2))
    assert record["glassnb"] == glassnb.__version__
    assert record["seed"] == 7
    assert record["parameters"] == {"cutoff": 2.0, "size": [1, 2]}
    assert record["packages"]["ase"] == ase.__version__
    assert record["packages"]["numpy"] == np.__version__
    assert record["commit"] == provenance.git_commit()
    assert record == provenance.from_json(provenance.to_json(record))
    assert provenance.provenance()["seed"] is None


def test_provenance_leaves_out_packages_that_are_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "_PACKAGES", ("numpy", "no-such-package"))
    assert set(provenance.provenance()["packages"]) == {"numpy"}


def test_json_takes_what_science_uses(tmp_path: Path) -> None:
    record = {
        "array": np.arange(3),
        "scalar": np.float64(0.1),
        "integer": np.int32(4),
        "flag": np.bool_(True),
        "path": tmp_path,
        "cutoff": {("Si", "O"): np.float32(2.0), 14: "Si"},
        "nested": [{"of": np.eye(2)}, (1, 2)],
        "mapping": MappingProxyType({1: [np.int64(2)]}),
    }
    text = provenance.to_json(record)
    assert json.loads(text) == provenance.from_json(text)
    assert "\n" not in text
    assert provenance.from_json(text) == {
        "array": [0, 1, 2],
        "scalar": 0.1,
        "integer": 4,
        "flag": True,
        "path": str(tmp_path),
        "cutoff": {"Si-O": 2.0, "14": "Si"},
        "nested": [{"of": [[1.0, 0.0], [0.0, 1.0]]}, [1, 2]],
        "mapping": {"1": [2]},
    }
    assert provenance.to_json({"b": 1, "a": 2}) == '{"a": 2, "b": 1}'


def git(folder: Path, *arguments: str) -> str:
    """Run git as nobody in particular."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that looks like a checkout of glassnb, and is not yet under git."""
    file = tmp_path / "repo" / "glassnb" / "core" / "provenance.py"
    file.parent.mkdir(parents=True)
    file.write_text("x = 1\n")
    monkeypatch.setattr(provenance, "__file__", str(file))
    provenance.git_commit.cache_clear()
    yield tmp_path / "repo"
    provenance.git_commit.cache_clear()


def commit_all(folder: Path) -> str:
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=one")
    return git(folder, "rev-parse", "--short=12", "HEAD")


def test_commit_of_a_checkout(checkout: Path) -> None:
    head = commit_all(checkout)
    git(checkout, "tag", "v1.0")  # a tag does not replace the commit
    assert provenance.git_commit() == head
    (checkout / "glassnb" / "core" / "provenance.py").write_text("x = 2\n")
    provenance.git_commit.cache_clear()
    assert provenance.git_commit() == f"{head}-dirty"


def test_commit_through_a_symbolic_link(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = commit_all(checkout)
    (checkout.parent / "link").symlink_to(checkout)
    file = checkout.parent / "link" / "glassnb" / "core" / "provenance.py"
    monkeypatch.setattr(provenance, "__file__", str(file))
    assert provenance.git_commit() == head


def test_no_commit_without_repository(checkout: Path) -> None:
    assert provenance.git_commit() is None


def test_no_commit_in_the_repository_of_others(checkout: Path) -> None:
    commit_all(checkout.parent)
    assert provenance.git_commit() is None


def test_no_commit_without_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit_all(checkout)
    monkeypatch.setenv("PATH", str(checkout))
    assert provenance.git_commit() is None


def test_atomic_path_writes_whole_files(tmp_path: Path) -> None:
    target = tmp_path / "new" / "result.json"
    with provenance.atomic_path(target) as temporary:
        assert temporary.suffix == ".json"
        assert temporary.parent == target.parent
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert [path.name for path in target.parent.iterdir()] == ["result.json"]


def test_atomic_path_keeps_the_old_file_after_an_error(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    target.write_text("old")

    def write_half() -> None:
        with provenance.atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


# -- parallel: threads ---------------------------------------------------------------------------


@pytest.fixture
def four_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four threads, whatever the machine has."""
    monkeypatch.setenv("NUMBA_NUM_THREADS", "4")


def test_thread_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    assert thread_count() == 3
    monkeypatch.setenv("NUMBA_NUM_THREADS", "many")
    with pytest.raises(ValueError, match="NUMBA_NUM_THREADS='many': must be a whole number"):
        thread_count()
    monkeypatch.delenv("NUMBA_NUM_THREADS")
    assert thread_count() >= 1
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert thread_count() == os.cpu_count()


@pytest.mark.usefixtures("four_threads")
def test_order_is_kept() -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.02 if item == 0 else 0.0)
        return item * item

    seen: list[int] = []
    answer = map_tasks(slow_first, range(20), progress=lambda done, *_: seen.append(done))
    assert answer == [item * item for item in range(20)]
    assert seen == list(range(1, 21))


@pytest.mark.usefixtures("four_threads")
def test_tasks_run_side_by_side() -> None:
    """Four tasks that wait for each other can only end if all run at once."""
    barrier = threading.Barrier(4, timeout=30)
    assert map_tasks(lambda _: barrier.wait() >= 0, range(4)) == [True] * 4


@pytest.mark.usefixtures("four_threads")
def test_first_exception_stops_the_rest() -> None:
    ran: list[int] = []

    def fail_at_once(item: int) -> None:
        if item == 0:
            raise KeyError("item 0")
        time.sleep(0.01)
        ran.append(item)

    with pytest.raises(KeyError, match="item 0"):
        map_tasks(fail_at_once, range(200))
    assert len(ran) < 199


def test_few_items(monkeypatch: pytest.MonkeyPatch) -> None:
    assert map_tasks(abs, []) == []
    assert map_tasks(abs, iter([-2])) == [2]
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    with pytest.raises(ValueError, match="math domain|nonnegative"):
        map_tasks(math.sqrt, [1.0, -1.0])


@pytest.mark.usefixtures("four_threads")
def test_kernels_are_serial_inside_tasks_alone() -> None:
    def serial(_: int) -> bool:
        return bool(getattr(jit._thread, "serial", False))

    assert map_tasks(serial, range(4)) == [True] * 4
    assert map_tasks(serial, [0]) == [False]  # one task may use every core
    assert not serial(0)


def test_serial_kernels_nest_and_end() -> None:
    def serial() -> bool:
        return bool(getattr(jit._thread, "serial", False))

    def fail() -> None:
        with serial_kernels():
            with serial_kernels():
                assert serial()
            assert serial()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not serial()


def test_threaded_and_serial_kernels_agree() -> None:
    atoms = crystal("coesite", repeat=2)
    _, threaded = pair_histogram(atoms, 7.0, 50)
    with serial_kernels():
        _, serial = pair_histogram(atoms, 7.0, 50)
    np.testing.assert_array_equal(threaded, serial)


def test_client_must_be_a_client() -> None:
    with pytest.raises(ValueError, match="client='cluster': must be a dask.distributed.Client"):
        map_tasks(abs, [1], client="cluster")


# -- parallel: Numba's workqueue layer -----------------------------------------------------------

_TWO_THREADS = """
import threading
import numba
from glassnb.core.histograms import pair_histogram
from glassnb.core.parallel import map_tasks
from glassnb.models.crystals import crystal

atoms = crystal("alpha-quartz", repeat=3)
expected = pair_histogram(atoms, 6.0, 50)[1]
assert numba.threading_layer() == "workqueue", numba.threading_layer()

def work(_):
    return all((pair_histogram(atoms, 6.0, 50)[1] == expected).all() for _ in range(20))

answers = []
{body}
assert answers and all(answers)
print("survived")
"""

_BODIES = {
    "directly": """
threads = [threading.Thread(target=lambda: answers.append(work(0))) for _ in range(2)]
""",
    "within map_tasks": """
threads = [threading.Thread(target=lambda: answers.extend(map_tasks(work, range(4))))
           for _ in range(2)]
""",
    "both": """
threads = [threading.Thread(target=lambda: answers.append(work(0))),
           threading.Thread(target=lambda: answers.extend(map_tasks(work, range(4))))]
""",
}


@pytest.mark.parametrize("body", _BODIES.values(), ids=_BODIES)
def test_two_threads_survive_the_workqueue_layer(body: str) -> None:
    """That layer aborts the process when two threads enter threaded code at once."""
    run = "for thread in threads: thread.start()\nfor thread in threads: thread.join()\n"
    environment = os.environ | {"NUMBA_THREADING_LAYER": "workqueue", "NUMBA_NUM_THREADS": "2"}
    answer = subprocess.run(
        [sys.executable, "-c", _TWO_THREADS.format(body=body + run)],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "survived"


# -- parallel: a cluster -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two worker processes."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as found,
    ):
        yield found


def where() -> Callable[[int], tuple[int, int, bool]]:
    """A task that says in which process it ran; nested, so that it travels by value."""

    def task(item: int) -> tuple[int, int, bool]:
        import os
        import time

        from glassnb.core import jit

        time.sleep(0.05)
        return item, os.getpid(), bool(getattr(jit._thread, "serial", False))

    return task


@pytest.mark.slow
def test_cluster_runs_elsewhere_in_order(client: Any) -> None:
    seen: list[int] = []
    answer = map_tasks(where(), range(10), client=client, progress=lambda n, *_: seen.append(n))
    items, processes, serial = zip(*answer, strict=True)
    assert items == tuple(range(10))
    assert os.getpid() not in processes
    assert len(set(processes)) == 2
    assert all(serial)
    assert seen == list(range(1, 11))
    assert map_tasks(abs, [], client=client) == []


@pytest.mark.slow
def test_cluster_gives_the_same_results(client: Any) -> None:
    atoms = crystal("alpha-cristobalite", repeat=2)
    count = functools.partial(pair_histogram, atoms, 4.0)
    there = map_tasks(count, [10, 20, 30], client=client)
    here = map_tasks(count, [10, 20, 30])
    for (_, a), (_, b) in zip(there, here, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_cluster_raises_what_the_task_raised(client: Any) -> None:
    with pytest.raises(ValueError, match="math domain|nonnegative"):
        map_tasks(math.sqrt, [4.0, -1.0, 9.0], client=client)
    assert map_tasks(math.sqrt, [4.0], client=client) == [2.0]  # the cluster lives on


def test_module_exports() -> None:
    for module in (parallel, progress_module, provenance, jit):
        for name in module.__all__:
            assert hasattr(module, name)
