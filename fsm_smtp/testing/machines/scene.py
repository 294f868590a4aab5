"""What a client under test meets: a mail to send, what is offered, and each reply's kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

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
#: The plainest content.
PLAIN: Final = b"Subject: x\r\n\r\n"


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
        PLAIN + b".\r\n.x\r\n..\r\nhello\r\n",
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
