"""The guard under every smtplib client of the process, and away again."""

import smtplib
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any

from fsm_smtp.guard.connection import Connection
from fsm_smtp.guard.options import DEFAULTS, GuardOptions
from fsm_smtp.guard.smtplib import (
    Guarded,
    guarded_close,
    guarded_data,
    guarded_getreply,
    guarded_send,
)

_lock = threading.Lock()
_installed: list[GuardOptions] = []
_own: dict[str, Callable[..., Any]] = {}


class Installation:
    """What `install` gives: a context manager that takes the guard away at its end."""

    def __enter__(self) -> "Installation":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        uninstall()


def install(options: GuardOptions = DEFAULTS) -> Installation:
    """Put the guard under every client of smtplib in this process, whoever makes it.

    Connections that are open already stay as they are: see `guard`. Installed twice, the later
    options hold until that installation is taken away.
    """
    with _lock:
        if not _installed:
            _put()
        _installed.append(options)
        Connection.installed = options
    return Installation()


def uninstall() -> None:
    """Take the last installation away. Does nothing when there is none."""
    with _lock:
        if not _installed:
            return
        _installed.pop()
        Connection.installed = _installed[-1] if _installed else DEFAULTS
        if not _installed:
            _take()


def _put() -> None:
    cls = smtplib.SMTP
    own_send, own_getreply, own_data, own_close = cls.send, cls.getreply, cls.data, cls.close
    _own.update(send=own_send, getreply=own_getreply, data=own_data, close=own_close)

    def send(self: smtplib.SMTP, s: Any) -> None:
        if isinstance(self, Guarded):  # guarded already, above us
            own_send(self, s)
        else:
            guarded_send(self, s, own_send.__get__(self))

    def getreply(self: smtplib.SMTP) -> tuple[int, bytes]:
        if isinstance(self, Guarded):
            return own_getreply(self)
        return guarded_getreply(self, own_getreply.__get__(self))

    def data(self: smtplib.SMTP, msg: Any) -> tuple[int, bytes]:
        return guarded_data(self, partial(own_data, self, msg))

    def close(self: smtplib.SMTP) -> None:
        if isinstance(self, Guarded):
            own_close(self)
        else:
            guarded_close(self, own_close.__get__(self))

    for function in (send, getreply, data, close):
        setattr(cls, function.__name__, function)


def _take() -> None:
    cls = smtplib.SMTP
    for connection in tuple(Connection.alive):
        if not connection.own:  # what it says from now on, nobody sees
            connection.guard.give_up()
    for name, function in _own.items():
        setattr(cls, name, function)
    _own.clear()
