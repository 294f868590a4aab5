"""What a client under test meets: a mail to send, what is offered, and each reply's kind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import strategies as st

from fsm_smtp.testing.machines.failure import ClientViolation
from fsm_smtp.testing.machines.mail import Mail, mails
from fsm_smtp.testing.machines.replies import KINDS, MET, Order

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
_PLAIN: Final = b"Subject: x\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Scene:
    """One session.

    Attributes:
        mail: what the client is to send.
        orders: the replies that are not a faithful server's.
        without: of `EXTENSIONS`, those that are not offered.
    """

    mail: Mail
    orders: tuple[Order, ...] = ()
    without: frozenset[str] = frozenset()

    @property
    def extensions(self) -> frozenset[str]:
        """What is offered."""
        return frozenset({"VRFY", *EXTENSIONS}) - self.without


def single_scenes() -> Iterator[Scene]:
    """Each kind of reply to each command once, and to each of several recipients."""
    mail = Mail(
        "sender@client.example.test",
        ("a@example.test", "b@example.test"),
        _PLAIN + b".\r\n.x\r\n..\r\nhello\r\n",
    )
    yield Scene(mail)
    yield Scene(mail, without=frozenset(EXTENSIONS))
    for kind in KINDS:
        for on in MET:
            yield Scene(mail, (Order(on, 0, kind),))
        yield Scene(mail, (Order("RCPT", 2, kind),))


def scenes() -> st.SearchStrategy[Scene]:
    """Sessions: any mail, any offers, any replies."""
    orders = st.builds(Order, st.sampled_from(MET), st.integers(0, 3), st.sampled_from(KINDS))
    return st.builds(
        Scene,
        mails(),
        st.lists(orders, max_size=ORDERS).map(tuple),
        st.frozensets(st.sampled_from(EXTENSIONS)),
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
    lines = mail.content.removeprefix(_PLAIN).split(b"\r\n")
    for number in range(len(lines) - 1):
        rest = b"\r\n".join(lines[:number] + lines[number + 1 :])
        yield replace(scene, mail=replace(mail, content=_PLAIN + rest))
