"""From the calendars of a document to calendars that count."""

from datetime import date

from schemas.policy import CalendarDocument
from schemas.policy_fields import parse_date, parse_days, parse_window
from streams.calendar import Calendar, Window


def week_windows(document: CalendarDocument) -> tuple[tuple[Window, ...], ...]:
    """The windows of Monday to Sunday; those of several keys that name one day add up."""
    week: list[list[Window]] = [[] for _ in range(7)]
    for days, windows in document.week.items():
        for day in parse_days(days):
            week[day] += [parse_window(window) for window in windows]
    return tuple(tuple(day) for day in week)


def build_calendar(name: str, document: CalendarDocument) -> Calendar:
    """The calendar of a document; raises ValueError for an unknown zone."""
    dates: dict[date, tuple[Window, ...]] = {
        parse_date(day): tuple(parse_window(window) for window in windows) for day, windows in document.dates.items()
    }
    return Calendar(name, document.zone, week_windows(document), dates)
