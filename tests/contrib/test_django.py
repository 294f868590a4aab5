"""The backend in a real Django: its settings, its contract, its threads, and its own tests."""

import os
import re
import smtplib
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from django.core import mail
from django.test.utils import override_settings

from fsm_smtp.contrib.django import EmailBackend
from fsm_smtp.testing import SMTPServer
from tests.servers import registry
from tests.servers.base import RECIPIENTS, SENDER, Server
from tests.servers.fixtures import ServerPark

BACKEND = "fsm_smtp.contrib.django.EmailBackend"
ROOT = Path(__file__).parents[2]
SUITES = registry.fetched_folder() / "suites"

#: Tests of Django's that look at smtplib's inside: they put a mock in the place of its class or of
#: one of its methods, and ours does not call that.
ABOUT_SMTPLIB_ITSELF = {
    "mail.tests.SMTPBackendTests.test_email_msg_uses_crlf",
    "mail.tests.SMTPBackendTests.test_reopen_connection",
    "mail.tests.SMTPBackendTests.test_send_messages_zero_sent",
}


@pytest.fixture(scope="module", autouse=True)
def configured() -> None:
    """Once for a process: a worker may come back to this module."""
    if not settings.configured:
        settings.configure(EMAIL_BACKEND=BACKEND, EMAIL_TIMEOUT=5)
        django.setup()


@pytest.fixture
def server() -> Iterator[SMTPServer]:
    with (
        SMTPServer(extensions=frozenset({"SIZE", "8BITMIME"})) as made,
        override_settings(EMAIL_HOST="127.0.0.1", EMAIL_PORT=made.port),
    ):
        yield made


def sent(subject: str = "hello") -> int:
    return mail.send_mail(subject, "text", "me@example.test", ["one@example.test"])


def test_send_mail(server: SMTPServer) -> None:
    assert sent() == 1
    (message,) = server.messages
    assert (message.sender, message.recipients[0].path) == (b"me@example.test", b"one@example.test")
    assert b"Subject: hello\r\n" in message.content
    assert server.sessions[0].commands[-1].upper() == b"QUIT"


def test_the_settings_of_the_docs(server: SMTPServer) -> None:
    text = (ROOT / "docs" / "django.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    shown: dict[str, Any] = {}
    exec(compile(example.replace("2525", str(server.port)), "docs/django.md", "exec"), shown)
    with override_settings(**{key: value for key, value in shown.items() if key.isupper()}):
        assert sent() == 1
    assert len(server.messages) == 1


def test_one_connection_for_many_messages(server: SMTPServer) -> None:
    with mail.get_connection() as connection:
        for number in range(3):
            message = mail.EmailMessage(
                f"number {number}", "text", "me@example.test", ["one@example.test"]
            )
            assert connection.send_messages([message]) == 1
    assert len(server.sessions) == 1
    assert len(server.messages) == 3


def test_open_and_close(server: SMTPServer) -> None:
    backend = EmailBackend()
    assert backend.open() is True
    assert backend.open() is False
    backend.close()
    backend.close()
    assert backend.open() is True
    backend.close()
    assert len(server.sessions) == 2


@pytest.mark.parametrize("how", ["421", "end"])
def test_a_connection_that_was_given_up_is_replaced(server: SMTPServer, how: str) -> None:
    """Django's own fails here, each time that a connection was kept for too long."""
    with mail.get_connection() as connection:
        in_use = server.open_connections[0]
        if how == "421":
            in_use.say(b"421 4.4.2 idle for too long\r\n")
        in_use.end()
        for _ in range(2):
            message = mail.EmailMessage("hello", "text", "me@example.test", ["one@example.test"])
            assert connection.send_messages([message]) == 1
    assert len(server.sessions) == 2  # the one in its place was kept too
    assert len(server.messages) == 2


def test_what_cannot_be_replaced(server: SMTPServer) -> None:
    loud, silent = EmailBackend(), EmailBackend(fail_silently=True)
    message = mail.EmailMessage("hello", "text", "me@example.test", ["one@example.test"])
    for backend in (loud, silent):
        backend.open()
    server.order("GREETING", reply="554 5.3.2 not today")
    for connection in server.open_connections:
        connection.end()
    with pytest.raises(smtplib.SMTPConnectError, match="not today"):
        loud.send_messages([message])
    assert silent.send_messages([message]) == 0
    assert silent.open() is None


def test_refusals(server: SMTPServer) -> None:
    server.order("RCPT", recipient="no@example.test", reply="550 5.1.1 no such user")
    arguments: Any = ("hello", "text", "me@example.test", ["no@example.test"])
    with pytest.raises(smtplib.SMTPRecipientsRefused) as raised:
        mail.send_mail(*arguments)
    assert raised.value.recipients == {"no@example.test": (550, b"5.1.1 no such user")}
    assert mail.send_mail(*arguments, fail_silently=True) == 0


def test_nobody_there() -> None:
    with override_settings(EMAIL_HOST="127.0.0.1", EMAIL_PORT=1):
        with pytest.raises(ConnectionRefusedError):
            sent()
        assert mail.get_connection(fail_silently=True).open() is None


def test_one_backend_for_many_threads(server: SMTPServer) -> None:
    connection = mail.get_connection()
    connection.open()

    def send(number: int) -> None:
        to = [f"to{number}@example.test"]
        connection.send_messages([mail.EmailMessage("hello", "text", "me@example.test", to)])

    threads = [threading.Thread(target=send, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    connection.close()
    assert sorted(message.recipients[0].path for message in server.messages) == sorted(
        b"to%d@example.test" % number for number in range(12)
    )
    assert len(server.sessions) == 1


@pytest.fixture(params=["postfix", "exim"])
def real(request: pytest.FixtureRequest, servers: ServerPark) -> Server:
    return servers.start(str(request.param))


@pytest.mark.parametrize("trusted", [True, False])
def test_real_servers_with_starttls(
    real: Server, trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trusted:
        authority = str(real.certificate.authority)
        monkeypatch.setenv("SSL_CERT_FILE", authority)
    # The certificate's name is not the address: a name that resolves to it is.
    before = len(real.messages(RECIPIENTS[0]))
    with override_settings(EMAIL_HOST="localhost", EMAIL_PORT=real.port, EMAIL_USE_TLS=True):
        if not trusted:
            with pytest.raises(ssl.SSLCertVerificationError):
                mail.send_mail("hello", "text", SENDER, [RECIPIENTS[0]])
            return
        assert mail.send_mail("hello", "text", SENDER, [RECIPIENTS[0]]) == 1
    real.wait_for_message(RECIPIENTS[0], before + 1)


def test_djangos_own_tests() -> None:
    suite = SUITES / "Django"
    if not suite.is_dir() or not (SUITES / "site").is_dir():
        if registry.required():
            pytest.fail("Django's test suite is not here: .ci/fetch-suites", pytrace=False)
        pytest.skip("Django's test suite is not here: .ci/fetch-suites")
    path = os.pathsep.join(map(str, (ROOT, suite, SUITES / "site")))
    labels = ("mail.tests.SMTPBackendTests", "mail.tests.SMTPBackendStoppedServerTests")
    run = subprocess.run(
        [sys.executable, "-m", "tests.contrib.djangos_own", *labels, "--parallel", "1"],
        cwd=suite / "tests",
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    output = run.stdout + run.stderr
    count = re.search(r"^Ran (\d+) tests", output, re.MULTILINE)
    assert count is not None, output[-3000:]
    assert int(count[1]) > 45
    assert set(re.findall(r"^\.*different (\S+)$", output, re.MULTILINE)) == ABOUT_SMTPLIB_ITSELF
