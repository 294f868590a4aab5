"""The order of commands: read from the table's section ``server``, and known nowhere else here.

A session keeps what it needs for its work (a transaction with its recipients, who the client is).
`Order` sees the table's variables in it, and refuses what an exacting server refuses there.
"""

from functools import cache

from fsm_smtp.owed import Answer, Entry, ServerModel
from fsm_smtp.table import load_table
from fsm_smtp.table.server_model import Standing
from fsm_smtp.testing.server.conversation import Conversation, Refused

#: The code for a wrong order (RFC 5321 §4.2.4).
WRONG_ORDER = "503"


@cache
def owed_model() -> ServerModel:
    """What servers owe, by the shipped table."""
    return ServerModel.of(load_table())


class Order(Conversation):
    """What may follow what."""

    @property
    def view(self) -> dict[str, str]:
        """The variables of the table that a server sees, as they are now."""
        transaction = self.transaction
        opened = "none" if transaction is None else "open"
        chunking = "none"
        if transaction is not None:
            if transaction.recipients:
                opened = "recipient"
            if transaction.spoilt:
                chunking = "failed"
            elif transaction.chunks is not None:
                chunking = "begun"
        return {
            "greeted": (self.greeted or "none").lower(),
            "tls": "yes" if self.secure else "no",
            "authenticated": "yes" if self.user is not None else "no",
            "transaction": opened,
            "chunking": chunking,
        }

    @property
    def standing(self) -> Standing:
        """Where the session stands between two commands."""
        view = self.view
        return "command", tuple(view[name] for name in owed_model().server.view)

    def in_order(self, name: str) -> None:
        """Refuse the input *name* of the table where an exacting server does.

        Raises:
            Refused: the first answer that the table lists here is a refusal.
        """
        entry = owed_model().owed(self.standing, name)
        if entry is not None and entry.answers[0].word[0] in "45":
            self.out_of_order(entry)

    def out_of_order(self, entry: Entry) -> None:
        """The refusal that *entry* asks for."""
        raise Refused(code_of(entry.answers[0]), "5.5.1", entry.says)


def code_of(answer: Answer) -> int:
    """The code of a refusal: 503 where the answer lists it or leaves it open."""
    if answer.allows(WRONG_ORDER):
        return int(WRONG_ORDER)
    return int(answer.codes[0])
