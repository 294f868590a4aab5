"""The model server as something else: LMTP, other mechanisms, ETRN, weak TLS."""

import base64
import hmac

import pytest

from fsm_smtp.testing.server.certificate import server_context
from fsm_smtp.testing.server.listening import model_server_in_thread
from fsm_smtp.testing.server.options import EXTENSIONS, PASSWORD, USER, Options
from tests.testing.dialogue import Dialogue


def test_lmtp_answers_for_each_recipient() -> None:
    with model_server_in_thread(Options(lmtp=True)) as server:
        with Dialogue(server.port) as dialogue:
            assert dialogue.say("EHLO client.test").startswith("500")
            assert dialogue.say("HELO client.test").startswith("500")
            assert dialogue.say("LHLO client.test").startswith("250-")
            dialogue.say("MAIL FROM:<a@client.test>")
            assert dialogue.say("DATA").startswith("503")
            for _ in range(2):
                dialogue.say("RCPT TO:<rcpt@example.test>")
            assert dialogue.say("DATA").startswith("354")
            assert dialogue.say(".").startswith("250")
            assert dialogue.reply().startswith("250")
            assert dialogue.is_silent()
            dialogue.say("MAIL FROM:<a@client.test>")
            dialogue.write(b"BDAT 4 LAST\r\nabc\n")
            assert dialogue.is_silent()
        assert len(server.messages) == 1


def test_smtp_does_not_know_lhlo() -> None:
    with model_server_in_thread() as server, Dialogue(server.port) as dialogue:
        assert dialogue.say("LHLO client.test").startswith("500")


@pytest.mark.parametrize(("password", "code"), [(PASSWORD, "235"), ("nothing", "535")])
def test_cram_md5(password: str, code: str) -> None:
    options = Options(auth_in_clear=True, mechanisms=("CRAM-MD5",))
    with model_server_in_thread(options) as server, Dialogue(server.port) as dialogue:
        assert "AUTH CRAM-MD5" in dialogue.say("EHLO client.test")
        assert dialogue.say("AUTH PLAIN").startswith("504")
        assert dialogue.say("AUTH CRAM-MD5 AAAA").startswith("501")
        nonce = base64.b64decode(dialogue.say("AUTH CRAM-MD5").removeprefix("334 "))
        digest = hmac.digest(password.encode(), nonce, "md5").hex()
        assert dialogue.say(base64.b64encode(f"{USER} {digest}".encode())).startswith(code)


def test_etrn_is_there_if_it_is_asked_for() -> None:
    options = Options(extensions=frozenset({*EXTENSIONS, "ETRN"}))
    with model_server_in_thread(options) as server, Dialogue(server.port) as dialogue:
        assert "ETRN" in dialogue.say("EHLO client.test")
        assert dialogue.say("ETRN client.test").startswith("251")
        assert dialogue.say("ETRN").startswith("501")
    with model_server_in_thread() as server, Dialogue(server.port) as dialogue:
        assert dialogue.say("ETRN client.test").startswith("502")


def test_under_weak_tls_there_is_nothing_but_quit() -> None:
    options = Options(context=server_context(), weak_tls=True)
    with model_server_in_thread(options) as server, Dialogue(server.port) as dialogue:
        dialogue.say("EHLO client.test")
        assert dialogue.say("STARTTLS").startswith("220")
        dialogue.start_tls()
        assert dialogue.say("EHLO client.test").startswith("554")
        assert dialogue.say("NOOP").startswith("554")
        assert dialogue.say("QUIT").startswith("221")
