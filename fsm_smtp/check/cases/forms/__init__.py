"""Checks of a reply beside its code, by the name that a suite uses; one module a topic.

A form takes the reply and its lines as they came (line ends included) and returns what is wrong, or
``None``. A new one is a function in the module of its topic, and an entry of its ``FORMS``.
"""

from collections.abc import Mapping

from fsm_smtp.check.cases.forms import (
    auth,
    ehlo,
    enhanced,
    keywords,
    limits,
    markup,
    octets,
    reply,
    sasl,
    status,
    statuses,
)
from fsm_smtp.check.cases.forms.grammar import Form
from fsm_smtp.check.cases.offers import Condition

#: Forms without an argument.
FORMS: Mapping[str, Form] = {
    **reply.FORMS,
    **ehlo.FORMS,
    **keywords.FORMS,
    **enhanced.FORMS,
    **statuses.FORMS,
    **markup.FORMS,
    **auth.FORMS,
    **sasl.FORMS,
    **limits.FORMS,
    **octets.FORMS,
}
#: First words of forms with an offer of EHLO behind it.
WITH_OFFER = {**ehlo.WITH_OFFER, **keywords.WITH_OFFER}


def form_named(name: str) -> Form | None:
    """The form that a suite calls *name*; ``None`` if nothing is called that."""
    word, _, argument = name.partition(" ")
    if name not in FORMS and word in WITH_OFFER and Condition(argument).is_about_ehlo:
        return WITH_OFFER[word](argument)
    if word == "enhanced" and status.is_status(argument):
        return status.with_status(argument)
    return FORMS.get(name)


def form_names() -> tuple[str, ...]:
    """What there is to choose from."""
    return (*FORMS, *(f"{word} KEYWORD" for word in WITH_OFFER), "enhanced X.Y.Z")
