"""Promela as text: words that are taken, comments, conditions, and lines as wide as a page."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

_WORDS = """
active assert atomic bit bool break byte c_code c_decl c_expr c_state c_track chan D_proctype
d_step do else empty enabled end eval false fi for full get_priority goto hidden if in init
inline int len local ltl mtype nempty never nfull none not notrace np_ od of pc_value pid
print printf printm priority proctype progress provided return run select set_priority short
show skip timeout trace true typedef unless unsigned xr xs U V W X always eventually until
weakuntil release implies equivalent accept stop
auto case char const continue default double enum extern float long register restrict signed
sizeof static struct switch typeof union void volatile while asm now
_ _last _nr_pr _nr_qs _pid _priority STDIN
before blame broken CLAIMS client config culprit ev event forget_all HISTORY last LAST nobody
nothing nowhere outstanding party REFUTED row_none session next sent_from server state
trigger watch who
"""
#: The words of Promela, of the C that spin makes of it, and of our text itself.
RESERVED = frozenset(_WORDS.split())

#: What ends a line of a macro that goes on.
CONTINUED = "  \\"

_WIDTH = 100


def plain(text: str) -> str:
    """*text* as it can stand in a comment of one line."""
    return " ".join(text.split()).replace("*/", "* /").replace("/*", "/ *").replace("\\", "/")


def comment(text: str, indent: str = "") -> Iterator[str]:
    """*text* as a comment, on as many lines as it takes."""
    lines = wrap(plain(text), _WIDTH - len(indent) - 6)
    for number, line in enumerate(lines):
        begin = "/* " if number == 0 else " * "
        yield f"{indent}{begin}{line}{' */' if number == len(lines) - 1 else ''}"


def pieces(terms: Sequence[str], operator: str = "&&") -> list[str]:
    """*terms* with the operator between them, in pieces of which each can begin a line."""
    joined = f" {operator} ".join(terms)
    return joined.replace(" && ", " &&\0").replace(" || ", " ||\0").split("\0")


def one_of(left: str, wanted: Sequence[str], others: Sequence[str] = ()) -> str:
    """That *left* is one of *wanted*: said of *others* where that is shorter."""
    if 0 < len(others) < len(wanted):
        return " && ".join(f"{left} != {value}" for value in others)
    terms = [f"{left} == {value}" for value in wanted]
    return terms[0] if len(terms) == 1 else f"({' || '.join(terms)})"


def wrapped(
    before: str, terms: Sequence[str], between: str, after: str, line_end: str = ""
) -> Iterator[str]:
    """*terms* with something *between* them, on lines as wide as a page.

    Args:
        before: begins the first line.
        terms: what must not be broken.
        between: after each term but the last.
        after: after the last.
        line_end: after each line but the last.
    """
    line = before
    for number, term in enumerate(terms):
        text = term + (after if number == len(terms) - 1 else between)
        if number and len(line) + len(text.rstrip()) + len(line_end) > _WIDTH:
            yield line.rstrip() + line_end
            line = " " * 9
        line += text
    yield line.rstrip()
