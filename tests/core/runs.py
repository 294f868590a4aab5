"""Runs written as words: ``run("connect reply_220 send_ehlo")``."""

from fsm_smtp.configuration import Configuration
from fsm_smtp.machine import Model, ProtocolMachine, shared_machine

#: From nothing to a session that EHLO has opened, with every offer.
OPENED = (
    "connect reply_220 send_ehlo reply_2yz"
    " offer_starttls offer_auth offer_chunking offer_pipelining offers_end"
)
#: The same, without any offer.
PLAIN = "connect reply_220 send_ehlo reply_2yz offers_end"
MAIL = "send_mail reply_2yz"
RCPT = "send_rcpt reply_2yz"
DATA = "send_data reply_354"


def driven(*words: str, machine: ProtocolMachine | None = None) -> Model:
    """A model after these triggers."""
    machine = machine or shared_machine()
    model = machine.new_model()
    for trigger in " ".join(words).split():
        machine.fire(model, trigger)
    return model


def reached(*words: str, machine: ProtocolMachine | None = None) -> Configuration:
    """The configuration after these triggers."""
    return driven(*words, machine=machine).configuration
