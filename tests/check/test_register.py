"""The register and the cases name each other, so that no requirement on a server is forgotten."""

from collections import Counter

import pytest

from fsm_smtp.register import Requirement, load_register
from fsm_smtp.specs import spec_path
from tests.check.playing import SUITE

REGISTER = {one.id: one for one in load_register()}
NAMED = {name for case in SUITE.cases for name in case.requirements}

#: Requirements on a server or on both sides, by RFC, in the register as a whole.
SERVER_SIDE = {
    "1870": 5,
    "2033": 8,
    "2034": 4,
    "2197": 1,
    "2920": 7,
    "3030": 12,
    "3207": 11,
    "3461": 5,
    "3463": 1,
    "4954": 26,
    "5321": 107,
    "6152": 2,
    "6409": 6,
    "6531": 10,
    "7504": 1,
    "8314": 3,
    "8689": 7,
    "9422": 5,
}
#: RFCs whose requirements on servers have a file of their own.
FILES = sorted(path.stem.removeprefix("rfc") for path in spec_path("register").glob("rfc*.yaml"))


def of_servers() -> list[Requirement]:
    return [one for one in REGISTER.values() if one.who in ("server", "both")]


@pytest.mark.parametrize("rfc", FILES)
def test_it_holds_every_requirement_of_an_rfc(rfc: str) -> None:
    counts = Counter(one.rfc.split()[0] for one in of_servers())
    assert counts[rfc] == SERVER_SIDE[rfc]


def test_the_rfcs_of_the_cases_have_a_file() -> None:
    assert {case.rfc for case in SUITE.cases} <= set(FILES)


def test_what_a_case_names_stands_in_the_register() -> None:
    for case in SUITE.cases:
        for name in case.requirements:
            assert name in REGISTER, f"{case.id} names {name}"
            assert REGISTER[name].who != "client", f"{case.id} names {name}, which is the client's"


def test_a_requirement_on_servers_has_a_case_or_says_why_it_has_none() -> None:
    for one in of_servers():
        if one.of_order:
            continue  # of both sides: the properties of the table cover it
        assert (one.id in NAMED) != (one.untestable is not None), one.id


def test_no_sentence_stands_twice() -> None:
    said = Counter(one.says for one in REGISTER.values())
    assert [sentence for sentence, times in said.items() if times > 1] == []


def test_a_sentence_says_each_requirement() -> None:
    for one in of_servers():
        assert one.says.endswith("."), one.id
        assert one.says[0].isupper() or one.says[0].isdigit(), one.id
