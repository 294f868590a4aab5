"""``expect`` and ``want`` of a step, from YAML to data, every mistake with its place."""

from fsm_smtp.check.cases.case import WORDS, Expectation, Level, Pattern, Verdict
from fsm_smtp.yaml_source import Node, nearest

_JUDGED = tuple(verdict.value for verdict in Verdict if verdict is not Verdict.ERROR)
_OUTCOMES = (*WORDS, "2yz", "3yz", "4yz", "5yz")


def expectation(node: Node, level: Level) -> Expectation:
    """An outcome, several of them, or sets of them by verdict."""
    if node.entries is None:
        return Expectation(((Verdict.PASS, _patterns(node, "expect")),), level.violated)
    sets: list[tuple[Verdict, tuple[Pattern, ...]]] = []
    seen: set[str] = set()
    otherwise = level.violated
    for name, entry in node.entries.items():
        if name == "else":
            otherwise = _verdict(entry.value, entry.value.name("else"), level)
        else:
            sets.append((_verdict(entry.key, name, level), _patterns(entry.value, name, seen)))
    if not sets:
        raise node.error("expect lists no outcome")
    return Expectation(tuple(sets), otherwise)


def wanted(entry: dict[str, Node]) -> Expectation:
    """What a setup needs to go on: ``want`` (2yz), ``otherwise`` (inconclusive)."""
    want = _patterns(entry["want"], "want") if "want" in entry else (Pattern("2yz"),)
    verdict = Verdict.INCONCLUSIVE
    if "otherwise" in entry:
        verdict = Verdict(entry["otherwise"].choice("otherwise", ("skip", "inconclusive")))
    return Expectation(((Verdict.PASS, want),), verdict)


def pattern(node: Node, text: str) -> Pattern:
    """*text*, which stands at *node*, as a set of outcomes."""
    if not Pattern.is_valid(text):
        raise node.error(
            f"an outcome is a code, a class like 5yz, or one of {', '.join(WORDS)}, not {text!r}",
            nearest(text, _OUTCOMES),
        )
    return Pattern(text)


def _verdict(node: Node, name: str, level: Level) -> Verdict:
    if name not in _JUDGED:
        raise node.error(
            f"a verdict is one of {', '.join(_JUDGED)}, or 'else', not {name!r}",
            nearest(name, (*_JUDGED, "else")),
        )
    verdict = Verdict(name)
    if verdict is Verdict.FAIL and level is not Level.MUST:
        raise node.error(f"only a MUST can fail, and this case is a {level.value}")
    return verdict


def _patterns(node: Node, what: str, seen: set[str] | None = None) -> tuple[Pattern, ...]:
    """The outcomes of one set; *seen* are those of the sets before it, which would hide them."""
    items = node.one_or_more(what)
    if not items:
        raise node.error(f"{what} is empty")
    found: list[Pattern] = []
    known = set[str]() if seen is None else seen
    for item in items:
        outcome = pattern(item, item.name(what))
        if outcome.text in known:
            raise item.error(f"the outcome {outcome.text} is listed twice")
        known.add(outcome.text)
        found.append(outcome)
    return tuple(found)
