"""What a client under test meets: a mail to send, what is offered, and each reply's kind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import strategies as st

from fsm_smtp.testing.machines.failure import ClientViolation
from fsm_smtp.testing.machines.mail import Mail, mails
from fsm_smtp.testing.machines.replies import KINDS, MET, MET_WITH_AUTH, MET_WITH_TLS, Order

#: Most replies of a session that are ordered.
ORDERS: Final = 4
#: Extensions that a session may be without.
EXTENSIONS: Final = (
    "PIPELINING",
    "SIZE",
    "8BITMIME",
    "CHUNKING",
    "SMTPUTF8",
    "DSN",
    "ENHANCEDSTATUSCODES",
)
#: What a session may offer more, where the client is known to make use of it: STARTTLS, and AUTH
#: with one mechanism or both.
MECHANISMS: Final = ("PLAIN", "LOGIN")
_PLAIN: Final = b"Subject: x\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Scene:
    """One session.

    Attributes:
        mail: what the client is to send.
        orders: the replies that are not a faithful server's.
        without: of `EXTENSIONS`, those that are not offered.
        more: of ``STARTTLS`` and `MECHANISMS`, those that are offered.
    """

    mail: Mail
    orders: tuple[Order, ...] = ()
    without: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()

    @property
    def extensions(self) -> frozenset[str]:
        """What is offered."""
        auth = {"AUTH"} if self.mechanisms else set[str]()
        return (frozenset({"VRFY", *EXTENSIONS, *auth}) - self.without) | (self.more & {"STARTTLS"})

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """Those of AUTH that are offered."""
        return tuple(one for one in MECHANISMS if one in self.more)


def met(more: frozenset[str]) -> tuple[str, ...]:
    """What a client may meet, if the server offers so much *more*."""
    with_tls = MET_WITH_TLS if "STARTTLS" in more else ()
    return (*MET, *with_tls, *(MET_WITH_AUTH if more & {*MECHANISMS} else ()))


def single_scenes(more: frozenset[str] = frozenset()) -> Iterator[Scene]:
    """Each kind of reply to each command once, and to each of several recipients.

    Args:
        more: what the server may offer more, each by itself and all of it at once.
    """
    mail = Mail(
        "sender@client.example.test",
        ("a@example.test", "b@example.test"),
        _PLAIN + b".\r\n.x\r\n..\r\nhello\r\n",
    )
    yield Scene(mail)
    yield Scene(mail, without=frozenset(EXTENSIONS))
    each = [frozenset({one}) for one in sorted(more)]
    offered = tuple(dict.fromkeys([*each, more] if more else ()))
    for few in offered:
        yield Scene(mail, more=few)
    for kind in KINDS:
        for on in MET:
            yield Scene(mail, (Order(on, 0, kind),))
        yield Scene(mail, (Order("RCPT", 2, kind),))
    for few in offered:
        for kind in KINDS:
            for on in met(few)[len(MET) :]:
                yield Scene(mail, (Order(on, 0, kind),), more=few)


def scenes(more: frozenset[str] = frozenset()) -> st.SearchStrategy[Scene]:
    """Sessions: any mail, any offers, any replies.

    Args:
        more: what the server may offer more.
    """
    orders = st.builds(Order, st.sampled_from(met(more)), st.integers(0, 3), st.sampled_from(KINDS))
    return st.builds(
        Scene,
        mails(),
        st.lists(orders, max_size=ORDERS).map(tuple),
        st.frozensets(st.sampled_from(EXTENSIONS)),
        st.frozensets(st.sampled_from(sorted(more))) if more else st.just(frozenset[str]()),
    )


def plainest(
    met: Callable[[Scene], ClientViolation | None], found: ClientViolation
) -> ClientViolation:
    """The violation of the same section in the plainest scene that shows it.

    Args:
        met: plays a scene.
        found: a violation, with its scene.
    """
    best = found
    plainer = True
    while plainer and best.scene is not None:
        plainer = False
        for scene in _plainer(best.scene):
            seen = met(scene)
            if seen is not None and seen.rfc == found.rfc:
                seen.scene, best, plainer = scene, seen, True
                break
    return best


def _plainer(scene: Scene) -> Iterator[Scene]:
    """Scenes with less in them, those with much less first."""
    mail, orders = scene.mail, scene.orders
    if orders:
        yield replace(scene, orders=())
    if scene.without:
        yield replace(scene, without=frozenset())
    if scene.more:
        yield replace(scene, more=frozenset())
    if len(mail.recipients) > 1:
        yield replace(scene, mail=replace(mail, recipients=mail.recipients[:1]))
    if mail.content != _PLAIN:
        yield replace(scene, mail=replace(mail, content=_PLAIN))
    for number, order in enumerate(orders):
        yield replace(scene, orders=(*orders[:number], *orders[number + 1 :]))
        if order.number > 1:
            first = order._replace(number=1)
            yield replace(scene, orders=(*orders[:number], first, *orders[number + 1 :]))
    for one in sorted(scene.without):
        yield replace(scene, without=scene.without - {one})
    for one in sorted(scene.more):
        yield replace(scene, more=scene.more - {one})
    lines = mail.content.removeprefix(_PLAIN).split(b"\r\n")
    for number in range(len(lines) - 1):
        rest = b"\r\n".join(lines[:number] + lines[number + 1 :])
        yield replace(scene, mail=replace(mail, content=_PLAIN + rest))
