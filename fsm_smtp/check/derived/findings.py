"""A disagreement as the result of a case, worded with the requirement that it breaks."""

import re
from dataclasses import replace

from fsm_smtp.check.cases.case import Case, Level, Start, Verdict
from fsm_smtp.check.derived.diagnosis import Diagnosis
from fsm_smtp.check.derived.playing import CUT, OPEN, SURPLUS, Remark, Run
from fsm_smtp.check.derived.reference import Reference, Word
from fsm_smtp.check.engine.events import CaseResult
from fsm_smtp.owed import NONE, Entry, Judgement

#: What no input allows, whatever is owed to it: the section of RFC 5321, and the requirement.
_ANYWHERE = {
    CUT: ("3.8", "The server closes the connection behind QUIT or with 421 only."),
    "closed": ("3.8", "The server closes the connection behind QUIT or with 421 only."),
    SURPLUS: ("4.2", "Each command has exactly one reply."),
}


def result_of(diagnosis: Diagnosis, reference: Reference) -> CaseResult:
    """The result for a disagreement.

    One that did not come again is inconclusive: the server answers the same sequence in two
    ways, and a machine cannot be compared with that.
    """
    entry = reference.entry(diagnosis.standing, diagnosis.name)
    case = _case(reference, diagnosis.standing, diagnosis.name, entry)
    found = diagnosis.disagreement
    if found.got in _ANYWHERE and not diagnosis.is_late:
        section, requirement = _ANYWHERE[found.got]
        case = replace(case, rfc="5321", section=section, level=Level.MUST, requirement=requirement)
    expected = f"{_owed(reference, found.standing, found.name, found.got)} {_to(found.word)}"
    if not diagnosis.is_firm:
        return CaseResult(
            case,
            Verdict.INCONCLUSIVE,
            f"{expected}, each time",
            f"{found.shown}; and in another run of the same sequence what was expected",
            diagnosis.run.transcript,
        )
    actual = found.shown
    if diagnosis.is_late:
        actual = f"{actual}: {_title(diagnosis.name)} has led elsewhere"
    return CaseResult(case, case.level.violated, expected, actual, diagnosis.run.transcript)


def remark_of(remark: Remark, run: Run, reference: Reference) -> CaseResult:
    """The result for a reply that is of the right class, and still not what is owed."""
    name = remark.word[-1]
    entry = reference.entry(remark.standing, name)
    case = _case(reference, remark.standing, name, entry)
    discouraged = remark.judgement is Judgement.DISCOURAGED
    # A code that no section lists is handled by its first digit (RFC 5321 §4.2): no harm is done.
    verdict = Verdict.WARN if discouraged or case.level is Level.MUST else Verdict.INFO
    encouraged = [answer for answer in entry.answers if answer.against is None]
    codes = dict.fromkeys(code for answer in encouraged for code in answer.codes)
    return CaseResult(
        case,
        verdict,
        f"{' or '.join(codes)} {_to(remark.word)}",
        remark.shown,
        run.transcript,
    )


def case_id(reference: Reference, standing: int, name: str) -> str:
    """``model-STATE-INPUT``: the same for the same transition, whichever sequence found it."""
    words = re.findall(r"[a-z0-9]+", f"{reference.instance.names[standing]} {name}".lower())
    return "-".join(("model", *words))


def _case(reference: Reference, standing: int, name: str, entry: Entry) -> Case:
    number, _, section = entry.rfc.partition(" §")
    return Case(
        id=case_id(reference, standing, name),
        rfc=number,
        section=section,
        title=entry.about,
        level=Level(entry.level),
        requirements=(),
        requirement=f"{entry.says[:1].upper()}{entry.says[1:]}.",
        start=Start.GREETING,
        needs=(),
        lacks=(),
        steps=(),
    )


def _owed(reference: Reference, standing: int, name: str, got: str) -> str:
    if got == OPEN:
        return "a closed connection behind the reply"
    if got == SURPLUS:
        return "one reply"
    if got == CUT:
        return "a reply, and the connection kept,"
    if reference.instance.outputs[standing, name] == NONE:
        return "no reply"
    codes = (code for answer in reference.chosen(standing, name) for code in answer.codes)
    return " or ".join(dict.fromkeys(codes))


def _to(word: Word) -> str:
    """The last input, and the way to it."""
    way = ", ".join(map(_title, word[:-1]))
    return f"to {_title(word[-1])} (behind {way})" if way else f"to {_title(word[-1])}"


def _title(name: str) -> str:
    return name.replace("_", " ")
