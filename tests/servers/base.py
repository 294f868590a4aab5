"""What a server under test is: how it starts, what it offers, where its mail lands."""

import os
import shutil
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from tests.servers import delivered, ports
from tests.servers.process import ProcessGroup
from tests.servers.tls import Certificate

DOMAIN = "example.test"
HOSTNAME = "mx.example.test"
KNOWN = ("rcpt", "rcpt2", "postmaster")
RECIPIENTS = tuple(f"{name}@{DOMAIN}" for name in KNOWN)
#: Of another domain: Sendmail refuses a sender that its own domain does not have.
SENDER = "sender@client.example.test"
UNKNOWN = f"nobody-here@{DOMAIN}"
USER, PASSWORD = "user", "secret"

#: Largest message that each server takes where it can be told: room for the tests' 25 MiB.
SIZE_LIMIT = 36_700_160

START_SECONDS = 20.0  # the slowest needs half a second; a loaded machine needs patience
GREETING_OCTETS = 512  # RFC 5321 §4.5.3.1.5
MESSAGE_SECONDS = 10.0
POLL_SECONDS = 0.01


class ServerError(RuntimeError):
    """A server did not start or did not deliver in time. The message holds its log's end."""


@dataclass(frozen=True)
class Options:
    """A variant of a server's settings. Each server says which it supports.

    Attributes:
        auth_required: MAIL is refused before AUTH.
        tls_required: MAIL is refused before STARTTLS.
        hardened: Postfix's guards against smuggling, early pipelining and untidy envelopes.
        impatient: it waits a second or two for the next command, not minutes.
        discard: store nothing, for load (then `Server.messages` stays empty).
    """

    auth_required: bool = False
    tls_required: bool = False
    hardened: bool = False
    impatient: bool = False
    discard: bool = False

    def chosen(self) -> frozenset[str]:
        """Names of the options that are on."""
        return frozenset(each.name for each in fields(self) if getattr(self, each.name))


@dataclass(frozen=True)
class Offers:
    """What EHLO is expected to list in plaintext.

    Attributes:
        keywords: EHLO keywords, upper case, AUTH and STARTTLS left out.
        starttls: STARTTLS is listed.
        tls_works: a handshake succeeds (one Debian build offers TLS and fails each time).
        auth: mechanisms that are listed; empty when AUTH is not.
        auth_works: the right password gets 235.
    """

    keywords: frozenset[str] = frozenset()
    starttls: bool = False
    tls_works: bool = False
    auth: frozenset[str] = frozenset()
    auth_works: bool = True


