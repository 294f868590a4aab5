"""The suite as data: what ships is sound, and every mistake is refused at its place."""

import re
from pathlib import Path

import pytest

from fsm_smtp.check.cases.case import Action, Level, Pattern, Start, Verdict
from fsm_smtp.check.cases.suite import load_suite
from fsm_smtp.check.cases.template import render
from fsm_smtp.errors import SpecError
from tests.check.playing import SUITE

GOOD = """\
rfc: 5321
title: Simple Mail Transfer Protocol
sections:
  - section: "4.1.1.9"
    title: NOOP
    cases:
      - id: 5321-4.1.1.9-noop
        level: MUST
        requirements: [R070]
        requirement: NOOP is answered 250.
        steps:
          - send: NOOP
            expect: {pass: [250], latitude: [5yz], else: fail}
"""

#: What is wrong: the text that is replaced, by what, line and column, what is said.
MISTAKES = {
    "unknown key of the file": ("title: Simple", "titel: Simple", 2, 1, "did you mean title?"),
    "unknown key of a case": ("        level:", "        levle:", 8, 9, "did you mean level?"),
    "unknown key of a step": ("            expect:", "            expct:", 13, 13, "mean expect?"),
    "unknown step": ("- send: NOOP", "- sent: NOOP", 12, 13, "did you mean send?"),
    "no step at all": ("- send: NOOP\n            expect", "- expect", 12, 13, "exactly one of"),
    "two steps in one": (
        "- send: NOOP",
        "- send: NOOP\n            await: reply",
        12,
        13,
        "one of",
    ),
    "a bad RFC": ("rfc: 5321", "rfc: SMTP", 1, 6, "rfc looks like 5321"),
    "a bad section": ('"4.1.1.9"', '"4.1.1.x"', 4, 14, "section is a number like 4.1.4"),
    "a section without quotes": ('"4.1.1.9"', "4.1", 4, 14, "must be a string"),
    "an id of another section": ("4.1.1.9-noop", "4.1.4-noop", 7, 13, "the form 5321-4.1.1.9-"),
    "an unknown level": ("MUST", "MSUT", 8, 16, "did you mean MUST?"),
    "a bad requirement id": ("[R070]", "[NOOP]", 9, 24, "looks like R019"),
    "no requirement ids": ("[R070]", "[]", 9, 23, "is empty"),
    "no steps": (
        "steps:\n          - send: NOOP\n            expect:",
        "steps: [] #",
        11,
        16,
        "is empty",
    ),
    "an unknown verdict": ("latitude:", "latitud:", 13, 35, "did you mean latitude?"),
    "a verdict of ours": ("latitude:", "error:", 13, 35, "a verdict is one of"),
    "a bad pattern": ("[250]", "[25O]", 13, 29, "an outcome is a code"),
    "a code that is none": ("[250]", "[650]", 13, 29, "an outcome is a code"),
    "a misspelt outcome": ("[250]", "[closd]", 13, 29, "did you mean closed?"),
    "an unknown placeholder": (
        "send: NOOP",
        "send: NOOP {recipent}",
        12,
        19,
        "did you mean recipient?",
    ),
    "an unknown filling": ("send: NOOP", "send: NOOP {pda:9}", 12, 19, "did you mean pad?"),
    "text that is no octets": ("send: NOOP", "send: NOOP €", 12, 19, "U+00FF"),
    "no expectation": (
        "            expect: {pass: [250], latitude: [5yz], else: fail}\n",
        "",
        12,
        13,
        "needs the key 'expect'",
    ),
    "an empty expectation": (
        "{pass: [250], latitude: [5yz], else: fail}",
        "{}",
        13,
        21,
        "lists no",
    ),
    "a setup that is judged": ("- send:", "- setup:", 13, 21, "'expect' does not belong here"),
    "want without setup": (
        "{pass",
        "250\n            want: 250 #",
        14,
        19,
        "'want' does not belong",
    ),
    "an outcome listed twice": ("[5yz]", "[5yz, 250]", 13, 51, "250 is listed twice"),
    "a SHOULD that fails": ("level: MUST", "level: SHOULD", 13, 58, "only a MUST can fail"),
    "an unknown start": (
        "        steps",
        "        start: helo\n        steps",
        11,
        16,
        "mean ehlo?",
    ),
    "a bad keyword": (
        "        steps",
        "        needs: pipelining\n        steps",
        11,
        16,
        "PIPELINING",
    ),
    "a strange limit": (
        "- send: NOOP",
        "- send: NOOP\n            repeat: RCPT",
        13,
        21,
        "RCPTMAX",
    ),
    "a bad repeat": ("- send: NOOP", "- send: NOOP\n            repeat: 0", 13, 21, "from 1 to"),
    "a bad wait": ("- send: NOOP", "- send: NOOP\n            wait: soon", 13, 19, "seconds"),
    "an unknown form": (
        "- send: NOOP",
        "- send: NOOP\n            form: tdy",
        13,
        19,
        "mean tidy?",
    ),
    "a duplicate key": (
        "        level: MUST",
        "        level: MUST\n        level: MAY",
        9,
        9,
        "twice",
    ),
    "replies that do not match lines": (
        "send: NOOP",
        "pipeline: [RSET, NOOP, NOOP]",
        13,
        21,
        "must be a sequence",
    ),
    "a branch on nothing known": (
        "- send: NOOP",
        "- send: NOOP\n            on: {sure: []}",
        13,
        18,
        "an outcome is a code",
    ),
    "a chunk's option elsewhere": (
        "- send: NOOP",
        "- send: NOOP\n            last: true",
        13,
        19,
        "'last' does not belong here: beside 'send' stand",
    ),
    "a pause that is judged": ("send: NOOP", "pause: 1", 13, 21, "'expect' does not belong"),
    "a pause without a length": (
        "send: NOOP\n            expect:",
        "pause: long #",
        12,
        20,
        "pause is a number of seconds",
    ),
    "an unknown drop": ("send: NOOP\n            expect:", "drop: rst #", 12, 19, "mean reset?"),
    "another handshake": ("send: NOOP", "tls: handshak", 12, 18, "mean handshake?"),
    "a group of nothing": ("send: NOOP\n            expect:", "group: [] #", 12, 20, "is empty"),
    "a bad declared size": (
        "send: NOOP",
        "chunk: x\n            declared: -1",
        13,
        23,
        "declared is from 0 to",
    ),
    "last that is no flag": (
        "send: NOOP",
        "chunk: x\n            last: 1",
        13,
        19,
        "true or false",
    ),
    "a bad session": ("send: NOOP", "send: NOOP\n            session: B2", 13, 22, "like b, not"),
    "a condition in lower case": (
        "send: NOOP",
        "send: NOOP\n            when: pipelining",
        13,
        19,
        "did you mean PIPELINING?",
    ),
    "base64 that is none": ("send: NOOP", "send: '{b64:6}'", 12, 19, "a multiple of four"),
    "a form without its keyword": (
        "send: NOOP",
        "send: NOOP\n            form: lists",
        13,
        19,
        "form lists is unknown",
    ),
    "a bad slow": (
        "        steps",
        "        slow: very\n        steps",
        11,
        15,
        "slow is a number",
    ),
    "no YAML": ("sections:", "sections: [", 4, 3, ""),
}


