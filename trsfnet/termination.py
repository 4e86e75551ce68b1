"""A process that is asked to end records what it was doing, whether by Ctrl-C or by the system."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# SIGHUP comes when a terminal or a connection is closed; Windows does not have it.
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived. Like `KeyboardInterrupt`, it is not an `Exception`."""

    def __init__(self, number: int) -> None:
        super().__init__(f"The process received {signal.Signals(number).name}.")
        self.exit_code = 128 + number


@contextmanager
def termination() -> Iterator[None]:
    """Within it, SIGTERM and SIGHUP raise `Terminated`, so that what is under way can be recorded.

    After the first signal, Ctrl-C included, further ones are ignored: whoever starts several processes often
    sends more than one, and a second would disturb the recording. A signal that is ignored from the start, as
    SIGHUP is under `nohup`, stays so. Outside the main thread, which alone may handle signals, nothing
    changes.
    """
    before = {number: signal.getsignal(number) for number in _handled()}
    try:
        for number in before:
            signal.signal(number, _end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handled() -> list[signal.Signals]:
    """The signals that would end this process, or that a `termination` around this one handles."""
    if threading.current_thread() is not threading.main_thread():
        return []
    known = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    ends = (signal.SIG_DFL, signal.default_int_handler, _end)
    return [number for number in known if signal.getsignal(number) in ends]


def _end(number: int, frame: FrameType | None) -> None:
    for other in _handled():
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)
