"""Work in a thread of its own, of which the newest counts, and words on it. No widget here."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from traitlets import Bool, HasTraits, Unicode

__all__ = ["Background", "SupersededError", "explain", "quietly"]

Result = TypeVar("Result")


class SupersededError(Exception):
    """Somebody wants something else by now."""


class Background(HasTraits):
    """A model part of whose work goes on in the background.

    One thread does what :meth:`ask` was called with last. What is asked for meanwhile waits in its
    place, and what waited there before is forgotten.

    Attributes
    ----------
    busy : bool
        Whether work goes on.
    status, note, error : str
        What goes on or has been found, what was left out, and what failed.
    lock : threading.RLock
        Held while results are published; hold it to change several things as one.
    """

    #: What the work is called in messages.
    work = "search"

    busy = Bool(False)
    status = Unicode("")
    note = Unicode("")
    error = Unicode("")

    def __init__(self, **traits: Any) -> None:
        self.lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._wanted: tuple[Any, ...] | None = None
        self._given_up = False
        super().__init__(**traits)

    @property
    def superseded(self) -> bool:
        """Whether something else is wanted than what goes on."""
        return self._wanted is not None or self._given_up

    def check_wanted(self) -> None:
        """End the work if something else is wanted.

        Raises
        ------
        SupersededError
            If so; the thread takes it and goes on with what is wanted.
        """
        if self.superseded:
            raise SupersededError

    def ask(self, *wanted: Any) -> None:
        """Do something in the background; what goes on is given up.

        Parameters
        ----------
        *wanted
            Passed on to ``_run``, which does it.
        """
        with self.lock:
            self._wanted, self._given_up = wanted, False
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, daemon=True, name=f"glassnb {self.work}"
                )
                self.busy = True
                self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the work has ended.

        Parameters
        ----------
        timeout : float, optional
            Longest wait in s.

        Raises
        ------
        TimeoutError
            If it goes on after that time.
        """
        if thread := self._thread:
            thread.join(timeout)
            if thread.is_alive():
                raise TimeoutError(f"the {self.work} goes on after {timeout} s")

    def stop(self) -> None:
        """Give up the work that goes on, if any; its result is not shown."""
        with self.lock:
            self._wanted, self._given_up = None, self._thread is not None

    def _run(self, *wanted: Any) -> None:
        """Do what was asked for; in the thread."""
        raise NotImplementedError

    def _work(self) -> None:
        while True:
            with self.lock:
                wanted, self._wanted = self._wanted, None
                if wanted is None or self._given_up:
                    self._thread, self._given_up = None, False
                    self.busy = False
                    return
            self.error = ""
            try:
                self._run(*wanted)
            except SupersededError:
                continue
            except Exception as error:  # the thread has nobody else to tell
                self.error = explain(error)
                self.status = f"The {self.work} failed."


def explain(error: Exception) -> str:
    """Say what failed.

    Parameters
    ----------
    error : Exception
        What was raised.

    Returns
    -------
    str
        Its text; with its kind, unless it is meant for people.
    """
    text = str(error) or type(error).__name__
    plain = isinstance(error, ValueError | ImportError)
    return text if plain else f"{type(error).__name__}: {text}"


def quietly(call: Callable[..., Result], *args: Any) -> tuple[Result, str]:
    """Call something, and return what it warns of as text.

    Parameters
    ----------
    call : callable
        What is called.
    *args
        Its arguments.

    Returns
    -------
    result : object
        What it returns.
    note : str
        Its warnings to users; others are passed on.
    """
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        result = call(*args)
    notes = [str(w.message) for w in warned if issubclass(w.category, UserWarning)]
    for other in warned:
        if not issubclass(other.category, UserWarning):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    return result, "; ".join(notes)