def refused(path: Path) -> SpecError:
    with pytest.raises(SpecError) as caught:
        load_suite([path])
    return caught.value


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_at_its_place(tmp_path: Path, mistake: str) -> None:
    old, new, line, column, said = MISTAKES[mistake]
    assert old in GOOD
    path = tmp_path / "rfc.yaml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    error = refused(path)
    assert (error.line, error.column) == (line, column), str(error)
    assert error.path == str(path)
    assert said in str(error)


def test_an_id_is_given_once_in_all_files(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(GOOD, encoding="utf-8")
    second.write_text("# again\n" + GOOD, encoding="utf-8")
    with pytest.raises(SpecError, match=re.escape(f"{first}:7")) as caught:
        load_suite([first, second])
    assert (caught.value.line, caught.value.column) == (8, 13)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rfc.yaml"
    path.write_text("", encoding="utf-8")
    assert refused(path).line == 1


def test_a_case_is_read_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "rfc.yaml"
    path.write_text(GOOD, encoding="utf-8")
    (case,) = load_suite([path]).cases
    assert (case.id, case.rfc, case.section) == ("5321-4.1.1.9-noop", "5321", "4.1.1.9")
    assert (case.level, case.start, case.requirements) == (Level.MUST, Start.EHLO, ("R070",))
    (step,) = case.steps
    assert (step.action, step.texts) == (Action.SEND, ("NOOP",))
    (expectation,) = step.expects
    assert expectation.judge("250") is Verdict.PASS
    assert expectation.judge("502") is Verdict.LATITUDE
    assert expectation.judge("421") is None
    assert expectation.otherwise is Verdict.FAIL
    assert str(expectation) == "250 (the RFC leaves open: 5yz)"


class TestTheSuiteThatShips:
    def test_it_has_enough_cases_of_each_level(self) -> None:
        levels = [case.level for case in SUITE.cases]
        assert len(levels) >= 45
        assert set(levels) == set(Level)

    def test_a_sentence_says_each_requirement(self) -> None:
        for case in SUITE.cases:
            assert case.requirement.endswith("."), case.id
            assert case.requirement[0].isupper(), case.id
            assert len(case.requirement) < 120, case.id

    def test_only_a_must_can_fail(self) -> None:
        for case in SUITE.cases:
            if case.level is not Level.MUST:
                assert all(
                    expectation.otherwise is not Verdict.FAIL
                    for step in case.steps
                    for expectation in step.expects
                ), case.id

    def test_the_required_commands_are_all_sent(self) -> None:
        sent = {
            text.split()[0].split(" ")[0]
            for case in SUITE.cases
            for step in case.steps
            for text in step.texts
            if text.strip()
        }
        assert {"EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "VRFY"} <= sent

    def test_lines_are_as_long_as_they_say(self) -> None:
        by_id = {case.id: case for case in SUITE.cases}
        line = by_id["5321-4.5.3.1.4-line-of-512-octets"].steps[1].texts[0]
        assert len(render(line, {})) + 2 == 512
        path = by_id["5321-4.5.3.1.3-path-of-256-octets"].steps[0].texts[0]
        found = re.search(r"<(.*)@(.*)>", render(path, {}))
        assert found is not None
        assert (len(found[0]), len(found[1])) == (256, 64)
        assert max(map(len, found[2].split("."))) <= 63
        text = by_id["5321-4.5.3.1.6-line-of-1000-octets"].steps[-1].texts[0]
        values = dict.fromkeys(("sender", "recipient", "ehlo_name"), "a@b.example")
        assert max(len(each) + 2 for each in render(text, values).splitlines()) == 1000
        content = by_id["5321-4.5.3.1.7-content-of-64-kib"].steps[-1].texts[0]
        size = len(render(content, values).replace("\n", "\r\n"))
        assert 65_000 < size <= 65_536


def test_globs_choose_cases() -> None:
    some = SUITE.select(["5321-4.1.1.5-*", "5321-3.3-rcpt-before-mail"], ["*-does-not-close"])
    names = [case.id for case in some.cases]
    assert names[0] == "5321-3.3-rcpt-before-mail"
    assert "5321-4.1.1.5-rset-before-ehlo" in names
    assert "5321-4.1.1.5-rset-does-not-close" not in names
    with pytest.raises(ValueError, match="no case matches '9999-"):
        SUITE.select(["9999-*"])


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("250", {"250"}, {"251", "closed"}),
        ("5yz", {"500", "555"}, {"450", "530", "closed", "malformed"}),
        ("55z", {"550", "559"}, {"500", "545"}),
        ("4yz", {"450"}, {"421"}),
        ("421", {"421"}, {"420"}),
        ("any", {"250", "354", "530"}, {"421", "closed", "silence", "malformed"}),
        ("closed", {"closed"}, {"250", "silence"}),
    ],
)
def test_patterns_match_sets_of_outcomes(
    pattern: str, matching: set[str], others: set[str]
) -> None:
    assert Pattern.is_valid(pattern)
    assert all(Pattern(pattern).matches(outcome) for outcome in matching)
    assert not any(Pattern(pattern).matches(outcome) for outcome in others)


@pytest.mark.parametrize("text", ["", "25", "2500", "1yz", "6yz", "26z", "2zy", "yz", "ok", "25y"])
def test_what_is_no_pattern(text: str) -> None:
    assert not Pattern.is_valid(text)
