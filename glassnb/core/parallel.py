"""One interface for many independent pieces of work: threads here, a Dask cluster there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, TypeVar

from glassnb.core.jit import serial_kernels
from glassnb.core.progress import ProgressOption, progress_bar

__all__ = ["map_tasks", "thread_count"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def thread_count() -> int:
    """Return the number of threads that mapped work uses on this machine.

    Returns
    -------
    int
        ``NUMBA_NUM_THREADS`` where set, else the number of usable cores.

    Raises
    ------
    ValueError
        If ``NUMBA_NUM_THREADS`` is no positive number.
    """
    setting = os.environ.get("NUMBA_NUM_THREADS")
    if setting:
        if not setting.isdigit() or int(setting) < 1:
            raise ValueError(f"NUMBA_NUM_THREADS={setting!r}: must be a whole number, 1 or more")
        return int(setting)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def map_tasks(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    client: Any = None,
    progress: ProgressOption = None,
    description: str = "tasks",
) -> list[Result]:
    """Apply a function to every item, side by side, and keep the order.

    Inside a task, threaded kernels run on one thread: the tasks themselves fill the machine.

    Parameters
    ----------
    function : callable
        Called with one item. For a cluster it must be picklable: defined in a module.
    items : iterable
        The pieces of work.
    client : dask.distributed.Client, optional
        Where to run; threads of this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`.
    description : str
        Label of the progress bar.

    Returns
    -------
    list
        Results in the order of the items.

    Raises
    ------
    ValueError
        If ``client`` is not a Dask client.
    Exception
        The first exception that a task raised; work not yet started is cancelled.
    """
    work = list(items)
    with progress_bar(len(work), description, progress) as bar:
        if client is None:
            return _on_threads(function, work, bar.update)
        if not (hasattr(client, "submit") and hasattr(client, "scatter")):
            raise ValueError(
                f"client={client!r}: must be a dask.distributed.Client, or None for threads"
            )
        return _on_cluster(function, work, client, bar.update)


def _run_serial(function: Callable[[Item], Result], item: Item) -> Result:
    with serial_kernels():
        return function(item)


def _on_threads(
    function: Callable[[Item], Result], work: list[Item], done: Callable[[], None]
) -> list[Result]:
    threads = min(thread_count(), len(work))
    if threads <= 1:
        results = []
        for item in work:
            results.append(function(item))  # alone, so its kernels may use every core
            done()
        return results
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(_run_serial, function, item) for item in work]
        try:
            for future in as_completed(futures):
                future.result()
                done()
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        return [future.result() for future in futures]


def _on_cluster(
    function: Callable[[Item], Result], work: list[Item], client: Any, done: Callable[[], None]
) -> list[Result]:
    from distributed import as_completed as finished

    # The function may carry a whole structure (functools.partial): send it once per machine.
    sent = client.scatter(function, broadcast=True, hash=False)
    futures = [client.submit(_run_serial, sent, item, pure=False) for item in work]
    try:
        for future in finished(futures):
            if future.status == "error":
                future.result()
            done()
        return client.gather(futures)
    except BaseException:
        client.cancel(futures)
        raise
