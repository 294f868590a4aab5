"""Which mechanisms to try, in which order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from fsm_smtp.client.callbacks import Credentials
from fsm_smtp.client.sasl import scram
from fsm_smtp.client.sasl.binding import binding
from fsm_smtp.client.sasl.challenge import CramMd5
from fsm_smtp.client.sasl.mechanism import Mechanism, Place
from fsm_smtp.client.sasl.oauth import OAuthBearer, XOAuth2
from fsm_smtp.client.sasl.simple import External, Login, Plain

Make = Callable[[Credentials, Place], Mechanism]


@dataclass(frozen=True, slots=True)
class Choice:
    """A mechanism that may be tried.

    Attributes:
        name: as in AUTH.
        make: makes one exchange of it.
    """

    name: str
    make: Callable[[], Mechanism]


def _scram(name: str, who: Credentials, place: Place) -> Mechanism:
    return scram.Scram(name, who.user, who.password or "", place)


#: By name, in the order of preference: what binds to the connection, what proves a password without
#: showing it, tokens, and what sends the password.
MECHANISMS: Final[Mapping[str, Make]] = {
    "SCRAM-SHA-256-PLUS": partial(_scram, "SCRAM-SHA-256-PLUS"),
    "SCRAM-SHA-1-PLUS": partial(_scram, "SCRAM-SHA-1-PLUS"),
    "SCRAM-SHA-256": partial(_scram, "SCRAM-SHA-256"),
    "SCRAM-SHA-1": partial(_scram, "SCRAM-SHA-1"),
    "OAUTHBEARER": lambda who, place: OAuthBearer(who.user, who.token or "", place),
    "XOAUTH2": lambda who, _: XOAuth2(who.user, who.token or ""),
    "EXTERNAL": lambda who, _: External(who.user),
    "PLAIN": lambda who, _: Plain(who.user, who.password or ""),
    "LOGIN": lambda who, _: Login(who.user, who.password or ""),
    "CRAM-MD5": lambda who, _: CramMd5(who.user, who.password or ""),
}

_TOKENS: Final = ("OAUTHBEARER", "XOAUTH2")

#: What is used without being named.
DEFAULT: Final = tuple(name for name in MECHANISMS if name not in ("EXTERNAL", "CRAM-MD5"))


def choose(
    offered: Iterable[str],
    who: Credentials,
    place: Place,
    wanted: Sequence[str] | None = None,
) -> list[Choice]:
    """The mechanisms to try, best first.

    Args:
        offered: what the server offers.
        who: the credentials; they decide which mechanisms can be used.
        place: where; -PLUS needs TLS.
        wanted: the caller's own list, in the caller's order; ``None`` for `DEFAULT`.
    """
    names = {name.upper() for name in offered}
    asked = DEFAULT if wanted is None else [name.upper() for name in wanted]
    usable = [name for name in asked if name in names and _usable(name, who, place)]
    return [Choice(name, partial(MECHANISMS[name], who, place)) for name in usable]


def _usable(name: str, who: Credentials, place: Place) -> bool:
    if name not in MECHANISMS:
        return False
    if name == "EXTERNAL":
        return True
    if name in _TOKENS:
        return who.token is not None
    if who.password is None:
        return False
    if not name.startswith("SCRAM-"):
        return True
    return scram.is_here() and (not name.endswith("-PLUS") or binding(place.secured) is not None)
