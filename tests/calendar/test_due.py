"""Due times, case by case: opening hours, nights, holidays, pauses."""

import pytest

from schemas.policy import CalendarDocument
from schemas.times import DAY, HOUR, MINUTE, format_time, parse_duration, parse_time
from streams.calendar import ALWAYS, Calendar
from streams.intervals import union
from streams.policy_calendars import build_calendar


def calendar(zone, week, dates=None):
    return build_calendar("test", CalendarDocument.model_validate({"zone": zone, "week": week, "dates": dates or {}}))


def due(of, start, target, *pauses):
    at = of.add(parse_time(start), parse_duration(target), [(parse_time(a), parse_time(b)) for a, b in pauses])
    return None if at is None else format_time(at).replace(".000Z", "Z")


OFFICE = calendar("America/New_York", {"mon-fri": ["09:00-17:00"]}, {"2026-07-03": [], "2026-12-24": ["09:00-12:00"]})
NIGHTS = calendar("America/New_York", {"mon-sun": ["22:00-06:00"]})
LUNCH = calendar("Europe/Paris", {"mon-fri": ["09:00-12:00", "13:00-18:00"]})


def test_half_open():
    """What is created exactly at close counts from the next opening; a due time at a window's end is that end."""
    assert due(OFFICE, "2026-06-09T21:00:00Z", "30m") == "2026-06-10T13:30:00Z"
    assert due(OFFICE, "2026-06-09T13:00:00Z", "8h") == "2026-06-09T21:00:00Z"
    assert due(OFFICE, "2026-06-09T20:59:59Z", "1s") == "2026-06-09T21:00:00Z"
    assert due(OFFICE, "2026-06-09T20:59:59Z", "2s") == "2026-06-10T13:00:01Z"


def test_before_opening_counts_from_opening():
    """A contact at night or on a Sunday waits for the office to open."""
    assert due(OFFICE, "2026-06-07T03:00:00Z", "1h") == "2026-06-08T14:00:00Z"


def test_zero_target_is_the_start():
    """Nothing to count is counted at once, closed or not."""
    assert due(OFFICE, "2026-06-07T03:00:00Z", "0s") == "2026-06-07T03:00:00Z"


def test_several_windows_a_day():
    """Lunch is not counted."""
    assert due(LUNCH, "2026-06-08T09:30:00Z", "1h") == "2026-06-08T11:30:00Z"
    assert due(LUNCH, "2026-06-08T09:00:00Z", "1h") == "2026-06-08T10:00:00Z"


def test_window_over_midnight_belongs_to_its_first_day():
    """Friday's night shift runs into Saturday, and Saturday has none of its own."""
    fridays = calendar("UTC", {"fri": ["22:00-06:00"]})
    assert due(fridays, "2026-06-13T05:00:00Z", "1h") == "2026-06-13T06:00:00Z"
    assert due(fridays, "2026-06-13T05:00:00Z", "2h") == "2026-06-19T23:00:00Z"


def test_closed_date_keeps_the_night_before():
    """A closed date has no window that starts on it; the shift that began the evening before runs on."""
    nights = calendar("UTC", {"mon-sun": ["22:00-06:00"]}, {"2026-06-10": []})
    assert due(nights, "2026-06-10T05:00:00Z", "1h") == "2026-06-10T06:00:00Z"
    assert due(nights, "2026-06-10T05:00:00Z", "2h") == "2026-06-11T23:00:00Z"


def test_equal_ends_are_a_day():
    """09:00-09:00 is 24 hours, and so is 00:00-24:00."""
    for window in ("09:00-09:00", "00:00-24:00", "00:00-00:00"):
        assert due(calendar("UTC", {"mon-sun": [window]}), "2026-06-10T05:00:00Z", "100h") == "2026-06-14T09:00:00Z"


def test_replaced_and_closed_dates():
    """A date's own windows replace those of its weekday; an empty list closes it."""
    assert due(OFFICE, "2026-07-02T20:30:00Z", "1h") == "2026-07-06T13:30:00Z"
    assert due(OFFICE, "2026-12-24T16:30:00Z", "1h") == "2026-12-25T14:30:00Z"


def test_dates_alone_make_a_calendar():
    """Without weekly windows only the dates count, and after the last of them nothing is ever due."""
    fair = calendar("Europe/Berlin", {}, {"2026-09-01": ["10:00-12:00"], "2027-01-01": ["22:00-02:00"]})
    assert due(fair, "2026-01-01T00:00:00Z", "3h") == "2027-01-01T22:00:00Z"
    assert due(fair, "2026-01-01T00:00:00Z", "6h") == "2027-01-02T01:00:00Z"
    assert due(fair, "2026-01-01T00:00:00Z", "361m") is None
    assert due(fair, "2031-01-01T00:00:00Z", "1s") is None


def test_empty_calendar_is_never_due():
    """A calendar without windows never gets there, and counts nothing."""
    never = calendar("UTC", {})
    assert due(never, "2026-01-01T00:00:00Z", "1s") is None
    assert never.between(0, 10**13) == 0
    assert not never.ever_opens


def test_union_of_pauses():
    """Overlapping, nested, touching, empty and backward pauses count as their union."""
    pauses = [
        ("2026-06-08T09:30:00Z", "2026-06-08T10:05:00Z"),
        ("2026-06-08T09:00:00Z", "2026-06-08T09:40:00Z"),
        ("2026-06-08T09:10:00Z", "2026-06-08T09:20:00Z"),
        ("2026-06-08T09:00:00Z", "2026-06-08T09:00:00Z"),
        ("2026-06-08T12:00:00Z", "2026-06-08T11:00:00Z"),
    ]
    assert due(ALWAYS, "2026-06-08T08:00:00Z", "2h", *pauses) == "2026-06-08T11:05:00Z"
    assert union([(3, 5), (1, 2), (2, 3), (9, 9), (8, 7)]) == [(1, 5)]


