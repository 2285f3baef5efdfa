"""Bugs that users of other systems reported about calendars: each must not happen here."""

from schemas.policy import CalendarDocument
from schemas.times import DAY, HOUR, MINUTE, format_time, parse_time
from streams.policy_calendars import build_calendar


def calendar(zone, week, dates=None):
    return build_calendar("test", CalendarDocument.model_validate({"zone": zone, "week": week, "dates": dates or {}}))


def due(of, start, target_ms, *pauses):
    at = of.add(parse_time(start), target_ms, [(parse_time(a), parse_time(b)) for a, b in pauses])
    return None if at is None else format_time(at).replace(".000Z", "Z")


def test_working_hours_26():
    """Half a minute before the clocks go back, the next 02:00 is the one of the new offset, an hour later."""
    shop = calendar("America/New_York", {"sat,sun,tue": ["02:00-17:00"]})
    assert due(shop, "2015-11-01T01:59:30-04:00", 1) == "2015-11-01T07:00:00.001Z"


def test_working_hours_45():
    """A nine o'clock opening on the day of the change is at nine by the new time, in spring and in autumn."""
    sundays = calendar("Europe/Paris", {"sun": ["09:00-17:00"]})
    assert due(sundays, "2020-03-29T00:00:00+01:00", HOUR) == "2020-03-29T08:00:00Z"
    assert due(sundays, "2020-10-25T00:00:00+02:00", HOUR) == "2020-10-25T09:00:00Z"


def test_biz_37():
    """Where midnight itself is skipped, the day before ends and the day begins at the first instant after the gap."""
    brazil = calendar("America/Sao_Paulo", {"sat": ["20:00-24:00"], "sun": ["00:00-02:00"]})
    assert due(brazil, "2018-11-03T20:00:00-03:00", 5 * HOUR) == "2018-11-04T04:00:00Z"
    assert brazil.between(parse_time("2018-11-03T00:00:00Z"), parse_time("2018-11-05T00:00:00Z")) == 5 * HOUR


def test_biz_142():
    """Hours given for single dates hold on those dates, a Sunday too."""
    hours = ["07:40-11:30", "12:30-16:40"]
    shop = calendar("Asia/Shanghai", {"mon-fri": hours}, {"2019-04-28": hours, "2019-04-29": hours})
    assert shop.is_open(parse_time("2019-04-29T10:00:00+08:00"))
    assert shop.between(parse_time("2019-04-28T00:00:00+08:00"), parse_time("2019-04-29T00:00:00+08:00")) == 8 * HOUR


def test_grafana_oncall_3261():
    """Hours written in summer are the same hours in winter."""
    london = calendar("Europe/London", {"mon-sun": ["08:30-17:30"]})
    assert due(london, "2023-10-27T06:00:00Z", 1 * MINUTE) == "2023-10-27T07:31:00Z"
    assert due(london, "2023-10-30T06:00:00Z", 1 * MINUTE) == "2023-10-30T08:31:00Z"


def test_grafana_oncall_5247():
    """Windows that meet leave no gap and count no hour twice when the clocks change."""
    shifts = calendar("America/Chicago", {"mon-sun": ["00:00-01:30", "01:30-09:00", "09:00-24:00"]})
    for day in ("2024-03-10", "2024-11-03"):
        noon_before = parse_time(f"{day}T00:00:00-06:00") - 12 * HOUR
        assert shifts.between(noon_before, noon_before + 2 * DAY) == 2 * DAY


def test_moment_business_time_58():
    """An hour counted through the repeated hour is an hour."""
    mornings = calendar("Europe/Amsterdam", {"mon-sun": ["00:00-10:00"]})
    assert due(mornings, "2022-10-30T02:00:00+02:00", HOUR) == "2022-10-30T01:00:00Z"  # 02:00 +01:00


def test_dbt_zendesk_25():
    """History is counted with the offset of its own day, not with today's."""
    office = calendar("America/Chicago", {"mon-fri": ["09:00-17:00"]})
    assert office.between(parse_time("2021-03-12T14:00:00Z"), parse_time("2021-03-12T16:00:00Z")) == HOUR
    assert office.between(parse_time("2021-03-15T13:00:00Z"), parse_time("2021-03-15T15:00:00Z")) == HOUR


def test_glpi_6902_and_15605():
    """Another target for the same clock keeps the pauses that it had."""
    office = calendar("Europe/Paris", {"mon-fri": ["08:00-18:00"]})
    pause = ("2026-06-08T08:00:00Z", "2026-06-10T08:00:00Z")
    assert due(office, "2026-06-08T06:00:00Z", 4 * HOUR, pause) == "2026-06-10T10:00:00Z"
    assert due(office, "2026-06-08T06:00:00Z", 3 * HOUR, pause) == "2026-06-10T09:00:00Z"


def test_glpi_10594():
    """A pause over a weekend takes out only what the calendar would have counted."""
    office = calendar("Europe/Bratislava", {"mon-fri": ["08:00-16:00"]})
    pause = ("2026-06-12T12:00:00Z", "2026-06-15T08:00:00Z")  # Friday 14:00 to Monday 10:00: four hours of business
    assert due(office, "2026-06-12T06:00:00Z", 24 * HOUR) == "2026-06-16T14:00:00Z"
    assert due(office, "2026-06-12T06:00:00Z", 24 * HOUR, pause) == "2026-06-17T10:00:00Z"


