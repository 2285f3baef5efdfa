"""The demo's time: driven by the feed, followed by the worker."""

import io
import threading

import pytest

from agents.demo.clock import DrivenClock, follow_in_background


def test_it_stands_until_it_is_told():
    """The clock shows the newest instant that it was told, and never runs backwards."""
    clock = DrivenClock(1_000, speed=100)
    assert clock.now() == 1_000
    clock.tell(5_000)
    clock.tell(4_000)
    assert clock.now() == 5_000
    assert clock.wall_seconds(50_000) == 0.5


def test_it_follows_lines_and_says_when_they_end():
    """Told through a stream of lines; the end of the stream is made known."""
    clock, ended = DrivenClock(0, speed=1), threading.Event()
    follow_in_background(clock, io.StringIO("10\n20\n30\n"), ended)
    assert ended.wait(5)
    assert clock.now() == 30


def test_the_end_is_known_even_after_nonsense():
    """A line that is no number ends the following; nobody waits for ever."""
    clock, ended = DrivenClock(0, speed=1), threading.Event()
    thread = threading.Thread(target=lambda: None)
    hook, threading.excepthook = threading.excepthook, lambda _: None
    try:
        thread = follow_in_background(clock, io.StringIO("10\nnonsense\n"), ended)
        assert ended.wait(5)
    finally:
        thread.join(5)
        threading.excepthook = hook
    assert clock.now() == 10


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_it_refuses_to_stand_still(speed):
    """A speed that is not above zero is refused."""
    with pytest.raises(ValueError, match="above 0"):
        DrivenClock(0, speed)
