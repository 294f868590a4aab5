"""Clients that others wrote, at the machine: smtplib and aiosmtplib, in clear and secured."""

import asyncio
import smtplib
from collections.abc import Callable

import aiosmtplib
import pytest

from fsm_smtp.testing import Mail, SMTPClientMachine
from fsm_smtp.testing.server.certificate import client_context

NAME = "client.example.test"
USER, PASSWORD = SMTPClientMachine.user, SMTPClientMachine.password
#: Single scenes come first: all is well, and each command is refused, for now and for good.
WELL_OR_REFUSED = 24


def via_smtplib(host: str, port: int, mail: Mail) -> list[str]:
    with smtplib.SMTP(host, port, NAME, timeout=2) as client:
        client.ehlo_or_helo_if_needed()
        if client.has_extn("starttls"):
            client.starttls(context=client_context())
            client.ehlo()
        if client.has_extn("auth"):
            client.login(USER, PASSWORD)
        refused = client.sendmail(mail.sender, mail.recipients, mail.content)
    return [one for one in mail.recipients if one not in refused]


def via_aiosmtplib(host: str, port: int, mail: Mail) -> list[str]:
    async def send() -> list[str]:
        client = aiosmtplib.SMTP(
            hostname=host, port=port, timeout=2, local_hostname=NAME, tls_context=client_context()
        )
        secured = False
        try:
            async with client:
                secured = client.get_transport_info("sslcontext") is not None
                if client.supports_extension("auth"):
                    await client.login(USER, PASSWORD)
                refused, _ = await client.sendmail(mail.sender, list(mail.recipients), mail.content)
        finally:
            client.close()  # also where the session never began
            await asyncio.sleep(0.05 if secured else 0)  # TLS ends
        return [one for one in mail.recipients if one not in refused]

    return asyncio.run(send())


@pytest.mark.parametrize("secured", [False, True])
@pytest.mark.parametrize("send", [via_smtplib, via_aiosmtplib])
def test_nothing_is_wrong_where_commands_are_refused(
    send: Callable[[str, int, Mail], list[str]], *, secured: bool
) -> None:
    machine = SMTPClientMachine(
        send,
        errors=(OSError, aiosmtplib.SMTPException),
        tls=secured,
        auth=secured,
    )
    machine.explore(examples=WELL_OR_REFUSED)
    asked = {place.asked for place, _ in machine.coverage.visited}
    assert asked >= {"send_ehlo", "send_mail", "send_rcpt", "send_data", "send_dot", "send_quit"}
    assert ("handshake" in asked) is ("send_auth" in asked) is secured
