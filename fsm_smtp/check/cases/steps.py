"""The steps of a case, from YAML to data, every mistake with its place.

``setup: [line, …]``
    lines that must be answered as ``want`` says (2yz), else the case is ``inconclusive``;
``send: line``, ``pipeline: [line, …]``, ``raw: octets``, ``message: text``, ``await: reply``
    write something (or nothing), then judge what comes: ``expect: {pass: [503], latitude: [5yz],
    else: fail}``. An outcome is a code, a class (``5yz``, ``50z``), ``any`` reply, ``closed``,
    ``silence`` or ``malformed``; no class has 421 and 530 (policy), ``any`` has no 421. ``else``
    is by default what the level says: MUST fails, SHOULD warns, MAY informs;
``chunk: octets`` (with ``last: true``, ``declared: size``)
    BDAT and these octets in one write;
``tls: handshake``
    its outcome is ``secured``, ``unsecured`` or ``closed``;
``pause: seconds``, ``drop: close`` (or ``reset``)
    nothing happens; our side ends the connection;
``group: [step, …]``
    steps that share a condition.

Options: ``on: {2yz: [step, …]}`` (steps that follow only after such an outcome), ``repeat`` (a
number, or MAILMAX or RCPTMAX: as often as that limit of the server says), ``wait`` (seconds until
``silence``), ``form`` (checks beside the code), ``when``, ``unless`` (conditions, see `offers`),
``session`` (another session with the same server).
"""

import re

from fsm_smtp.check.cases.case import (
    FIRST_SESSION,
    MAX_REPEAT,
    Action,
    Expectation,
    Level,
    Pattern,
    Step,
)
from fsm_smtp.check.cases.expectations import expectation, pattern, wanted
from fsm_smtp.check.cases.forms import form_named, form_names
from fsm_smtp.check.cases.offers import LIMIT_NAMES, Condition
from fsm_smtp.check.cases.template import FILLINGS, PLACEHOLDER, VALUES
from fsm_smtp.yaml_source import Node, nearest

#: Longest wait for one reply, and longest pause, in seconds.
_MAX_WAIT = 600
#: Most octets that a chunk may claim (RFC 3030 §2 has no limit; 20 digits fit everywhere).
_MAX_DECLARED = 10**20 - 1

_SESSION = re.compile(r"[a-z][a-z0-9]{0,7}\Z")

_ALWAYS = ("when", "unless")
_AWAITING = ("on", "repeat", "wait", "session", *_ALWAYS)
_JUDGED = ("expect", "form", *_AWAITING)
#: What may stand beside each action.
_OPTIONS = {
    Action.SETUP: ("want", "otherwise", *_AWAITING),
    Action.SEND: _JUDGED,
    Action.RAW: _JUDGED,
    Action.PIPELINE: _JUDGED,
    Action.MESSAGE: _JUDGED,
    Action.CHUNK: ("last", "declared", *_JUDGED),
    Action.AWAIT: _JUDGED,
    Action.TLS: ("expect", *_AWAITING),
    Action.PAUSE: _ALWAYS,
    Action.DROP: ("session", *_ALWAYS),
    Action.GROUP: ("repeat", *_ALWAYS),
}
_ALL_OPTIONS = tuple(dict.fromkeys(key for keys in _OPTIONS.values() for key in keys))
_UNJUDGED = (Action.SETUP, Action.PAUSE, Action.DROP, Action.GROUP)
_ONE_TEXT = (Action.SEND, Action.MESSAGE, Action.CHUNK)
_CHOICES = {
    Action.AWAIT: ("reply", "close", "silence"),
    Action.TLS: ("handshake",),
    Action.DROP: ("close", "reset"),
}


def steps(node: Node, level: Level) -> tuple[Step, ...]:
    """The steps at *node*, of a case of this *level*."""
    items = node.sequence("steps")
    if not items:
        raise node.error("steps is empty")
    return tuple(_step(item, level) for item in items)


def conditions(node: Node, what: str) -> tuple[Condition, ...]:
    """One condition or several; see `offers`."""
    items = node.one_or_more(what)
    if not items:
        raise node.error(f"{what} is empty")
    return tuple(_condition(item, what) for item in items)


def seconds(node: Node, what: str, most: int = _MAX_WAIT) -> float:
    """A length of time."""
    value = node.scalar
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise node.error(f"{what} is a number of seconds, at most {most}")
    return float(value)


def _condition(node: Node, what: str) -> Condition:
    name = node.name(what)
    if not Condition.is_valid(name):
        raise node.error(
            f"{what} names an EHLO keyword like PIPELINING, one with a parameter like AUTH PLAIN,"
            f" credentials, tls or clear, not {name!r}",
            name.upper() if Condition.is_valid(name.upper()) else None,
        )
    return Condition(name)


