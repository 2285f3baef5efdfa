"""Foreign text on a terminal: what is in a record must not steer the screen of who looks at it."""

KEPT = frozenset("\n\t")


def printable(text: str) -> str:
    """The text with control characters and other invisible ones written as escapes; line breaks and tabs stay."""
    return "".join(c if c.isprintable() or c in KEPT else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str) -> str:
    """As `printable`, on one line."""
    return " ".join(printable(text).split())
