"""Lets a process that is asked to end, by Ctrl-C or by the system, record what it was doing first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# SIGHUP is sent when a terminal or a connection is closed; Windows does not have it.
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived. Like `KeyboardInterrupt`, it is not an `Exception`."""

    def __init__(self, number: int) -> None:
        super().__init__(f"The process received {signal.Signals(number).name}.")
        self.exit_code = 128 + number


@contextmanager
def termination() -> Iterator[None]:
    """Within this context, SIGTERM and SIGHUP raise `Terminated`, so that work in progress can be recorded.

    After the first signal, including Ctrl-C, further ones are ignored: job managers often send several, and a
    second one would interrupt the recording. A signal that was ignored from the start, such as SIGHUP under
    `nohup`, stays ignored. Outside the main thread, the only one that may handle signals, nothing changes.
    """
    before = {number: signal.getsignal(number) for number in _handled()}
    try:
        for number in before:
            signal.signal(number, _end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Within this context, the signals that `termination` handles end the process without any Python code.

    For a library's call that waits for something else: Python handles signals only after it has returned.
    """
    before = {number: signal.signal(number, signal.SIG_DFL) for number in _handled()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handled() -> list[signal.Signals]:
    """The signals that would end this process, or that an enclosing `termination` handles."""
    if threading.current_thread() is not threading.main_thread():
        return []
    known = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    ends = (signal.SIG_DFL, signal.default_int_handler, _end)
    return [number for number in known if signal.getsignal(number) in ends]


def _end(number: int, frame: FrameType | None) -> None:
    for other in _handled():
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)