def _step(node: Node, level: Level) -> Step:
    entry = node.fields("a step", optional=(*Action, *_ALL_OPTIONS))
    actions = [action for action in Action if action.value in entry]
    if len(actions) != 1:
        raise node.error(f"a step has exactly one of {', '.join(Action)}")
    action = actions[0]
    for key, value in entry.items():
        if key != action.value and key not in _OPTIONS[action]:
            allowed = ", ".join(_OPTIONS[action])
            raise value.error(
                f"{key!r} does not belong here: beside {action.value!r} stand {allowed}"
            )
    texts = _texts(entry[action], action)
    limit = _limit(entry)
    return Step(
        action=action,
        texts=texts,
        expects=_expects(node, entry, action, level, len(texts)),
        branches=_branches(entry["on"], level) if "on" in entry else (),
        repeat=1 if limit else _number(entry, "repeat", 1, 1, MAX_REPEAT) or 1,
        limit=limit,
        wait=seconds(entry["wait"], "wait") if "wait" in entry else None,
        form=_forms(entry["form"]) if "form" in entry else (),
        when=conditions(entry["when"], "when") if "when" in entry else (),
        unless=conditions(entry["unless"], "unless") if "unless" in entry else (),
        session=_session(entry["session"]) if "session" in entry else FIRST_SESSION,
        last=_flag(entry["last"], "last") if "last" in entry else False,
        declared=_number(entry, "declared", None, 0, _MAX_DECLARED),
        seconds=seconds(entry[action], "pause") if action is Action.PAUSE else 0.0,
        steps=steps(entry[action], level) if action is Action.GROUP else (),
    )


def _texts(node: Node, action: Action) -> tuple[str, ...]:
    if action in (Action.PAUSE, Action.GROUP):
        return ()
    if action in _CHOICES:
        choice = node.choice(action, _CHOICES[action])
        return (choice,) if action is Action.DROP else ()
    if action in _ONE_TEXT:
        return (_template(node, action),)
    items = node.one_or_more(action)
    if not items:
        raise node.error(f"{action} is empty")
    return tuple(_template(item, action) for item in items)


def _template(node: Node, action: Action) -> str:
    text = node.text(action)
    for found in PLACEHOLDER.finditer(text):
        name, known = found[1], FILLINGS if found[2] else VALUES
        if name not in known:
            raise node.error(f"no placeholder is called {found[0]}", nearest(name, known))
        if name == "b64" and int(found[2]) % 4:
            raise node.error(f"{found[0]}: base64 has a multiple of four characters")
    if any(ord(character) > 255 for character in text):
        raise node.error("what is sent is octets: write a character above U+00FF as its octets")
    return text


def _number(
    entry: dict[str, Node], key: str, default: int | None, least: int, most: int
) -> int | None:
    if key not in entry:
        return default
    number = entry[key].number(key)
    if not least <= number <= most:
        raise entry[key].error(f"{key} is from {least} to {most}")
    return number


def _limit(entry: dict[str, Node]) -> str | None:
    if "repeat" not in entry or not isinstance(entry["repeat"].scalar, str):
        return None
    return entry["repeat"].choice("repeat", LIMIT_NAMES)


def _flag(node: Node, what: str) -> bool:
    if not isinstance(node.scalar, bool):
        raise node.error(f"{what} is true or false")
    return node.scalar


def _session(node: Node) -> str:
    name = node.name("session")
    if not _SESSION.match(name):
        raise node.error(f"a session has a short name in lower case like b, not {name!r}")
    return name


def _forms(node: Node) -> tuple[str, ...]:
    items = node.one_or_more("form")
    if not items:
        raise node.error("form is empty")
    names: list[str] = []
    for item in items:
        name = item.name("form")
        if form_named(name) is None:
            raise item.error(f"form {name} is unknown", nearest(name, form_names()))
        names.append(name)
    return tuple(names)


def _expects(
    step: Node, entry: dict[str, Node], action: Action, level: Level, texts: int
) -> tuple[Expectation, ...]:
    if action is Action.SETUP:
        return (wanted(entry),) * texts
    if action in _UNJUDGED:
        return ()
    if "expect" not in entry:
        if action is Action.RAW:
            return ()
        raise step.error(f"a step with {action.value!r} needs the key 'expect'")
    node = entry["expect"]
    if action is Action.PIPELINE:
        items = node.sequence("expect")
        if len(items) != texts:
            raise node.error(f"{texts} lines are sent and {len(items)} replies expected")
        return tuple(expectation(item, level) for item in items)
    return (expectation(node, level),)


def _branches(node: Node, level: Level) -> tuple[tuple[tuple[Pattern, ...], tuple[Step, ...]], ...]:
    return tuple(
        (tuple(pattern(entry.key, text) for text in name.split()), steps(entry.value, level))
        for name, entry in node.mapping("on").items()
    )
