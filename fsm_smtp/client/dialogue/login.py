"""Authentication (RFC 4954)."""

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from fsm_smtp.client.callbacks import Credentials, Logon
from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.requests import Flow
from fsm_smtp.client.sasl import Choice, MechanismFailed, Place, choose
from fsm_smtp.errors import InvalidCommand, Rejected, UnexpectedReply
from fsm_smtp.wire import Offers, Reply, commands

#: The reply that rejects the credentials themselves, whatever the mechanism (RFC 4954 §6).
REJECTED: Final = 535


def logged_on(on: Exchange) -> Flow[Reply]:
    """AUTH as the options say, asking the caller for credentials where the caller wants that.

    Raises:
        Rejected: the server refuses the credentials, or every mechanism.
        LocalProtocolError: see `tried`.
    """
    who, attempt = on.options.credentials or _asked(on, 1, None), 1
    while True:
        reply = yield from tried(on, who, on.options.mechanisms)
        if reply.code == 235:
            return reply
        attempt += 1
        if on.options.on_logon is None or not on.session.may("send_auth"):
            break
        again = on.options.on_logon(Logon(attempt, _offered(on), reply))
        if again is None:
            break
        who = again
    raise Rejected("AUTH", reply.code, str(reply), state=on.session.configuration.state)


def tried(on: Exchange, who: Credentials, wanted: Sequence[str] | None = None) -> Flow[Reply]:
    """AUTH with one mechanism after another, until one succeeds or the credentials are rejected.

    Gives the last reply: 235, or a refusal.

    Args:
        on: the exchange.
        who: the credentials.
        wanted: the mechanisms to use, best first; ``None`` for all that are sound.

    Raises:
        InvalidCommand: credentials would be sent in clear, against the options; or there is no
            mechanism in common.
        UnexpectedReply: the server says 235 and has not proved what it should.
    """
    session = on.session
    if session.configuration["tls"] == "no" and not on.options.clear_auth:
        raise InvalidCommand("credentials over a connection in clear", "4954 §4")
    offered = _offered(on)
    binds = any(name.upper().endswith("-PLUS") for name in offered)
    place = Place(on.host, on.port, on.secured, binds)
    choices = choose(offered, who, place, wanted)
    if not choices:
        raise InvalidCommand(_nothing_in_common(on, wanted), "4954 §3")
    reply: Reply | None = None
    for choice in choices:
        reply = yield from _authenticated(on, choice)
        if reply.code in (235, REJECTED) or not session.may("send_auth"):
            break
    assert reply is not None
    return reply


def _authenticated(on: Exchange, choice: Choice) -> Flow[Reply]:
    mechanism = choice.make()
    initial = mechanism.initial()
    sent = initial is None
    try:
        command = commands.auth(choice.name, initial)
        sent = True
    except InvalidCommand:  # too long a line: the response goes without AUTH (RFC 4954 §4)
        command = commands.auth(choice.name)
    reply = yield from on.command(command)
    while on.session.may("send_response"):
        try:
            challenge = base64.b64decode(reply.lines[0], validate=True)
            response = mechanism.respond(challenge) if sent else initial or b""
        except (binascii.Error, MechanismFailed):
            return (yield from on.command(commands.sasl_cancel()))
        sent = True
        reply = yield from on.command(commands.sasl_response(response))
    if reply.code == 235 and not mechanism.done():
        why = f"{choice.name} has not proved that the server knows the password"
        state = on.session.configuration.state
        raise UnexpectedReply(state, command.redacted, str(reply), why=why, rfc="5802 §3")
    return reply


def _asked(on: Exchange, attempt: int, reply: Reply | None) -> Credentials:
    if on.options.on_logon is None:
        return Credentials("")  # EXTERNAL, and who we are is known from below
    who = on.options.on_logon(Logon(attempt, _offered(on), reply))
    if who is None:
        raise InvalidCommand("AUTH without credentials, which the caller does not give", "4954 §4")
    return who


def _offered(on: Exchange) -> tuple[str, ...]:
    return on.session.offers.get("AUTH", ())


def _nothing_in_common(on: Exchange, wanted: Sequence[str] | None) -> str:
    now = _mechanisms(on.session.offers)
    what = f"AUTH, as the server offers {now}"
    if wanted is not None:
        what = f"AUTH by {' '.join(wanted)}, as the server offers {now}"
    if on.in_clear is not None and _mechanisms(on.in_clear) != now:
        before = _mechanisms(on.in_clear)
        what = f"{what} (the EHLO under TLS is in force; the one before STARTTLS offered {before})"
    return what


def _mechanisms(offers: Offers) -> str:
    return " ".join(offers.get("AUTH", ())) or "nothing"
