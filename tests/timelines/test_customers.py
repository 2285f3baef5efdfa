"""Customers that merge and split while clocks run and escalations stand (contract, section 3)."""

from itertools import permutations

from tests.timelines.timeline import command, email, interaction, iso, link, phone, policy, social, tell

PHONE = "phone:+12025550143"
LEE = "email:lee@example.com"
KIM = "email:kim@example.com"
SWITCH = policy(patterns={"channel_switch": {}})
HOUR = policy(targets=[{"first_response": "1h"}], warn_at="100%")


def test_the_same_events_in_every_order_are_one_customer():
    """{e1, p1}, {e1}, {p1}: one customer in all six orders."""
    for order in permutations(((KIM, PHONE), KIM, PHONE)):
        story = [email(f"10:0{place}", "contact", f"t{place}", who=who) for place, who in enumerate(order)]
        assert len(tell(policy(), *story).customers()) == 1


def test_a_link_joins_what_was_two_and_escalates_once():
    """A call and a letter of two strangers prove to be one customer's: a switch, from the link on, heard of once."""
    told = tell(
        SWITCH,
        email("10:00", "contact", who=KIM),
        phone("10:10", "contact", who=PHONE),
        link("12:00", KIM, PHONE),
        link("13:00", KIM, PHONE),
    )
    assert told.history() == ["12:00 opened warning channel_switch"]
    assert told.records[0]["detection_lag_s"] == 6600
    assert len(told.customers()) == 1


def test_a_merge_keeps_clocks_and_their_escalations():
    """Due times stay, nobody is paged again, and the escalation goes on under the surviving customer."""
    told = tell(
        HOUR,
        email("10:00", "contact", who=KIM),
        phone("10:10", "contact", who=PHONE),
        link("12:00", KIM, PHONE),
        phone("12:30", "answered", who=PHONE),
    )
    assert told.sla() == ["11:00 opened error", "11:10 opened error", "12:00 updated error", "12:30 resolved answered"]
    first, second, updated, resolved = told.records
    assert first["customer_id"] != second["customer_id"]
    assert updated["escalation_id"] == resolved["escalation_id"] == second["escalation_id"]
    assert updated["customer_id"] == resolved["customer_id"] == first["customer_id"]
    assert told.customers()[0]["aliases"] == [second["customer_id"]]


def test_of_two_open_histories_the_one_opened_first_survives_a_merge():
    """Both issues become one: the other escalation is resolved with `merged`, naming the one that goes on."""
    told = tell(
        policy(patterns={"ignored": {"after": "1h"}}),
        email("10:10", "contact", who=KIM),
        phone("10:00", "contact", who=PHONE),
        link("12:00", KIM, PHONE),
        until="13:00",
    )
    phones, emails = told.find(change="opened")
    assert told.history()[:2] == ["11:00 opened error ignored", "11:10 opened error ignored"]
    merged = told.find(change="resolved")
    assert [(r["escalation_id"], r["reason"], r["merged_into"]) for r in merged] == [
        (emails["escalation_id"], "merged", phones["escalation_id"])
    ]
    assert told.find(escalation_id=phones["escalation_id"])[-1]["status"] == "open"


def test_a_command_to_an_alias_reaches_the_survivor():
    """An escalation of the id that a merge ended is acknowledged under it still."""
    story = (
        email("10:00", "contact", who=KIM),
        phone("10:10", "contact", who=PHONE),
        link("12:00", KIM, PHONE),
    )
    told = tell(HOUR, *story)
    second = told.find(change="opened")[1]
    told = tell(
        HOUR, *story, command("12:10", "acknowledge", of=second["escalation_id"], customer_id=second["customer_id"])
    )
    assert told.sla()[-1] == "12:10 acknowledged error"
    assert told.dead == []


def test_a_split_resolves_what_no_longer_holds():
    """Unlinked, neither has switched channels: resolved with `split`, and the clocks run on."""
    told = tell(
        policy(patterns={"channel_switch": {}}, targets=[{"resolution": "9h"}]),
        email("10:00", "contact", who=KIM),
        phone("10:10", "contact", who=PHONE),
        link("10:20", KIM, PHONE),
        link("12:00", KIM, PHONE, "unlink"),
        until="13:00",
    )
    assert told.history() == ["10:20 opened warning channel_switch", "12:00 resolved split"]
    assert len(told.customers()) == 2
    assert {clock["state"] for clock in told.clocks()} == {"running"}
    assert {clock["due_at"] for clock in told.clocks()} == {iso("19:00"), iso("19:10")}


def test_an_escalation_goes_with_its_thread_in_a_split():
    """A breach on the call stays open, under the customer whose call it is."""
    told = tell(
        HOUR,
        email("10:00", "contact", who=KIM),
        phone("10:10", "contact", who=PHONE),
        link("10:20", KIM, PHONE),
        link("12:00", KIM, PHONE, "unlink"),
        phone("12:30", "answered", who=PHONE),
    )
    assert told.sla() == ["11:00 opened error", "11:10 opened error", "12:00 updated error", "12:30 resolved answered"]
    assert told.records[2]["escalation_id"] == told.records[1]["escalation_id"]
    assert told.records[2]["customer_id"] != told.records[1]["customer_id"]


def test_each_author_of_a_public_thread_has_clocks_of_their_own():
    """Two people post in one thread: two customers, two clocks, two escalations; a reply to one answers one."""
    told = tell(
        HOUR,
        social("10:00", "contact", "post", who=KIM, id="a"),
        social("10:10", "contact", "post", who=LEE, id="b"),
        social("10:30", "reply", "post", who=(), in_reply_to="b"),
        until="11:30",
    )
    assert told.sla() == ["11:00 opened critical"]
    assert len({clock["clock_id"] for clock in told.clocks()}) == 2
    assert sorted(clock["state"] for clock in told.clocks()) == ["breached", "met"]


def test_a_reply_that_names_nobody_is_for_the_threads_first_author():
    """Without `in_reply_to` it belongs to the author of the first contact."""
    told = tell(
        HOUR,
        social("10:00", "contact", "post", who=KIM),
        social("10:10", "contact", "post", who=LEE),
        social("10:30", "reply", "post", who=()),
        until="11:30",
    )
    assert told.sla() == ["11:10 opened critical"]


def test_everything_in_a_private_thread_belongs_to_one_customer():
    """Two names in one ticket are one customer."""
    told = tell(policy(), email("10:00", "contact", who=KIM), email("10:10", "contact", who=LEE))
    assert len(told.customers()) == 1


def test_a_kiosks_phone_joins_nobody():
    """One phone number with six customer ids leaves six customers, and the refusals are on record."""
    story = [
        interaction("phone", f"10:0{n}", "contact", f"call-{n}", who=(f"customer_id:C{n}", PHONE)) for n in range(6)
    ]
    told = tell(policy(), *story)
    assert len(told.customers()) == 6
    assert len(told.run.population.refused) == 5


def test_withheld_numbers_join_nobody():
    """Blocked values are no identity."""
    story = [interaction("phone", f"10:0{n}", "contact", f"call-{n}", who="phone:anonymous") for n in range(3)]
    assert len(tell(policy(), *story).customers()) == 3