def test_glpi_687():
    """What comes outside the hours still gets its due time."""
    office = calendar("Europe/Paris", {"mon-fri": ["08:00-18:30"]})
    assert due(office, "2026-06-13T22:00:00Z", HOUR) == "2026-06-15T07:00:00Z"


def test_glpi_24481_and_frappe_3776():
    """Time on hold is not counted, however long: 42 days on hold leave the clock where it was."""
    office = calendar("Asia/Kolkata", {"mon-sat": ["10:00-18:00"]})
    hold = (parse_time("2026-06-08T06:30:00Z"), parse_time("2026-07-20T06:30:00Z"))
    start, solved = parse_time("2026-06-08T04:30:00Z"), parse_time("2026-07-20T07:30:00Z")
    assert office.between(start, solved, [hold]) == 3 * HOUR


def test_osticket_6739():
    """A week of a single day is a week."""
    tuesdays = calendar("America/Denver", {"tue": ["08:00-17:00"]})
    assert due(tuesdays, "2024-08-07T12:00:00Z", 10 * HOUR) == "2024-08-20T15:00:00Z"


def test_osticket_6847():
    """A lunch break is a gap between two windows."""
    office = calendar("America/Bogota", {"mon-fri": ["09:00-13:00", "14:00-18:00"]})
    assert due(office, "2025-06-24T12:30:00-05:00", HOUR) == "2025-06-24T19:30:00Z"


def test_chatwoot_2882():
    """The offset is that of the day that is asked about."""
    madrid = calendar("Europe/Madrid", {"mon-fri": ["09:00-18:00"]})
    assert [madrid.is_open(parse_time(f"2021-{day}T07:30:00Z")) for day in ("01-18", "08-25")] == [False, True]


def test_samoa_skips_a_day():
    """A day that a country never had counts nothing, and its neighbours count whole."""
    apia = calendar("Pacific/Apia", {"mon-sun": ["09:00-17:00"]})
    assert due(apia, "2011-12-29T17:00:00-10:00", HOUR) == "2011-12-30T20:00:00Z"  # the 31st, 10:00 +14:00
    assert (
        calendar("Pacific/Apia", {"mon-sun": ["00:00-24:00"]}, {"2011-12-30": []}).between(
            parse_time("2011-12-29T10:00:00Z"), parse_time("2011-12-31T10:00:00Z")
        )
        == 2 * DAY
    )


def test_half_hour_change():
    """Lord Howe moves its clocks by half an hour."""
    island = calendar("Australia/Lord_Howe", {"mon-sun": ["00:00-06:00"]})
    autumn, spring = parse_time("2026-04-04T13:00:00Z"), parse_time("2026-10-03T13:00:00Z")
    assert island.between(autumn, autumn + 12 * HOUR) == 6 * HOUR + 30 * MINUTE
    assert island.between(spring, spring + 12 * HOUR) == 5 * HOUR + 30 * MINUTE


def test_edges_inside_the_change():
    """An edge that is skipped is the end of the gap; one that comes twice is the first as a start, the second as an end."""
    skipped = calendar("America/New_York", {"sun": ["02:30-03:30"]})
    assert due(skipped, "2026-03-08T00:00:00-05:00", 1) == "2026-03-08T07:00:00.001Z"
    assert skipped.between(parse_time("2026-03-08T00:00:00Z"), parse_time("2026-03-09T00:00:00Z")) == 30 * MINUTE
    gone = calendar("America/New_York", {"sun": ["02:10-02:50"]})
    assert gone.between(parse_time("2026-03-08T00:00:00Z"), parse_time("2026-03-09T00:00:00Z")) == 0
    twice = calendar("America/New_York", {"sun": ["01:15-01:45"]})
    assert due(twice, "2026-11-01T00:00:00-04:00", 1) == "2026-11-01T05:15:00.001Z"
    assert twice.between(parse_time("2026-11-01T00:00:00Z"), parse_time("2026-11-02T00:00:00Z")) == 90 * MINUTE


def test_offsets_with_seconds():
    """Liberia moved its clocks by 44 minutes and 30 seconds in 1972: midnight was skipped, and the day was shorter."""
    monrovia = calendar("Africa/Monrovia", {"fri": ["00:00-02:00"]})
    day = parse_time("1972-01-07T00:00:00Z")
    assert monrovia.between(day, day + DAY) == 2 * HOUR - (44 * MINUTE + 30_000)
    assert due(monrovia, "1972-01-07T00:00:00Z", 1) == "1972-01-07T00:44:30.001Z"


def test_negative_summer_time():
    """Dublin's winter time is the exception in the database, and its hours are as long as anybody's."""
    dublin = calendar("Europe/Dublin", {"sun": ["00:00-06:00"]})
    spring, autumn = parse_time("2026-03-28T12:00:00Z"), parse_time("2026-10-24T12:00:00Z")
    assert dublin.between(spring, spring + DAY) == 5 * HOUR
    assert dublin.between(autumn, autumn + DAY) == 7 * HOUR


def test_ramadan_in_morocco():
    """Casablanca changes its clocks four times in some years, and nothing is lost or counted twice."""
    whole = calendar("Africa/Casablanca", {"mon-sun": ["09:00-17:00", "17:00-09:00"]}, {"1999-01-01": []})
    start = parse_time("2026-01-01T00:00:00Z")
    assert whole.between(start, start + 365 * DAY) == 365 * DAY
