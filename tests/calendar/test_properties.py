"""What holds for every calendar: against a slow oracle, and of `add` and `between` together."""

import random
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.times import DAY, HOUR
from streams.calendar import Calendar
from streams.calendar_zones import zone_names
from tests.calendar.oracle import MINUTE, SlowCalendar, zone_of

SPAN_DAYS = 16
EXAMPLES = settings.default.max_examples if settings.default.max_examples > 100 else 40  # few, unless a profile asks
ZONES = sorted(zone_names())


@cache
def changes(zone, year):
    """The minutes of a year, in UTC, at which the zone's clocks are changed."""
    local = zone_of(zone)
    start = datetime(year, 1, 1, tzinfo=UTC)
    days = [start + timedelta(days=i) for i in range(366)]
    offsets = [day.astimezone(local).utcoffset() for day in days]
    return [_change(local, days[i], offsets[i]) for i in range(365) if offsets[i] != offsets[i + 1]]


def _change(local, day, before):
    minutes = (day + timedelta(minutes=i) for i in range(1, 1441))
    return next(minute for minute in minutes if minute.astimezone(local).utcoffset() != before)


def moves_clocks(zone):
    """True for a zone that has a summer time now."""
    local = zone_of(zone)
    return len({datetime(2026, month, 1, tzinfo=UTC).astimezone(local).utcoffset() for month in (1, 7)}) > 1


MOVING = [zone for zone in ZONES if moves_clocks(zone)]


@st.composite
def windows(draw, near=()):
    """The windows of a day: any, over midnight too, and edges at the minutes `near` more often than others."""
    times = st.one_of(st.sampled_from([*near, 0, 720]), st.integers(0, 1439))
    found = []
    for _ in range(draw(st.integers(0, 3))):
        start, end = draw(times), draw(times)
        found.append((start, end if end > start else end + 1440))
    return found


@st.composite
def situations(draw):
    """A zone and a span of days around one of its changes where it has any, with week, dates, pauses."""
    zone = draw(st.one_of(st.sampled_from(MOVING), st.sampled_from(ZONES)))
    year = draw(st.integers(1973, 2060))
    found = changes(zone, year)
    change = draw(st.sampled_from(found)) if found else datetime(year, draw(st.integers(1, 12)), 1, tzinfo=UTC)
    first = change.replace(hour=0, minute=0, tzinfo=None) - timedelta(days=draw(st.integers(3, 8)))
    near = edges(zone, change)
    week = [draw(windows(near)) for _ in range(7)]
    picks = draw(st.lists(st.integers(0, SPAN_DAYS), max_size=3, unique=True))
    dates = {(first + timedelta(days=pick)).date(): draw(windows(near)) for pick in picks}
    begin = int(first.replace(tzinfo=UTC).timestamp()) // 60 + 2 * 1440
    minutes = st.integers(begin, begin + (SPAN_DAYS - 5) * 1440)
    pauses = draw(st.lists(st.tuples(minutes, minutes), max_size=4))
    return zone, week, dates, first, pauses, draw(minutes), draw(minutes), draw(st.integers(0, 4000))


def edges(zone, change):
    """Minutes of the day around what the wall shows before and after a change."""
    local = zone_of(zone)
    walls = [(change + timedelta(minutes=shift)).astimezone(local) for shift in (-1, 0)]
    around = [-61, -60, -31, -30, -1, 0, 1, 30, 31, 60]
    return sorted({(wall.hour * 60 + wall.minute + shift) % 1440 for wall in walls for shift in around})


@settings(deadline=None, max_examples=EXAMPLES)
@given(situations())
def test_as_the_clock_on_the_wall(situation):
    """Due times and counted times are those that stepping through the minutes gives, in every zone."""
    zone, week, dates, first, pauses, start, end, target = situation
    slow = SlowCalendar(zone, week, dates, first, SPAN_DAYS)
    fast = Calendar("x", zone, week, dates)
    paused = [(a * MINUTE, b * MINUTE) for a, b in pauses]
    assert fast.between(start * MINUTE, end * MINUTE, paused) == slow.between(start, end, pauses) * MINUTE
    # near the end of its span the oracle does not see what reaches in from beyond: ask only well inside
    expected = slow.add(start, target, pauses)
    limit = slow.first + (SPAN_DAYS - 2) * 1440
    if expected is not None and expected < limit:
        assert fast.add(start * MINUTE, target * MINUTE, paused) == expected * MINUTE


