"""Damage to files, for fuzz tests: what a disk, an editor or another program does to a text."""

import contextlib
import os
import re
import signal
import warnings

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("GLASSNB_FUZZ", "20"))
LIMIT = 5.0  # seconds for one file

WORDS = ("nan", "NaN", "-nan(ind)", "1.#QNAN", "inf", "-inf", "1e999", "****", "text", "", "1,5",
         "1,234.5", "0", "-1", "-1.5", "1.5.2", "7", "99999999999", "1e-3", "0.1D+01")  # fmt: skip
MARKS = (",", ";", "\t", "\x00", "\r", "é", "#", "&", "\ufeff", "\n", "-", ".", '"', "٣", "_")


def fuzz(function):
    """Settings of all fuzz tests: the same examples in a short run and in CI, else new ones."""
    return settings(
        max_examples=EXAMPLES,
        derandomize=EXAMPLES <= 20 or "CI" in os.environ,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )(function)


@st.composite
def damaged(draw, texts):
    """One of the texts with one to three kinds of damage, as bytes."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 3))):
        text = draw(st.sampled_from((cut, drop, double, swap, replace, replace, insert)))(
            draw, text
        )
    data = text.encode()
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return text.replace("\n", "\r\n").encode()
    if kind == 1 and data:
        place = draw(st.integers(0, len(data) - 1))
        return data[:place] + bytes([draw(st.integers(0, 255))]) + data[place + 1 :]
    return data


def cut(draw, text):
    return text[: draw(st.integers(0, len(text)))]


def _line(draw, text):
    lines = text.split("\n")
    return lines, draw(st.integers(0, len(lines) - 1))


def drop(draw, text):
    lines, k = _line(draw, text)
    return "\n".join(lines[:k] + lines[k + 1 :])


def double(draw, text):
    lines, k = _line(draw, text)
    return "\n".join(lines[: k + 1] + lines[k:])


def swap(draw, text):
    lines, k = _line(draw, text)
    lines[k - 1], lines[k] = lines[k], lines[k - 1]
    return "\n".join(lines)


def replace(draw, text):
    """Put another word in the place of a number."""
    places = [m.span() for m in re.finditer(r"[+-]?\d[\d.eE+-]*", text)]
    if not places:
        return text
    begin, end = draw(st.sampled_from(places))
    return text[:begin] + draw(st.sampled_from(WORDS)) + text[end:]


def insert(draw, text):
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(st.sampled_from(MARKS)) + text[place:]


@st.composite
def damaged_bytes(draw, size):
    """One to three kinds of damage to a file of so many bytes: a function of its content."""
    hits = []
    for _ in range(draw(st.integers(1, 3))):
        place, length = draw(st.integers(0, size)), draw(st.integers(1, 64))
        kind = draw(st.sampled_from(("cut", "drop", "double", "zero", "other", "other", "insert")))
        hits.append((kind, place, length, draw(st.binary(min_size=1, max_size=4))))

    def damage(data):
        for kind, place, length, other in hits:
            begin, part, end = data[:place], data[place : place + length], data[place + length :]
            data = {
                "cut": begin,
                "drop": begin + end,
                "double": begin + part + part + end,
                "zero": begin + bytes(len(part)) + end,
                "other": begin + other + data[place + len(other) :],
                "insert": begin + other + part + end,
            }[kind]
        return data

    return damage


class Hang(BaseException):
    """No answer in time; no reader takes it for an error of the file."""


@contextlib.contextmanager
def limited():
    """Stop after five seconds, where the system has timers; warnings are allowed."""

    def stop(*_):
        raise Hang(f"no answer within {LIMIT} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield caught
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
