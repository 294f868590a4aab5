"""Text of a server or of an error, for XML and HTML: nothing in it that is not seen."""

import re

#: What XML 1.0 cannot carry, or would change (CR), and what would turn text around on a screen.
_ESCAPED = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u061b\u061d-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff"
    "\ue000-\ufefe\uff00-\ufff8\ufffc\ufffd\U00010000-\U0010ffff]"
)


def visible(text: str) -> str:
    """*text* with an escape that is seen for every character that XML cannot carry as it is."""
    return _ESCAPED.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
