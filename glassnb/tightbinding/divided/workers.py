"""Who calculates the subsystems: threads of this process, or the workers of a Dask cluster.

Each process keeps the matrices of the subsystems it has met and the orbitals of the last potential,
and sets up what it does not find: a worker that dies takes nothing with it. Every request brings
all it needs, so an answer depends neither on where nor on how often it is worked out.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnb.core.jit import serial_kernels
from glassnb.core.parallel import map_tasks
from glassnb.tightbinding.divided.subsystem import Cluster, Levels, Orbitals, Subsystem

__all__ = ["Crew", "State"]

FloatArray = NDArray[np.float64]

# Square matrices of doubles that a subsystem holds: with its orbitals, and of these alone.
_MATRICES, _ORBITALS = 3.3, 2.3
_PACKET = 4  # subsystems that travel together
_ATTEMPTS = 3
_PATIENCE = 30  # seconds in which a cluster has to have a worker


class State:
    """A subsystem in the memory of a process.

    Parameters
    ----------
    cluster : Cluster
        Its atoms.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._token = ""
        self._subsystem: Subsystem | None = None
        self._solution: tuple[Levels, FloatArray] | None = None
        self._orbitals: Orbitals | None = None

    @property
    def subsystem(self) -> Subsystem:
        """Its matrices."""
        if self._subsystem is None:
            self._subsystem = Subsystem(self._cluster)
        return self._subsystem

    def solved(self, token: str, potential: FloatArray) -> tuple[Levels, FloatArray]:
        """Return levels and vectors in a potential, known by its token.

        Parameters
        ----------
        token : str
            The same for the same potential.
        potential : ndarray, shape (n_shells of the whole structure,)
            In Hartree.

        Returns
        -------
        levels : Levels
            Energies and weights.
        vectors : ndarray
            As of :meth:`Subsystem.solve`.
        """
        if self._solution is None or self._token != token:
            self._token, self._orbitals = token, None
            self._solution = self.subsystem.solve(potential)
        return self._solution

    def orbitals(self, token: str, potential: FloatArray) -> Orbitals:
        """Return the orbitals in a potential, and let go of the matrices that gave them.

        Parameters
        ----------
        token : str
            The same for the same potential.
        potential : ndarray, shape (n_shells of the whole structure,)
            In Hartree.

        Returns
        -------
        Orbitals
            What derivatives take.
        """
        if self._orbitals is None or self._token != token:
            solution = self.solved(token, potential)
            self._orbitals = self.subsystem.orbitals(*solution)
            self._subsystem = self._solution = None
        return self._orbitals


# What this process keeps: states by geometry and number of the subsystem.
_kept: dict[tuple[str, int], State] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Order:
    """What to do with one subsystem."""

    geometry: str
    number: int
    cluster: Cluster
    keep: bool


def forget(geometry: str) -> None:
    """Let go of all that this process keeps but the subsystems of one geometry.

    Parameters
    ----------
    geometry : str
        What to keep; what follows a slash tells different divisions of one geometry apart.
    """
    root = geometry.partition("/")[0]
    with _lock:
        for key in [key for key in _kept if key[0].partition("/")[0] != root]:
            del _kept[key]


def _carry_out(
    orders: Sequence[Order], task: Callable[[State, Any], Any], arguments: Any
) -> list[Any]:
    """Work on some subsystems, one after the other."""
    answers = []
    for order in orders:
        key = (order.geometry, order.number)
        with _lock:
            state = _kept.get(key)
        if state is None:
            state = State(order.cluster)
        answers.append(task(state, arguments))
        if order.keep:
            with _lock:
                _kept[key] = state
    return answers