def test_due_at_the_moment_of_a_pause():
    """A clock that is full when the pause begins was due then, not after it."""
    pause = ("2026-06-08T10:00:00Z", "2026-06-08T12:00:00Z")
    assert due(ALWAYS, "2026-06-08T08:00:00Z", "2h", pause) == "2026-06-08T10:00:00Z"
    assert due(ALWAYS, "2026-06-08T08:00:00Z", "7201s", pause) == "2026-06-08T12:00:01Z"


def test_start_inside_a_pause():
    """A clock that starts paused counts from the end of the pause."""
    pause = ("2026-06-08T07:00:00Z", "2026-06-08T12:00:00Z")
    assert due(ALWAYS, "2026-06-08T08:00:00Z", "2h", pause) == "2026-06-08T14:00:00Z"


def test_pause_while_closed_changes_nothing():
    """A pause over a weekend moves no due time of an office."""
    pause = ("2026-06-12T21:00:00Z", "2026-06-15T13:00:00Z")
    assert due(OFFICE, "2026-06-12T20:00:00Z", "2h", pause) == "2026-06-15T14:00:00Z"


def test_any_length_of_target():
    """A thousand hours cost no more steps than one, and come out right across years."""
    assert (
        due(OFFICE, "2026-01-05T14:00:00Z", "2080h") == "2027-01-05T19:00:00Z"
    )  # 52 weeks, and 13 hours for the two dates
    assert due(NIGHTS, "2026-01-01T03:00:00Z", "730d") == due(NIGHTS, "2026-01-01T03:00:00Z", "17520h")


def test_bounds():
    """Before 1970 and after 2200 nothing is counted, and the answer comes at once."""
    assert OFFICE.add(-(10**14), HOUR) == parse_time("1970-01-01T15:00:00Z")
    assert OFFICE.add(10**14, HOUR) is None
    assert OFFICE.add(0, 10**15) is None
    assert OFFICE.between(-(10**14), 10**14) == OFFICE.between(0, parse_time("2201-01-01T00:00:00Z"))
    assert OFFICE.between(10, 10) == OFFICE.between(11, 10) == 0
    assert ALWAYS.add(-(10**14), HOUR) == -(10**14) + HOUR


def test_year_boundaries():
    """A night shift over New Year is one window."""
    assert due(NIGHTS, "2026-12-31T23:30:00-05:00", "5h") == "2027-01-01T09:30:00Z"
    new_year = parse_time("2027-01-01T00:00:00Z")
    assert ALWAYS.between(new_year - HOUR, new_year + HOUR) == 2 * HOUR
    assert calendar("UTC", {"thu": ["12:00-12:00"]}).between(new_year - 20 * HOUR, new_year + DAY) == 24 * HOUR


def test_is_always():
    """Only a calendar that never closes takes the short way."""
    assert ALWAYS.is_always
    assert calendar("Europe/Paris", {"mon-sun": ["00:00-24:00"]}).is_always
    assert calendar("Europe/Paris", {"mon-sun": ["00:00-12:00", "12:00-24:00"]}).is_always
    assert not calendar("Europe/Paris", {"mon-sun": ["00:00-24:00"]}, {"2026-01-01": []}).is_always
    assert not calendar("Europe/Paris", {"mon-sat": ["00:00-24:00"]}).is_always


def test_is_open():
    """Open from the first instant of a window until just before its end."""
    nine, five = parse_time("2026-06-09T13:00:00Z"), parse_time("2026-06-09T21:00:00Z")
    assert [OFFICE.is_open(at) for at in (nine - 1, nine, five - 1, five)] == [False, True, True, False]


def test_a_day_of_target_is_24_counted_hours():
    """`1d` is 24 counted hours: three days of an office that is open for eight."""
    assert due(OFFICE, "2026-06-08T13:00:00Z", "1d") == "2026-06-10T21:00:00Z"


def test_days_can_be_listed():
    """Days may be a span, a span over the weekend, or a list; windows of several keys add up."""
    weekend = calendar("UTC", {"fri-mon": ["10:00-11:00"], "sat,sun": ["12:00-13:00"]})
    week = parse_time("2026-06-08T00:00:00Z")
    assert weekend.between(week, week + 7 * DAY) == 6 * HOUR


@pytest.mark.parametrize("windows", [[(0, 0)], [(-1, 5)], [(1440, 1500)], [(10, 1451)]])
def test_windows_out_of_bounds(windows):
    """A window that is not within a day of its start is refused."""
    with pytest.raises(ValueError, match="window"):
        Calendar("x", "UTC", [windows, *[()] * 6])


def test_unknown_zone():
    """A zone that the database does not have, or that is a path, is refused."""
    for zone in ("Europe/Nowhere", "../etc/passwd", "", "europe/berlin"):
        with pytest.raises(ValueError, match="time zone"):
            Calendar("x", zone)


def test_minute_of_the_warning():
    """80% of four hours, over a weekend in which the clocks change."""
    start = parse_time("2026-03-06T21:30:00Z")
    assert OFFICE.add(start, 4 * HOUR * 8 // 10) == parse_time("2026-03-09T15:42:00Z")
    assert OFFICE.between(start, parse_time("2026-03-09T15:42:00Z")) == 192 * MINUTE
