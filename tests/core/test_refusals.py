"""The sentences of refusals: the one cause that a reader needs, and the section behind it."""

from pathlib import Path

import pytest

from fsm_smtp.errors import CommandRefused
from fsm_smtp.machine import ProtocolMachine, shared_machine
from fsm_smtp.refusal import why_not
from fsm_smtp.table import load_table
from fsm_smtp.verify.explore import explore
from tests.core.runs import DATA, MAIL, OPENED, PLAIN, RCPT, reached
from tests.core.small_table import SMALL

CLOSING = (
    "the server refused the session or said 421, or QUIT is on its way: "
    "only QUIT or closing is left"
)
IDLE = "SMTP_CONNECTED, SMTP_SEND_MESSAGE or SMTP_RSET"
CHUNK = "send_bdat reply_2yz"
AUTHENTICATED = "send_auth reply_235"
TLS = "connect_tls reply_220 send_ehlo reply_2yz offer_starttls offer_auth offers_end"

SENTENCES = [
    ("", "send_ehlo", "there is no connection", "5321 §4.1.4"),
    ("connect", "send_ehlo", "a reply is awaited", "5321 §4.1.4"),
    (
        "connect reply_220",
        "send_mail",
        "the 220 greeting is here, or TLS has just come up; EHLO or HELO opens the session;"
        f" it is legal only in {IDLE}",
        "5321 §4.1.4",
    ),
    (
        "connect reply_220",
        "send_custom",
        "neither EHLO nor HELO has been accepted",
        "5321 §4.1.5",
    ),
    ("connect reply_5yz", "send_ehlo", CLOSING, "5321 §4.1.4"),
    (PLAIN, "connect", "the connection is open", "5321 §3.1"),
    (PLAIN, "send_starttls", "the last EHLO did not offer STARTTLS", "3207 §4"),
    (TLS, "send_starttls", "the connection is under TLS", "3207 §4"),
    (PLAIN, "send_auth", "the last EHLO did not offer AUTH", "4954 §4"),
    (f"{OPENED} {AUTHENTICATED}", "send_auth", "AUTH has succeeded", "4954 §4"),
    (
        f"{OPENED} send_auth reply_334",
        "send_mail",
        f"AUTH is in flight, or a challenge waits for its response; it is legal only in {IDLE}",
        "5321 §4.1.4",
    ),
    (OPENED, "send_response", "no SASL challenge is pending", "4954 §4"),
    (
        PLAIN,
        "send_rcpt",
        "ready for a mail transaction; it is legal only in SMTP_MAIL or SMTP_RCPT",
        "5321 §3.3",
    ),
    (PLAIN, "send_data", "no mail transaction is open", "5321 §3.3"),
    (PLAIN, "send_mail_binary", "the last EHLO did not offer CHUNKING", "3030 §3"),
    (f"{PLAIN} send_mail", "send_rcpt", "a reply is awaited", "5321 §3.3"),
    (f"{PLAIN} {MAIL}", "send_data", "MAIL was accepted, and no recipient yet", "5321 §3.3"),
    (
        f"{PLAIN} {MAIL}",
        "send_mail",
        f"MAIL is in flight, or was accepted and opens the transaction; it is legal only in {IDLE}",
        "5321 §4.1.4",
    ),
    (f"{PLAIN} {MAIL} {RCPT}", "send_bdat", "the last EHLO did not offer CHUNKING", "3030 §2"),
    (
        f"{OPENED} send_mail_binary reply_2yz {RCPT}",
        "send_data",
        "the content is declared BODY=BINARYMIME, which only BDAT can carry",
        "5321 §3.3",
    ),
    (
        f"{OPENED} {MAIL} {RCPT} {CHUNK}",
        "send_data",
        "a BDAT chunk was accepted in this transaction",
        "5321 §3.3",
    ),
    (
        f"{OPENED} {MAIL} {RCPT} send_bdat reply_5yz",
        "send_bdat",
        "a BDAT chunk was refused, or a doomed command accepted: RSET must clear the transaction",
        "3030 §2",
    ),
    (f"{PLAIN} {MAIL} {RCPT} send_data", "send_content", "a reply is awaited", "5321 §4.1.1.4"),
    (
        f"{PLAIN} {MAIL} {RCPT} {DATA}",
        "send_quit",
        "DATA is in flight, or 354 has opened the content; it is legal only in"
        " SMTP_BANNER, SMTP_CONNECTED, SMTP_SEND_MESSAGE, SMTP_MAIL, SMTP_RCPT or SMTP_RSET",
        "5321 §4.1.1.10",
    ),
    (
        f"{OPENED} send_starttls reply_220",
        "send_ehlo",
        "STARTTLS was accepted and the TLS handshake is to come",
        "5321 §4.1.4",
    ),
    (f"{PLAIN} reply_421", "send_mail", CLOSING, "5321 §4.1.4"),
    (f"{PLAIN} send_quit", "send_quit", "a reply is awaited", "5321 §4.1.4"),
    (
        f"{PLAIN} reply_2yz",
        "send_quit",
        "the session cannot go on: only closing is left",
        "5321 §4.1.1.10",
    ),
]


