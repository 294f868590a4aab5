"""What is claimed about a table: flags over the history of events, and properties of the runs.

A property never speaks of the table's variables: a table that sets a variable wrongly would then
satisfy its own lie. It speaks of what has *happened*:

* An **event** is a trigger that fired. The state before it and after it is visible, and so is
  whose violation the table says it is; nothing else of the table is.
* A **command** is a client trigger with ``replies``. The **outstanding** command is the last
  command that was sent, as long as nothing but commands has happened since: every other event
  answers it or ends the wait. An **exchange** begins with a command when none is open, and ends
  with every event that is neither a command nor an intermediate reply (3yz to what is
  outstanding). ``$sent_from`` is the state in which the exchange began.
* An **atom** matches events: by trigger, by the command that was outstanding (``answering``; the
  word ``nothing`` stands for none), and by flags (``while``).
* A **flag** is false at the start unless it says ``initially: true``. An event that an atom of
  ``begins`` matches makes it true; one that only ``ends`` matches makes it false. All atoms are
  evaluated on the flags and the outstanding command *before* the event, all flags change at once.
* A **condition** is a conjunction of flags and negated flags, of ``outstanding`` (some command
  is), and of other conditions. It too is evaluated before the event.

`Property` gives the meaning of each pattern.
"""

from dataclasses import dataclass, field
from typing import Literal

Pattern = Literal["absence", "precedence", "response", "existence", "universality", "permission"]
Culprit = Literal["client", "server", "nobody"]

#: The name by which a condition asks whether a command is outstanding.
OUTSTANDING = "outstanding"
#: The name by which an atom's ``answering`` asks that no command is outstanding.
NOTHING = "nothing"
#: What ``leads_to`` may name besides states: the state before the event.
SAME = "same"
#: What ``leads_to`` may name besides states: the state in which the exchange began.
SENT_FROM = "$sent_from"


@dataclass(frozen=True, slots=True)
class Condition:
    """A conjunction: every flag of `held` is true, every flag of `absent` false.

    Either may contain `OUTSTANDING`.
    """

    held: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def __and__(self, other: "Condition") -> "Condition":
        """Both conditions."""
        return Condition(_joined(self.held, other.held), _joined(self.absent, other.absent))


#: The condition that always holds.
ALWAYS = Condition()


@dataclass(frozen=True, slots=True)
class Atom:
    """Which events are meant, all names resolved.

    Attributes:
        triggers: the event is one of these.
        answering: the outstanding command is one of these (`NOTHING`: there is none); when empty,
            it does not matter.
        when: holds before the event.
    """

    triggers: tuple[str, ...]
    answering: tuple[str, ...] = ()
    when: Condition = ALWAYS


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that is or is not so after a history of events."""

    name: str
    says: str
    begins: tuple[Atom, ...]
    ends: tuple[Atom, ...]
    initially: bool = False


@dataclass(frozen=True, slots=True)
class Property:
    """A claim about every run of the table.

    With E an event that an atom of `of` matches while `when` holds, the patterns mean:

    * absence: no E happens.
    * precedence: `needs` holds before each E.
    * universality: each E is matched by an atom of `among`, is the violation of `culprit`, and
      leads to one of the states of `leads_to`; what is empty or ``None`` is not asked.
    * existence: some run has an E.
    * permission: whenever `when` holds, each trigger of `of` has a row that fires.
    * response: after each E an event of `follows` happens before any event of `before`, and it
      does happen: there is no dead end and no cycle on the way, assuming that each trigger of
      `bounded` happens finitely often.

    A property is vacuous when it holds with its consequent replaced by false: no E ever happens
    (precedence, universality, response), or `when` never holds (absence, permission).
    """

    id: str
    says: str
    pattern: Pattern
    of: tuple[Atom, ...]
    rfc: str
    when: Condition = ALWAYS
    needs: Condition = ALWAYS
    among: tuple[Atom, ...] = ()
    culprit: Culprit | None = None
    leads_to: tuple[str, ...] = ()
    follows: tuple[Atom, ...] = ()
    before: tuple[Atom, ...] = ()
    bounded: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    place: str = field(default="", compare=False)


def _joined(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return (*one, *(name for name in other if name not in one))
