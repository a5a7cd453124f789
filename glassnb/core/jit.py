"""The one place that owns Numba's options.

Kernels live in ``_kernels.py`` files and use one of the two decorators below, and nothing else.

* ``kernel``: compiled, cached on disk, releases the interpreter lock, runs on the calling thread.
* ``parallel_kernel``: the same function compiled twice, with ``prange`` loops threaded and with
  them serial. Numba's portable "workqueue" threading layer aborts the process when two Python
  threads enter threaded code at once, so the threaded version runs under one lock, and tasks that
  :mod:`glassnb.core.parallel` maps over threads or machines get the serial version.

``fastmath`` stays off: results must not depend on the order a compiler likes, and NaN stays NaN.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import numba

__all__ = ["kernel", "parallel_kernel", "serial_kernels"]

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "fastmath": False, "error_model": "numpy"}
_one_at_a_time = threading.RLock()
_thread = threading.local()


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile ``function`` for one thread."""
    return numba.njit(**_OPTIONS)(function)


class ParallelKernel:
    """A kernel that threads its ``prange`` loops, or not, as the calling thread demands."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.py_func = function
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        # Numba's disk cache is keyed by the qualified name and not by the options, so the
        # serial twin needs a name of its own.
        assert isinstance(function, FunctionType)
        twin = FunctionType(
            function.__code__, function.__globals__, function.__name__, function.__defaults__
        )
        twin.__module__ = function.__module__
        twin.__qualname__ = f"{function.__qualname__}__serial"
        self.serial = numba.njit(**_OPTIONS)(twin)
        self.threaded = numba.njit(parallel=True, **_OPTIONS)(function)

    def __call__(self, *arguments: Any) -> Any:
        """Run the kernel on ``arguments``."""
        if getattr(_thread, "serial", False):
            return self.serial(*arguments)
        with _one_at_a_time:
            return self.threaded(*arguments)


def parallel_kernel(function: Callable[..., Any]) -> ParallelKernel:
    """Compile ``function`` with threaded ``prange`` loops and a serial twin."""
    return ParallelKernel(function)


@contextmanager
def serial_kernels() -> Iterator[None]:
    """Within this block, and on this thread, parallel kernels run on one thread."""
    before = getattr(_thread, "serial", False)
    _thread.serial = True
    try:
        yield
    finally:
        _thread.serial = before
