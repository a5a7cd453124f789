"""Timing of single calls."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable

BUDGET = 20.0  # seconds a side may take in repetitions


def best(call: Callable[[], object]) -> float:
    """Return the smallest wall time of a call after one to warm up, in s."""
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        call()
        times: list[float] = []
        while len(times) < 7 and sum(times) < BUDGET:
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    return min(times)


def report(what: str, peer: str, ours: float, theirs: float) -> None:
    print(f"| {what} | {ours:.4f} | {peer} | {theirs:.3f} | {theirs / ours:.1f} |", flush=True)
