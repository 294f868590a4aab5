"""Octets of the wire as text for people."""


def printable(octets: bytes) -> str:
    """*octets* as text that is safe in a log or on a terminal.

    UTF-8 is decoded. What is no UTF-8, and what does not print (controls of both kinds, line
    separators, marks that reverse the direction of writing), stands there escaped.
    """
    text = octets.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