@st.composite
def calendars(draw):
    """Any calendar, well-formed or with overlapping windows."""
    days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
    dates = draw(st.dictionaries(days, windows(), max_size=5))
    return Calendar("x", draw(st.sampled_from(ZONES)), [draw(windows()) for _ in range(7)], dates)


INSTANTS = st.integers(1_577_836_800_000, 1_924_992_000_000)  # 2020 to 2030
PAUSES = st.lists(st.tuples(INSTANTS, st.integers(-HOUR, 40 * DAY)).map(lambda p: (p[0], p[0] + p[1])), max_size=6)


@settings(deadline=None, max_examples=EXAMPLES)
@given(calendars(), INSTANTS, st.integers(1, 90 * DAY), PAUSES)
def test_add_and_between_are_inverse(calendar, start, target, pauses):
    """Up to the due time exactly the target is counted, and a millisecond earlier a millisecond less."""
    due = calendar.add(start, target, pauses)
    if due is None:
        assert not calendar.ever_opens or calendar.between(start, 10**13, pauses) < target
    else:
        assert calendar.between(start, due, pauses) == target
        assert calendar.between(start, due - 1, pauses) == target - 1


@settings(deadline=None, max_examples=EXAMPLES)
@given(calendars(), INSTANTS, INSTANTS, INSTANTS, PAUSES)
def test_time_adds_up(calendar, a, b, c, pauses):
    """What is counted in two adjoining spans is what is counted in both together, and never more than has passed."""
    a, b, c = sorted((a, b, c))
    whole = calendar.between(a, c, pauses)
    assert calendar.between(a, b, pauses) + calendar.between(b, c, pauses) == whole
    assert 0 <= whole <= c - a
    if whole:
        assert calendar.add(a, whole, pauses) <= c


@settings(deadline=None, max_examples=EXAMPLES)
@given(calendars(), INSTANTS, st.integers(0, 60 * DAY), st.integers(0, 60 * DAY), PAUSES)
def test_counting_in_two_steps(calendar, start, first, second, pauses):
    """To go on counting from a due time is to have counted on."""
    half = calendar.add(start, first, pauses)
    whole = calendar.add(start, first + second, pauses)
    if half is None:
        assert whole is None
    else:
        assert calendar.add(half, second, pauses) == whole


@settings(deadline=None, max_examples=EXAMPLES)
@given(calendars(), INSTANTS, INSTANTS, PAUSES)
def test_pauses_are_a_union(calendar, start, end, pauses):
    """Order, repetition and cutting up of pauses change nothing."""
    middle = (start + end) // 2
    cut = [part for a, b in reversed(pauses) for part in ((a, min(max(a, middle), b)), (min(max(a, middle), b), b))]
    assert calendar.between(start, end, pauses) == calendar.between(start, end, cut + pauses)


@pytest.mark.slow
def test_every_zone():
    """Around changes of every zone: round the clock is round the clock, and windows that meet add up to one."""
    seeded = random.Random(7)
    for zone in ZONES:
        whole = Calendar("x", zone, [[(0, 720), (720, 1440)]] * 7, {date(1971, 1, 1): []})
        parts = Calendar("x", zone, [[(60, 150), (150, 240)]] * 7)
        merged = Calendar("x", zone, [[(60, 240)]] * 7)
        for year in seeded.sample(range(1973, 2038), 4):
            for change in changes(zone, year):
                at = int(change.timestamp()) * 1000 + seeded.randrange(DAY)
                assert whole.between(at - 2 * DAY, at + 2 * DAY) == 4 * DAY
                assert parts.between(at - 2 * DAY, at + 2 * DAY) == merged.between(at - 2 * DAY, at + 2 * DAY)
