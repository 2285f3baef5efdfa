"""Escalations that come and go, and replies that are templates though nobody says so."""

from tests.timelines.timeline import email, phone, policy, tell

REPEAT = policy(patterns={"repeat_contact": {}})
TEMPLATE = "Dear customer, thank you for your patience, we are looking into it."


def solved_and_asked(*minutes):
    """A thread that is solved and asked about again at these minutes after ten, in turn."""
    lines = [phone("10:00", "contact")]
    for place, minute in enumerate(minutes):
        at = f"{10 + minute // 60}:{minute % 60:02}"
        lines.append(phone(at, "contact") if place % 2 else phone(at, "status", status="solved"))
    return lines


def test_an_escalation_that_recurs_too_often_stays_open_until_it_has_been_quiet():
    """After four that were resolved within a day the fifth stays open, says so, and ends after an hour of quiet."""
    told = tell(REPEAT, *solved_and_asked(2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22), until="20:00")
    said = told.history()
    assert said[:8] == [
        "10:04 opened warning repeat_contact",
        "10:06 resolved solved",
        "10:08 opened warning repeat_contact",
        "10:10 resolved solved",
        "10:12 opened warning repeat_contact",
        "10:14 resolved solved",
        "10:16 opened warning repeat_contact",
        "10:18 resolved solved",
    ]
    assert said[8:] == [
        "10:20 opened warning repeat_contact",
        "10:22 updated warning repeat_contact",
        "11:22 resolved solved",
    ]
    assert [record.get("flapping", False) for record in told.records][-3:] == [False, True, True]


def test_a_flapping_escalation_that_holds_again_is_the_same_one():
    """While it flaps nobody is paged anew: it goes on, and its quiet hour begins anew."""
    told = tell(REPEAT, *solved_and_asked(2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 40, 50), until="20:00")
    assert told.history()[8:] == [
        "10:20 opened warning repeat_contact",
        "10:22 updated warning repeat_contact",
        "11:50 resolved solved",
    ]
    assert len({record["escalation_id"] for record in told.records}) == 5


def test_three_recurrences_in_a_day_are_no_flapping():
    """At the limit everything is resolved as it comes."""
    told = tell(REPEAT, *solved_and_asked(2, 4, 6, 8, 10, 12, 14, 16, 18), until="20:00")
    assert told.history()[-1] == "10:18 resolved solved"
    assert not any(record.get("flapping") for record in told.records)


def customers(count, text, *, minute=0):
    """So many customers who ask and get this text twice, the first at the given minute past ten, and so on."""
    lines = []
    for number in range(count):
        who, thread = f"account:a{number}", f"email:{number}"
        at = f"10:{minute + number:02}"
        lines.append(email(at, "contact", thread, who=who))
        for reply in range(2):
            words = text if reply == 0 else "A sentence of its own, written for this one customer " + "abcdefgh"[number]
            lines.append(email(f"{at}:{10 * (reply + 1)}", "reply", thread, who=who, text=words, auto=reply == 1))
    return lines


def test_the_same_text_to_five_customers_within_a_day_is_canned():
    """Nobody marked it, but the fifth customer who gets it makes it a template: for all of them."""
    told = tell(policy(patterns={"canned_only": {}}), *customers(5, TEMPLATE), until="12:00")
    assert len({record["customer_id"] for record in told.records}) == 5
    assert {record["patterns"][0] for record in told.records} == {"canned_only"}


def test_the_same_text_to_four_customers_is_not():
    """One fewer, and it is an answer like any other."""
    assert tell(policy(patterns={"canned_only": {}}), *customers(4, TEMPLATE), until="12:00").records == []


def test_case_digits_and_punctuation_do_not_hide_a_template():
    """What differs by a ticket's number or a capital letter is the same text."""
    lines = []
    for number in range(5):
        lines += customers(5, f"{TEMPLATE.upper()} (ticket {number}) !", minute=number)[3 * number : 3 * number + 3]
    told = tell(policy(patterns={"canned_only": {}}), *lines, until="12:00")
    assert len({record["customer_id"] for record in told.records}) == 5


def test_a_peer_cannot_solve_a_thread():
    """What another customer confirms is not what this one says: the clock runs on."""
    told = tell(
        policy(targets=[{"first_response": "1h"}], warn_at="100%"),
        email("10:00", "contact"),
        email("10:10", "confirmed", by="peer"),
        until="12:00",
    )
    assert told.sla() == ["11:00 opened error"]


def test_a_queue_is_watched_from_the_contact_that_says_so():
    """The first contact of a wait says nothing of a queue, a later one does: the wait is watched from then on."""
    told = tell(
        policy(patterns={"long_hold": {}}),
        phone("10:00", "contact"),
        phone("10:10", "contact", queued=True),
        until="12:00",
    )
    assert told.history() == ["10:30 opened warning long_hold"]