@pytest.mark.parametrize(("run", "trigger", "why", "rfc"), SENTENCES)
def test_the_sentence(run: str, trigger: str, why: str, rfc: str) -> None:
    machine = shared_machine()
    refused = machine.refusal(reached(run), trigger)
    assert isinstance(refused, CommandRefused)
    assert (refused.why, refused.rfc) == (why, rfc)


def test_the_whole_message() -> None:
    refused = shared_machine().refusal(reached(PLAIN, MAIL), "send_data", command="DATA")
    assert str(refused) == (
        "'DATA' (send_data) is not legal in SMTP_MAIL: MAIL was accepted, and no recipient yet"
        " (RFC 5321 §3.3). Legal now: send_ehlo, send_helo, send_rcpt, send_rset, send_noop,"
        " send_vrfy, send_expn, send_help, send_custom, send_quit, close"
    )


@pytest.mark.parametrize("trigger", ["send_mail", "send_mail_binary", "send_auth"])
def test_a_policy_cites_its_own_section(trigger: str) -> None:
    machine = shared_machine(("require_tls",))
    run = OPENED.replace("offer_starttls ", "")
    refused = machine.refusal(reached(run, machine=machine), trigger)
    assert isinstance(refused, CommandRefused)
    assert (refused.why, refused.rfc) == ("the connection is in clear", "3207 §6")


def test_a_policy_is_not_blamed_for_what_the_protocol_forbids() -> None:
    machine = shared_machine(("require_tls",))
    refused = machine.refusal(reached("connect", machine=machine), "send_mail")
    assert isinstance(refused, CommandRefused)
    assert (refused.why, refused.rfc) == ("a reply is awaited", "5321 §4.1.4")


def test_other_policies() -> None:
    wanted = shared_machine(("auth_wanted",))
    why, rfc = why_not(wanted.table, reached(OPENED, machine=wanted), "send_mail")
    assert (why, rfc) == (
        f"EHLO is in flight, or its offers are being read; it is legal only in {IDLE}",
        "5321 §4.1.4",
    )
    once = shared_machine(("no_auth_retry",))
    rejected = reached(OPENED, "send_auth reply_535", machine=once)
    why, rfc = why_not(once.table, rejected, "send_auth")
    said = "the credentials were rejected with 535: no further AUTH in this session"
    assert (why, rfc) == (said, "4954 §4")


def test_one_state_alone(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    text = SMALL.replace(", set: {link: up}", "").replace("link: up", "link: down")
    file.write_text(text, encoding="utf-8")
    machine = ProtocolMachine(load_table(file))
    why = why_not(machine.table, machine.space.start, "close")
    assert why == ("no connection; it is legal only in SMTP_BANNER", "5321 §4.1.1.10")


def test_a_trigger_without_rows(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    spare = "  spare: {by: client, means: never, rfc: 5321 §4.1.5}\nsets:"
    file.write_text(SMALL.replace("sets:", spare), encoding="utf-8")
    machine = ProtocolMachine(load_table(file))
    assert machine.legal(machine.space.start) == ("connect",)
    with pytest.raises(CommandRefused) as caught:
        machine.fire(machine.new_model(), "spare")
    assert (caught.value.why, caught.value.rfc) == ("no row of this table has it", "5321 §4.1.5")


@pytest.mark.parametrize("overlays", [(), ("require_tls", "auth_wanted", "no_auth_retry")])
def test_every_refusal_has_one_true_sentence_and_a_section(overlays: tuple[str, ...]) -> None:
    machine = shared_machine(overlays)
    table = machine.table
    causes = {say for variable in table.variables.values() for say in variable.values.values()}
    sections = {row.rfc for row in table.rows}
    sections |= {one.rfc for row in table.rows for one in row.restrictions}
    for place in explore(table).places:
        configuration = machine.space.intern(*place)
        true = {table.describe(name, value) for name, value in configuration.as_dict().items()}
        for trigger in table.client_triggers():
            if machine.step(configuration, trigger).row is None:
                why, rfc = why_not(table, configuration, trigger)
                assert rfc in sections
                if why in causes:
                    assert why in true
                else:
                    means, _, only = why.partition("; it is legal only in ")
                    assert means == table.states[configuration.state].means
                    assert only
                    # The state alone is blamed: elsewhere, with this very memory, it is legal.
                    assert configuration.state not in only.replace(" or ", ", ").split(", ")
                    for state in only.replace(" or ", ", ").split(", "):
                        elsewhere = machine.space.intern(state, configuration.memory)
                        assert machine.step(elsewhere, trigger).row is not None
