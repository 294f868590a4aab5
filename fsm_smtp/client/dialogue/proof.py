"""A proof that a connection which was at rest can be used as if it were new."""

from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.requests import Flow, Wait
from fsm_smtp.errors import Rejected
from fsm_smtp.wire import Reply, commands


def proved(on: Exchange, seconds: float) -> Flow[Reply]:
    """RSET, answered with 2yz within *seconds*, after which a mail transaction may begin.

    What the server has said before it, unasked, is no answer to it: mostly that is the 421 of a
    server that has ended the session meanwhile (RFC 5321 §3.8).

    Raises:
        CommandRefused: the machine does not allow RSET now; nothing was written.
        Rejected: the server has ended the session, refuses RSET, or expects EHLO or AUTH yet.
        ProtocolError: what else the server may do wrong.
    """
    if on.session.may("send_rset"):  # else the machine says why not
        yield from on.glance()
    command = commands.rset()
    wait = Wait(seconds, on.session.send(command))
    data = yield wait
    reply = on.answer(data) or (yield from on.rest(wait, data))
    if reply.first_digit != 2 or not on.session.may("send_mail"):
        raise Rejected(command.redacted, reply.code, str(reply))
    return reply