@dataclass
class Crew:
    """The subsystems of one geometry and those who work on them.

    Parameters
    ----------
    clusters : sequence of Cluster
        The subsystems.
    sizes : sequence of int
        Number of orbitals of each.
    memory_limit : float, optional
        Bytes that each process may keep; what does not fit is set up anew each time.
    client : dask.distributed.Client, optional
        Whose workers to use; threads of this process when omitted.
    taken : float
        Bytes of the limit that others use in this process.

    Attributes
    ----------
    kept : float
        Bytes of the matrices that are kept.
    """

    clusters: Sequence[Cluster]
    sizes: Sequence[int]
    memory_limit: float | None = None
    client: Any = None
    taken: float = 0.0
    geometry: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        squares = 8.0 * np.asarray(self.sizes, dtype=float) ** 2
        limit = np.inf if self.memory_limit is None else float(self.memory_limit)
        if self.client is None:
            limit -= self.taken
        else:
            limit *= max(len(self._worker_names()), 1)
        self._keep = _MATRICES * np.cumsum(squares) <= limit
        self._keep_orbitals = _ORBITALS * np.cumsum(squares) <= limit
        self.kept = _MATRICES * float(squares[self._keep].sum())

    def run(
        self, task: Callable[[State, Any], Any], arguments: Any, *, orbitals: bool = False
    ) -> list[Any]:
        """Do something with every subsystem.

        Parameters
        ----------
        task : callable
            A function of a module, called with a :class:`State` and the arguments.
        arguments : object
            The same for all subsystems.
        orbitals : bool
            Whether the task takes nothing but :meth:`State.orbitals`.

        Returns
        -------
        list
            Answers in the order of the subsystems.
        """
        keep = self._keep_orbitals if orbitals else self._keep
        orders = [
            Order(self.geometry, k, cluster, bool(keep[k]))
            for k, cluster in enumerate(self.clusters)
        ]
        if self.client is not None:
            return self._on_cluster(orders, task, arguments)
        from threadpoolctl import threadpool_limits

        forget(self.geometry)
        with threadpool_limits(1, "blas"):  # the threads are ours
            answers = map_tasks(
                lambda order: _carry_out([order], task, arguments), orders, progress=False
            )
        return [answer for (answer,) in answers]

    def _worker_names(self) -> list[str]:
        # A cluster that has just lost its workers may be about to start others.
        with suppress(TimeoutError):
            self.client.wait_for_workers(1, timeout=_PATIENCE)
        names = sorted(self.client.scheduler_info(n_workers=-1)["workers"])
        if not names:
            raise ValueError(f"client={self.client!r}: has no workers; start some")
        return names

    def _on_cluster(
        self, orders: list[Order], task: Callable[[State, Any], Any], arguments: Any
    ) -> list[Any]:
        """Have the work done on a cluster, and once more if machines were lost on the way."""
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        for attempt in range(_ATTEMPTS):
            try:
                return self._sent(orders, task, arguments)
            except (CommClosedError, FutureCancelledError, KilledWorker):
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError

    def _sent(
        self, orders: list[Order], task: Callable[[State, Any], Any], arguments: Any
    ) -> list[Any]:
        """Give each worker the subsystems it had before, as long as it lives."""
        names = self._worker_names()
        packets: list[list[int]] = [[] for _ in names]
        load = np.zeros(len(names))
        for k in np.argsort(self.sizes)[::-1].tolist():
            lightest = int(np.argmin(load))
            packets[lightest].append(k)
            load[lightest] += float(self.sizes[k]) ** 3
        shared = self.client.scatter((task, arguments), broadcast=True, hash=False)
        parts, futures = [], []
        for worker, packet in zip(names, packets, strict=True):
            for part in (packet[i : i + _PACKET] for i in range(0, len(packet), _PACKET)):
                parts.append(part)
                futures.append(
                    self.client.submit(
                        _remote, [orders[k] for k in part], shared, pure=False,
                        workers=[worker], allow_other_workers=True,
                    )
                )  # fmt: skip
        answers: list[Any] = [None] * len(orders)
        try:
            for part, found in zip(parts, self.client.gather(futures), strict=True):
                for k, answer in zip(part, found, strict=True):
                    answers[k] = answer
        except BaseException:
            self.client.cancel(futures)
            raise
        return answers


def _remote(orders: list[Order], shared: tuple[Callable[[State, Any], Any], Any]) -> list[Any]:
    """Do the work on a worker, on one thread."""
    from threadpoolctl import threadpool_limits

    forget(orders[0].geometry)
    with threadpool_limits(1, "blas"), serial_kernels():
        return _carry_out(orders, *shared)