@dataclass(frozen=True)
class Launch:
    """How to start a server in the foreground."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Needs:
    """What must be here before a server can run.

    Attributes:
        fetched: files below the folder that `.ci/fetch-servers` fills.
        programs: programs looked for in PATH and the sbin folders.
        root, namespaces, node: privileges and interpreters.
        overlay: a folder below the fetched ones that is laid over /usr in a namespace.
    """

    fetched: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    root: bool = False
    namespaces: bool = False
    node: bool = False
    overlay: str | None = None


class Server(ABC):
    """One running server. A context manager: starts on entry, is gone on exit.

    Attributes:
        run: its private folder; nothing is written elsewhere.
        port: where it listens on `host`; 0 before it has started.
        certificate: what it shows; clients trust `certificate.authority`.
        started_in: seconds from exec to the greeting.
    """

    name: ClassVar[str]
    needs: ClassVar[Needs] = Needs()
    supports: ClassVar[frozenset[str]] = frozenset()
    ports_needed: ClassVar[int] = 1
    #: Does it refuse unknown recipients of its own domain?
    discerning: ClassVar[bool] = True

    host: str = ports.HOST

    def __init__(
        self, run: Path, fetched: Path, certificate: Certificate, options: Options | None = None
    ) -> None:
        """Nothing starts yet.

        Args:
            run: an empty folder that other users may pass through (mode 711).
            fetched: the folder that `.ci/fetch-servers` filled.
            certificate: from `tls.issue`.
            options: the variant; ``None`` for plain settings.

        Raises:
            ValueError: an option that this server does not support.
        """
        self.run = run
        self.fetched = fetched
        self.certificate = certificate
        self.options = options or Options()
        if strange := self.options.chosen() - self.supports:
            raise ValueError(f"{self.name} has no option {', '.join(sorted(strange))}")
        self.port = 0
        self.started_in = 0.0
        self._more_ports: tuple[int, ...] = ()
        self._group: ProcessGroup | None = None

    @property
    @abstractmethod
    def offers(self) -> Offers:
        """What EHLO should list, given the options."""

    @abstractmethod
    def prepare(self) -> Launch:
        """Write the configuration into `run` (for `port`) and say how to start."""

    @property
    def demands_auth(self) -> bool:
        """Is MAIL refused before AUTH?"""
        return self.options.auth_required

    def logs(self) -> list[Path]:
        """Log files besides the process's own output."""
        return []

    @property
    def pid(self) -> int:
        """The leader's pid. Raises `ServerError` when it is not running."""
        if self._group is None:
            raise ServerError(f"{self.name} is not running")
        return self._group.pid

    @property
    def running(self) -> bool:
        """Is the leader alive? False once a test has brought it down."""
        return self._group is not None and self._group.exit_code is None

    def processes(self) -> frozenset[int]:
        """Pids of all its processes."""
        return self._group.members() if self._group else frozenset()

    def start(self) -> None:
        """Start, and return once the 220 line was read.

        Raises:
            ServerError: it ended, or stayed silent for `START_SECONDS`. Nothing is left running.
        """
        with ports.reserved(self.ports_needed) as (self.port, *more):
            self._more_ports = tuple(more)
            try:
                launch = self.prepare()
                began = time.monotonic()
                env = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "LANG": "C", **launch.env}
                self._group = ProcessGroup(launch.argv, env, self.run, self._output)
                self._await_greeting(began + START_SECONDS)
            except BaseException:
                self.stop()
                raise
            self.started_in = time.monotonic() - began

    def stop(self) -> None:
        """End every process of this server. Does nothing when it is not running."""
        if self._group is not None:
            self._group.stop()
            self._group = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of its output and of each log, under the file's name."""
        parts: list[str] = []
        for path in (self._output, *self.logs()):
            if path.exists() and (text := path.read_text("utf-8", "replace").splitlines()[-lines:]):
                parts += [f"--- {path.name}", *text]
        return "\n".join(parts)

    def messages(self, recipient: str) -> list[bytes]:
        """What was delivered to `recipient`, oldest first, as stored: with trace fields and LF."""
        return delivered.oldest_first(self.message_files(recipient))

    def message_files(self, recipient: str) -> list[Path]:
        """One file for each message that was delivered to `recipient`, in no order."""
        return delivered.maildir(self.mailboxes / delivered.local_part(recipient))

    def wait_for_message(
        self, recipient: str, count: int = 1, timeout: float = MESSAGE_SECONDS
    ) -> list[bytes]:
        """Like `messages`, once there are at least `count`.

        Raises:
            ServerError: fewer arrived within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while len(found := self.messages(recipient)) < count:
            if time.monotonic() > deadline:
                raise ServerError(
                    f"{self.name}: {len(found)} of {count} messages for {recipient} "
                    f"after {timeout} s\n{self.log_tail()}"
                )
            time.sleep(POLL_SECONDS)
        return found

    @property
    def mailboxes(self) -> Path:
        """Folder with a Maildir for each local part that has mail."""
        return self.run / "mbox"

    @property
    def _output(self) -> Path:
        return self.run / "output.log"

    def root(self, *parts: str) -> str:
        """Path of a file in the server's unpacked packages."""
        return str(Path(self.fetched, "root", *parts))

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        """Write a file below `run`, with its folders."""
        path = self.run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        path.chmod(mode)
        return path

    def copy_certificate(self, owner: str | int | None = None) -> tuple[Path, Path]:
        """Private copies of chain and key in `run`; the key belongs to `owner`, mode 600."""
        chain = Path(shutil.copy(self.certificate.chain, self.run / "cert.pem"))
        key = Path(shutil.copy(self.certificate.key, self.run / "key.pem"))
        chain.chmod(0o644)
        key.chmod(0o600)
        if owner is not None:
            shutil.chown(key, owner)
        return chain, key

    def _await_greeting(self, deadline: float) -> None:
        # Prefork servers listen long before they answer, so a connection proves nothing yet.
        heard = b""
        while time.monotonic() < deadline:
            if self._group is None or (code := self._group.exit_code) is not None:
                raise ServerError(f"{self.name} ended with {code}\n{self.log_tail()}")
            try:
                with socket.create_connection((self.host, self.port), 1.0) as sock:
                    sock.settimeout(max(0.1, deadline - time.monotonic()))
                    heard = sock.recv(GREETING_OCTETS)
                    if heard.startswith(b"220"):
                        sock.sendall(b"QUIT\r\n")
                        return
            except (ConnectionError, TimeoutError):
                pass  # not yet: bounded by the deadline
            time.sleep(POLL_SECONDS)
        raise ServerError(f"{self.name}: no greeting, heard {heard!r}\n{self.log_tail()}")
