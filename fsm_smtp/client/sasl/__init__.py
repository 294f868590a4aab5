"""SASL mechanisms, as the answers they give to challenges. No I/O, no SMTP.

`simple` holds those that send what they know, `challenge` CRAM-MD5, `oauth` the bearer tokens,
`scram` SCRAM with and without channel binding; `choice` says which of them to try, in which order.
"""

from fsm_smtp.client.sasl.choice import DEFAULT, MECHANISMS, Choice, choose
from fsm_smtp.client.sasl.mechanism import Mechanism, MechanismFailed, Place

__all__ = [
    "DEFAULT",
    "MECHANISMS",
    "Choice",
    "Mechanism",
    "MechanismFailed",
    "Place",
    "choose",
]
