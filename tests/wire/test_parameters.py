"""ESMTP parameters as other software writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.errors import InvalidCommand
from fsm_smtp.wire import commands as c
from fsm_smtp.wire import envelope_path, mail_parameters


@pytest.mark.parametrize(
    ("argument", "path", "parameters"),
    [
        (b"FROM:<>", b"", {}),
        (b"FROM:<a@b> size=10 SMTPUTF8", b"a@b", {"SIZE": b"10", "SMTPUTF8": None}),
        (b"from: <a@b>  BODY=8BITMIME ", b"a@b", {"BODY": b"8BITMIME"}),
        (b"TO:a@b NOTIFY=NEVER", b"a@b", {"NOTIFY": b"NEVER"}),
        (b'TO:<"a> X=1"@b> Y=2', b'"a> X=1"@b', {"Y": b"2"}),
        (b'TO:<"a\\"> X"@b> Y=', b'"a\\"> X"@b', {"Y": b""}),
        (b"FROM:<a@b> X=1=2 \xff", b"a@b", {"X": b"1=2", "\\XFF": None}),
    ],
)
def test_path_and_parameters(
    argument: bytes, path: bytes, parameters: dict[str, bytes | None]
) -> None:
    assert envelope_path(argument) == path
    assert mail_parameters(argument) == parameters


@pytest.mark.parametrize(
    "argument", [b"", b"FROM:", b"a@b", b"FROM:<a@b>SIZE=1", b"FROM:<a@b", b'TO:<"a@b> X']
)
def test_no_path(argument: bytes) -> None:
    with pytest.raises(InvalidCommand):
        envelope_path(argument)
    with pytest.raises(InvalidCommand):
        mail_parameters(argument)


def test_a_parameter_twice_is_refused() -> None:
    with pytest.raises(InvalidCommand, match="SIZE twice"):
        mail_parameters(b"FROM:<a@b> SIZE=1 size=2")


@given(
    st.dictionaries(
        st.from_regex(r"\AX[A-Z0-9-]{0,8}\Z"),
        st.none()
        | st.text(
            st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="="),
            min_size=1,
            max_size=20,
        ),
        max_size=5,
    )
)
def test_what_we_write_we_read(parameters: dict[str, str | None]) -> None:
    argument = c.mail('"> X=1"@b', parameters).argument
    assert envelope_path(argument) == b'"> X=1"@b'
    read = mail_parameters(argument)
    assert read == {k: None if v is None else v.encode() for k, v in parameters.items()}
    assert list(read) == list(parameters)
