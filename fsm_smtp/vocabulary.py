"""Which trigger a command line, a reply or an offer stands for: all read from the table."""

import re
from collections.abc import Callable
from typing import Final

from fsm_smtp.table import Table, Trigger
from fsm_smtp.wire import Command

ANY_VERB: Final = "*"

# In the local-part of a mailbox, what stands in quotes may look like a parameter.
_QUOTED: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


class Vocabulary:
    """The look-ups between the wire's words and the table's triggers."""

    def __init__(self, table: Table) -> None:
        verbs: dict[str, list[Trigger]] = {}
        self._codes: dict[int, str] = {}
        self._keywords: dict[str, str] = {}
        for trigger in table.triggers.values():
            if trigger.verb is not None:
                verbs.setdefault(trigger.verb, []).append(trigger)
            if trigger.keyword is not None:
                self._keywords[trigger.keyword] = trigger.name
            if trigger.digit is not None:
                for code in range(trigger.digit * 100, trigger.digit * 100 + 100):
                    self._codes.setdefault(code, trigger.name)
        for trigger in table.triggers.values():
            self._codes.update((code, trigger.name) for code in trigger.codes)
        for triggers in verbs.values():  # the more exact one is meant
            triggers.sort(key=lambda t: t.argument is None and t.parameter is None)
        #: By verb: the triggers that it may be, each with the word that tells it from the last.
        self._verbs = {
            verb: [(t, (t.parameter or t.argument or "").encode("ascii")) for t in triggers]
            for verb, triggers in verbs.items()
        }
        every = {code for codes in table.replies.get("any", ()) for code in codes.codes}
        self._listed = {
            name: every.union(*(codes.codes for codes in listed))
            for name, listed in table.replies.items()
        }
        #: The trigger that a reply with a code (200 to 599) is.
        self.reply: Callable[[int], str] = self._codes.__getitem__
        self._replies = {name: trigger.replies for name, trigger in table.triggers.items()}

    def command(self, command: Command) -> str:
        """The trigger that sending *command* is.

        Raises:
            KeyError: the table has no trigger for any verb.
        """
        candidates = self._verbs.get(command.verb)
        if candidates is None:
            candidates = self._verbs[ANY_VERB]
        if len(candidates) > 1:
            argument = command.argument.upper()
            if b'"' in argument:
                argument = _QUOTED.sub(b"", argument)
            for trigger, wanted in candidates[:-1]:
                if wanted not in argument:  # most often so, and cheaper to see than its words
                    continue
                words = argument.split()
                if wanted in words if trigger.parameter else words[-1:] == [wanted]:
                    return trigger.name
        return candidates[-1][0].name

    def offer(self, keyword: str) -> str | None:
        """The trigger that an EHLO keyword (upper case) is, if order depends on it."""
        return self._keywords.get(keyword)

    def is_listed(self, code: int, trigger: str) -> bool:
        """Whether an RFC lists *code* among the replies to this client trigger."""
        name = self._replies[trigger]
        return name is None or code in self._listed[name]
