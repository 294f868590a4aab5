"""More recipients than the server takes at once (RFC 9422 §4): several transactions."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from fsm_smtp.client.content import rewinder
from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.extensions import Recipient
from fsm_smtp.client.message import Message
from fsm_smtp.client.requests import Flow
from fsm_smtp.client.result import Fate, SendResult
from fsm_smtp.counts import RCPTDOMAINMAX, RCPTMAX, domain_of
from fsm_smtp.errors import InvalidContent

_Group = tuple[str | Recipient, ...]


def batches(
    on: Exchange, message: Message, send: Callable[[Exchange, Message], Flow[SendResult]]
) -> Flow[SendResult]:
    """The message by as many transactions as the limits ask for; one result for all of them.

    Where one is cut short, those behind it are not begun: their recipients are refused.

    Raises:
        InvalidContent: several are needed, and the content can be gone through only once.
    """
    limits = on.session.offers.limits
    groups = list(_groups(message, limits.get(RCPTMAX), limits.get(RCPTDOMAINMAX)))
    if len(groups) == 1:
        return (yield from send(on, message))
    rewind = rewinder(message.source)
    if rewind is None:
        what = f"content that can be read once, for {len(groups)} transactions"
        raise InvalidContent(what, "9422 §4")
    results: list[SendResult] = []
    for group in groups:
        rewind()
        result = yield from send(on, replace(message, recipients=group))
        results.append(result)
        if result.error is not None or not on.session.may("send_mail"):
            break
    fates = [fate for result in results for fate in result.fates]
    fates += [Fate(address, "refused", None) for address in message.addresses[len(fates) :]]
    return SendResult(message.sender, tuple(fates), results[-1].error)


def _groups(message: Message, most: int | None, domains: int | None) -> Iterator[_Group]:
    """The recipients in their order, as many at once as may be."""
    group: list[str | Recipient] = []
    seen: set[bytes] = set()
    for recipient, address in zip(message.recipients, message.addresses, strict=True):
        domain = domain_of(address.encode())
        many = most is not None and len(group) >= most
        wide = domains is not None and len(seen | {domain}) > domains
        if group and (many or wide):
            yield tuple(group)
            group.clear()
            seen.clear()
        group.append(recipient)
        seen.add(domain)
    yield tuple(group)
