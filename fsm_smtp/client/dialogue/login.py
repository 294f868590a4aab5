"""Authentication (RFC 4954)."""

import base64
import binascii

from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.requests import Flow
from fsm_smtp.client.sasl import MECHANISMS, Mechanism, choose
from fsm_smtp.errors import InvalidCommand, Rejected
from fsm_smtp.wire import Reply, commands


def login(on: Exchange, user: str, password: str) -> Flow[Reply]:
    """AUTH with the best mechanism that both sides know.

    Raises:
        InvalidCommand: a password would be sent in clear, against the options.
        Rejected: no common mechanism, or the server refuses the credentials.
    """
    session = on.session
    if session.configuration["tls"] == "no" and not on.options.clear_auth:
        raise InvalidCommand("a password over a connection in clear", "4954 §4")
    names = choose(session.offers.get("AUTH", ()))
    if not names:
        offered = " ".join(session.offers.get("AUTH", ())) or "nothing"
        raise InvalidCommand(f"AUTH, as the server offers {offered}", "4954 §3")
    reply: Reply | None = None
    for name in names:
        if reply is None or session.may("send_auth"):
            reply = yield from _authenticated(on, name, MECHANISMS[name](user, password))
            if reply.code == 235:
                return reply
    assert reply is not None
    raise Rejected("AUTH", reply.code, str(reply))


def _authenticated(on: Exchange, name: str, mechanism: Mechanism) -> Flow[Reply]:
    try:
        command = commands.auth(name, mechanism.initial())
    except InvalidCommand:  # too long a line: the response goes without AUTH (RFC 4954 §4)
        command = commands.auth(name)
    reply = yield from on.command(command)
    while on.session.may("send_response"):
        try:
            challenge = base64.b64decode(reply.lines[0], validate=True)
        except binascii.Error:
            return (yield from on.command(commands.sasl_cancel()))
        response = commands.sasl_response(mechanism.respond(challenge))
        reply = yield from on.command(response)
    return reply
