"""What an entry makes of an outcome."""

from enum import Enum

from fsm_smtp.table.server_model import Entry, Server, word_of


class Judgement(Enum):
    """How an outcome stands to what is owed."""

    #: One of the answers allows it.
    ALLOWED = "allowed"
    #: An answer allows it that goes against a SHOULD.
    DISCOURAGED = "discouraged"
    #: It may answer any input (421, 530), and says nothing about this one.
    POLICY = "policy"
    #: Its class is allowed, its code is not listed (RFC 5321 §4.2: handled by its first digit).
    UNLISTED = "unlisted"
    #: No answer allows it.
    VIOLATION = "violation"


def judge(server: Server, entry: Entry, outcome: str) -> Judgement:
    """The judgement on *outcome*, a reply code or an abstract output, where *entry* is owed."""
    allowing = [answer for answer in entry.answers if answer.allows(outcome)]
    if allowing:
        discouraged = all(answer.against for answer in allowing)
        return Judgement.DISCOURAGED if discouraged else Judgement.ALLOWED
    if any(one.code == outcome for one in server.anywhere):
        return Judgement.POLICY
    if any(answer.word == word_of(outcome) for answer in entry.answers):
        return Judgement.UNLISTED
    return Judgement.VIOLATION
