"""The process behind `aiosmtpd_server`: ``python -P aiosmtpd_child.py CONFIG.json``.

A script on its own, so that it needs neither the tests nor the package on its path.
"""

import asyncio
import itertools
import json
import signal
import ssl
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

DELIVERY = itertools.count(1)


class Addresses:
    """Accepts the known recipients, and anything from who has authenticated; keeps exact bytes."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.mailboxes = Path(config["mailboxes"])
        self.discard: bool = config["discard"]
        self.known = {f"{name}@{config['domain']}" for name in config["known"]}
        self.known.add("postmaster")  # without a domain: RFC 5321 §4.5.1

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds the handler by this name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        # aiosmtpd hands on the empty path as it came.
        nobody = address in ("", "<>")
        if nobody or (address.lower() not in self.known and not session.authenticated):
            return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd finds the handler by this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if not self.discard:
            content = envelope.content
            if not isinstance(content, bytes):
                return "554 5.6.0 Content was decoded"
            for address in envelope.rcpt_tos:
                deliver(self.mailboxes / address.partition("@")[0].lower(), content)
        return "250 2.0.0 Delivered"


def deliver(maildir: Path, content: bytes) -> None:
    """Write into tmp, then move: a reader never sees half a message."""
    for part in ("tmp", "new", "cur"):
        (maildir / part).mkdir(parents=True, exist_ok=True)
    name = f"{next(DELIVERY):06}"
    (maildir / "tmp" / name).write_bytes(content)
    (maildir / "tmp" / name).rename(maildir / "new" / name)


async def serve(config: dict[str, Any]) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config["chain"], config["key"])
    right = LoginPassword(config["user"].encode(), config["password"].encode())

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        return AuthResult(success=data == right, handled=False)

    handler = Addresses(config)

    def protocol() -> SMTP:
        return SMTP(
            handler,
            hostname=config["hostname"],
            data_size_limit=config["size"],
            enable_SMTPUTF8=True,
            tls_context=context,
            require_starttls=config["tls_required"],
            authenticator=authenticate,
            auth_require_tls=not config["auth_in_plaintext"],
            auth_required=config["auth_required"],
            loop=loop,
        )

    server = await loop.create_server(protocol, config["host"], config["port"])
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
