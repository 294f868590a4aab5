"""`ScriptedServer`: a port, and a script for each connection to it."""

import contextlib
import socket
import threading
from pathlib import Path
from types import TracebackType

from fsm_smtp.testing.scripted.playing import Off, Player
from fsm_smtp.testing.scripted.steps import Script
from fsm_smtp.testing.scripted.taken import Taken
from fsm_smtp.testing.server.options import HOST

#: Seconds that the server waits for a client before it gives up; longer than a test's client.
PATIENCE = 8.0


class ScriptedServer:
    """Says what its scripts say; use it as a context manager, from any thread or event loop::

        with ScriptedServer((*OPENING, Line(b"MAIL"), Say(b"250-half"), Close())) as server:
            ...  # a client meets server.port
        assert server.taken[0].octets.endswith(b"RCPT TO:<a@example.test>\\r\\n")

    Connections are served one at a time, each by the next script; with *always*, every further one
    by that script, and as many at a time as come. At the end the scripts have been played, or
    nobody has come for them.

    Args:
        scripts: one for each connection, in turn.
        always: the script of all connections behind these; it may be changed while it runs.
        cut: behind so many octets given out a connection ends; ``None``: never.
        reset: the cut resets the connection.
        path: where it listens, in place of a port, as a Unix socket.
        host: the address that it listens on.
        forgetful: nothing of what comes in is kept, so that memory does not grow.
        buffer: octets of the kernel's buffers and of a read, where they are to be small: a client
            that writes much ahead and reads nothing waits for ever then (RFC 2920 §3.1).

    Raises:
        OSError: it cannot listen there.

    Attributes:
        port: where it listens; 0 for a Unix socket.
        taken: what each connection was, in their order.
        always: see above.
    """

    def __init__(
        self,
        *scripts: Script,
        always: Script | None = None,
        cut: int | None = None,
        reset: bool = False,
        path: Path | None = None,
        host: str = HOST,
        forgetful: bool = False,
        buffer: int | None = None,
    ) -> None:
        self.taken: list[Taken] = []
        self._failures: list[Exception] = []
        self.always = always
        self._scripts = iter(scripts)
        self._buffer = buffer
        self._cut, self._reset, self._forgetful = cut, reset, forgetful
        if path is not None:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self.port = 0
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listener = socket.socket(family)
            self._listener.bind((host, 0))
            self.port = int(self._listener.getsockname()[1])
        if buffer is not None:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self._listener.setsockopt(socket.SOL_SOCKET, option, buffer)
        self._listener.listen()
        self._players: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> "ScriptedServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Wait until the scripts have been played, then go away. Not from within an event loop.

        Raises:
            TimeoutError: a script does not end.
            AssertionError: a client has not waited for a handshake.
        """
        with contextlib.suppress(OSError):  # nobody has come in time: it has stopped listening
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in (self._thread, *self._players):
            thread.join(PATIENCE + 2)
            if thread.is_alive():
                raise TimeoutError("a script does not end")
        if self._failures:
            raise self._failures[0]

    def _serve(self) -> None:
        while True:
            script = next(self._scripts, None)
            if script is None and self.always is None:
                return
            try:
                self._listener.settimeout(PATIENCE if script is not None else None)
                connected, peer = self._listener.accept()
            except OSError:  # nobody came, or the test is over
                return
            connected.settimeout(PATIENCE)
            if connected.family != socket.AF_UNIX:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            taken = Taken(peer=peer)
            self.taken.append(taken)
            if script is not None:
                self._play(connected, taken, script)
            elif self.always is not None:
                player = threading.Thread(target=self._play, args=(connected, taken, self.always))
                self._players.append(player)
                player.start()

    def _play(self, connected: socket.socket, taken: Taken, script: Script) -> None:
        player = Player(
            connected,
            taken,
            cut=self._cut,
            reset=self._reset,
            forgetful=self._forgetful,
            most=self._buffer,
        )
        try:
            player.play(script)
        except Off as off:
            taken.ended = str(off)
        except ConnectionError:
            taken.ended = "reset"
        except OSError as error:
            taken.ended = str(error) or type(error).__name__
        except Exception as error:  # noqa: BLE001 -- raised by `stop`
            self._failures.append(error)
        finally:
            player.socket.close()
