"""Moments: a partition's time, and the header in which records carry it.

A state record names the time at which it was settled, so that the next owner of the partition does not begin before
it. A record to another partition names its sender's time, so that what was said then is not looked at from before.
"""

from collections.abc import Iterable
from typing import NamedTuple

_HEADER = "now"
_PROVISIONAL = b"?"


class Moment(NamedTuple):
    """A time in ms. `provisional`: an input stood still, and time went on without it."""

    at: int
    provisional: bool = False

    @property
    def header(self) -> tuple[str, bytes]:
        """The header of a record that is written at this moment."""
        return _HEADER, b"%d%s" % (self.at, _PROVISIONAL if self.provisional else b"")


def moment_of(headers: Iterable[tuple[str, bytes | None]] | None) -> Moment | None:
    """The moment that a record's headers name; None where there is none."""
    for name, value in headers or ():
        if name == _HEADER and value is not None:
            digits = value.removesuffix(_PROVISIONAL)
            if digits.isdigit():
                return Moment(int(digits), provisional=value != digits)
    return None
