"""How large the machine of an exacting server is, and that its states are what they seem."""

import pytest

from tests.owed.machines import ALL, MODEL, classes


@pytest.mark.parametrize(
    ("extensions", "states", "inputs"),
    [
        # The greeting, EHLO or HELO, MAIL, RCPT, the content, and the closed connection.
        ("", 6, 20),
        # AUTH tells EHLO, HELO and a session that is authenticated apart; each of the three is
        # idle, behind MAIL, behind RCPT or in the content. And the greeting, the challenge, closed.
        ("AUTH", 15, 27),
        # A transaction in which a chunk was taken: one state more, or three.
        ("CHUNKING", 7, 24),
        ("AUTH CHUNKING", 18, 31),
        # A session in clear is opened by EHLO or HELO, which STARTTLS tells apart, and under TLS
        # by either: four states each. And two greetings, closed.
        ("STARTTLS", 15, 22),
        ("STARTTLS CHUNKING", 18, 26),
        # Four sessions in clear (EHLO or HELO, authenticated or not), three under TLS: four
        # states each, with CHUNKING five. And two greetings, two challenges, closed.
        ("AUTH STARTTLS", 33, 29),
        ("AUTH CHUNKING STARTTLS", 40, 33),
    ],
)
def test_the_minimal_machine(extensions: str, states: int, inputs: int) -> None:
    machine = MODEL.instantiate({}, frozenset(extensions.split()))
    assert (classes(machine), len(machine.inputs)) == (states, inputs)


def test_every_extension_is_one_that_the_table_knows() -> None:
    assert sorted(ALL) == ["AUTH", "CHUNKING", "STARTTLS"]
