"""How a test gets a server: ``servers.start("postfix")``.

A pytest plugin (``pytest_plugins = ["tests.servers.fixtures"]``), or a module to import the
fixture from. Each xdist worker has a park of its own, and each variant of a server starts once in
it, on first use.
"""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import registry, tls
from tests.servers.base import Options, Server

pytest.register_assert_rewrite("tests.servers.probe")


class ServerPark:
    """The servers of one test session: started on demand, kept, stopped together."""

    def __init__(self, home: Path) -> None:
        """`home`: an empty folder that other users may pass through."""
        self.certificate = tls.issue(home)
        self._home = home
        self._fetched: Path | None = None
        self._running: dict[tuple[str, Options], Server] = {}

    @property
    def authority(self) -> Path:
        """PEM file of the test authority: what a client must trust."""
        return self.certificate.authority

    def start(
        self,
        name: str,
        *,
        auth_required: bool = False,
        tls_required: bool = False,
        hardened: bool = False,
        impatient: bool = False,
        discard: bool = False,
    ) -> Server:
        """The running server with this name and these options; started on first use.

        Mail stays from one test to the next: count what is new, or use a subject of your own.

        Skips the test when the server cannot run here. Fails it when $FSM_SMTP_REQUIRE_SERVERS is
        set, unless the reason is excused (no root, namespaces refused, no node).
        """
        options = Options(auth_required, tls_required, hardened, impatient, discard)
        server = self._running.get((name, options))
        if server is None or not server.running:
            if server is not None:
                server.stop()  # a test has brought it down: the next one gets another
            server = self.build(name, options)
            server.start()
            self._running[name, options] = server
        return server

    def build(self, name: str, options: Options | None = None) -> Server:
        """A server of the caller's own, not started: a context manager. Skips like `start`."""
        absence = registry.absence(name)
        if absence is not None:
            if registry.required() and not absence.excused:
                pytest.fail(absence.reason, pytrace=False)
            pytest.skip(absence.reason)
        run = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._home))
        run.chmod(0o711)
        return registry.SERVERS[name](run, self._passable(), self.certificate, options)

    def stop(self) -> None:
        """Stop all; raise the first error only after each has been told to stop."""
        errors: list[Exception] = []
        while self._running:
            try:
                self._running.popitem()[1].stop()
            except (OSError, RuntimeError) as error:
                errors.append(error)
        if errors:
            raise ExceptionGroup("servers did not stop", errors)

    def _passable(self) -> Path:
        """The fetched servers, where the servers' own users can reach them.

        A checkout below /root is closed to them: then this session uses a copy.
        """
        if self._fetched is None:
            fetched = registry.fetched_folder()
            if (fetched / "root").exists() and not _open_to_all(fetched):
                copy = self._home / "fetched"
                shutil.copytree(fetched / "root", copy / "root", symlinks=True)
                # What runs on node stays our own user, and is large.
                (copy / "npm").symlink_to(fetched / "npm")
                fetched = copy
            self._fetched = fetched
        return self._fetched


def _open_to_all(folder: Path) -> bool:
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents))


def _public_folder() -> Path:
    """Not below pytest's own temporary folder, which pytest closes to other users at each start.

    The path is short as well: sockets have names of at most 107 octets.
    """
    base = Path(tempfile.gettempdir())
    home = Path(tempfile.mkdtemp(prefix="smtp-", dir=base if _open_to_all(base) else "/tmp"))
    home.chmod(0o711)
    return home


@contextlib.contextmanager
def park() -> Iterator[ServerPark]:
    """A park in a folder of its own; on exit its servers stop and the folder goes.

    $FSM_SMTP_KEEP_SERVERS=1 keeps the folder, for a look at logs and queues.
    """
    home = _public_folder()
    made = ServerPark(home)
    try:
        yield made
    finally:
        try:
            made.stop()
        finally:
            if os.environ.get("FSM_SMTP_KEEP_SERVERS", "") in ("", "0"):
                shutil.rmtree(home)


@pytest.fixture(scope="session")
def servers() -> Iterator[ServerPark]:
    """Real SMTP servers on demand; see `ServerPark.start`."""
    with park() as made:
        yield made
