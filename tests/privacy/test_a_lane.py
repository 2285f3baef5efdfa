"""Whatever goes wrong in a lane, with whatever record in hand: what is logged tells nothing of anybody."""

import io
import logging
import warnings
from contextlib import contextmanager

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from agents import log
from agents.settings import settings_from
from tests.fuzz.core import examples
from tests.fuzz.garbage import GOOD, as_bytes, records
from tests.fuzz.test_inboxes import INBOXES, through_a_lane
from tests.privacy.marks import MARK, PERSON, TEXT, lines_with_marks, poison
from tests.shell.fakes import Bench, batch
from tests.shell.test_lane import running, until


@contextmanager
def captured(level: str = "INFO", form: str = "json"):
    """All that is logged meanwhile, as a worker would write it: structlog, the standard library, and warnings."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, was = root.handlers[:], root.level
    before = structlog.get_config()
    log.set_up(settings_from({}, log_level=level, log_format=form))
    root.handlers[0].setStream(stream)
    logging.captureWarnings(capture=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            yield stream
    finally:
        logging.captureWarnings(capture=False)
        root.handlers, root.level = handlers, was
        structlog.configure(**before)


def marked(value):
    """The value with every text in it replaced by a mark; keys, types and what the schema asks for stay."""
    if isinstance(value, dict):
        return {
            name: part if name in ("type", "kind", "t", "channel") else marked(part) for name, part in value.items()
        }
    if isinstance(value, list):
        return [marked(part) for part in value]
    return f"{PERSON}{value}" if isinstance(value, str) and not value.startswith("2026") else value


@given(topic=st.sampled_from([*GOOD, *INBOXES]), data=st.data())
@examples(50)
async def test_no_log_line_tells_of_anybody(topic, data):
    """Any marked record, through intake, core, dead letters and defects: no line holds a mark."""
    value = data.draw(records((GOOD | INBOXES)[topic]))
    with captured(
        data.draw(st.sampled_from(["INFO", "DEBUG"])), data.draw(st.sampled_from(["json", "console"]))
    ) as stream:
        await through_a_lane(topic, as_bytes(marked(value)))
    assert lines_with_marks(stream.getvalue()) == []


@pytest.mark.parametrize(("topic", "value"), [(topic, value) for topic, _, value in poison("2026-06-08T12:00:00Z")])
async def test_poison(topic, value):
    """Each of the records that are wrong in a way of their own."""
    with captured("DEBUG") as stream:
        await through_a_lane(topic, value)
    assert lines_with_marks(stream.getvalue()) == []


class Quoting:
    """A core with a defect, whose exceptions quote what it was given."""

    next_wake = 0
    open_timers = 1
    backlog = None

    def handle(self, records, now, *, provisional=False):
        try:
            raise KeyError(records[0].value.decode())
        except KeyError as problem:
            raise ValueError(f"cannot take {records[0].value!r}") from problem

    def wake(self, now, *, provisional=False, most=500):
        raise ValueError(f"{PERSON} has a bad timer")


async def test_a_defect_that_quotes_what_it_was_given():
    """Its kind and its place are logged, its message is not; so for batches, records, timers and policies."""
    bench = Bench()
    with captured("DEBUG") as stream:
        async with running(bench, Quoting) as lane:
            lane.policy_changed()
            await lane.put(batch("interactions.chat", [f"{PERSON} {TEXT}".encode()]))
            await until(lambda: lane.done and "timers_failed" in stream.getvalue())
    said = stream.getvalue()
    assert "batch_failed" in said
    assert "record_failed" in said
    assert MARK not in said.lower()


def test_the_capture_sees_everything():
    """What is logged in any of the ways is found: else the others would prove nothing."""
    with captured() as stream:
        log.get("x").warning("event", field=PERSON)
        logging.getLogger("y").error("of %s", PERSON)
        warnings.warn(PERSON, stacklevel=1)
        try:
            raise ValueError(PERSON)
        except ValueError:
            log.get("x").critical("raised", exc_info=True)
    assert len(lines_with_marks(stream.getvalue())) >= 4
