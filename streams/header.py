"""The header of fixed form with which stored values begin: the timers of many are found without reading them."""

import re
from typing import NamedTuple

_HEADER = re.compile(
    rb'\{"v":(\d+),"w":(null|-?\d+),"b":(\d+),"o":(\d+),"p":"([0-9a-f]*)"(?:,"e":(null|-?\d+))?(?:,"q":(\d+))?'
)


class NewerState(ValueError):  # noqa: N818 - says what it is
    """State that a newer program wrote: not damaged, this program is too old for it."""


class Header(NamedTuple):
    """`wake`: ms, or None; `batch` wrote it; `outputs` it decided then.

    `policies`: the mark of those that it was last settled under, empty where there is nothing to settle. `newest`: of a
    customer the time (ms) of the newest event, None where it is not told. `whole`: of an aggregate the number of
    the whole that it is, or that it changes.
    """

    wake: int | None
    batch: int
    outputs: int
    policies: str
    newest: int | None = None
    whole: int = 0


def read_header(value: bytes, version_max: int) -> Header:
    """The header of a value; raises ValueError where it has none, or a newer version."""
    match = _HEADER.match(value)
    if match is None:
        msg = "not a stored state"
        raise ValueError(msg)
    version, wake, batch, outputs, policies, newest, whole = match.groups()
    check_version(int(version), version_max)
    return Header(_time(wake), int(batch), int(outputs), policies.decode(), _time(newest), int(whole or 0))


def check_version(version: int, version_max: int) -> None:
    """Raises NewerState for a state of a newer version."""
    if version > version_max:
        msg = f"state of version {version} is newer than this program's {version_max}: upgrade it first"
        raise NewerState(msg)


def _time(text: bytes | None) -> int | None:
    return None if text is None or text == b"null" else int(text)
