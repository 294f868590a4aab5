"""Postfix's smtp-sink: accepts everything from anybody, fast. For load."""

import os
import re
from pathlib import Path
from typing import ClassVar

from tests.servers import delivered
from tests.servers.base import HOSTNAME, Launch, Needs, Offers, Server
from tests.servers.postfix import OWNER

BACKLOG = "100"
_ENVELOPE = re.compile(rb"(?:X-[A-Za-z-]+: [^\n]*\n)+")
_RECIPIENT = re.compile(rb"^X-Rcpt-Args: <([^>]*)>", re.MULTILINE)


class SmtpSink(Server):
    """smtp-sink. It writes the envelope as X- fields on top of each stored message."""

    name: ClassVar[str] = "smtp-sink"
    needs: ClassVar[Needs] = Needs(fetched=("root/postfix/usr/sbin/smtp-sink",))
    supports: ClassVar[frozenset[str]] = frozenset({"discard"})
    discerning: ClassVar[bool] = False

    @property
    def offers(self) -> Offers:
        return Offers(
            frozenset({"PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN", "XCLIENT"}),
            auth=frozenset({"PLAIN", "LOGIN"}),
            auth_works=False,  # it answers 250, a code that AUTH does not have
        )

    @property
    def _dump(self) -> Path:
        return self.run / "dump"

    def prepare(self) -> Launch:
        self._dump.mkdir()
        self._dump.chmod(0o777)
        self.run.chmod(0o777)
        argv = [self.root("postfix/usr/sbin/smtp-sink"), "-h", HOSTNAME]
        if os.geteuid() == 0:  # it refuses to stay root, and asks for a root folder with it
            argv += ["-u", OWNER, "-R", str(self.run)]
        if not self.options.discard:
            argv += ["-d", "dump/%M."]
        argv += [f"inet:{self.host}:{self.port}", BACKLOG]
        return Launch(argv, {"LD_LIBRARY_PATH": self.root("postfix/usr/lib/postfix")})

    def messages(self, recipient: str) -> list[bytes]:
        """As for other servers. Read them after the reply: a dump grows as the message comes in."""
        stored = delivered.oldest_first(self.message_files(recipient))
        return [_ENVELOPE.sub(b"", each, count=1).removesuffix(b"\n") for each in stored]

    def message_files(self, recipient: str) -> list[Path]:
        wanted = recipient.lower().encode()
        return [path for path in self._dump.iterdir() if wanted in _recipients(path.read_bytes())]


def _recipients(stored: bytes) -> list[bytes]:
    envelope = _ENVELOPE.match(stored)
    return [each.lower() for each in _RECIPIENT.findall(envelope.group())] if envelope else []
