"""A history is bounded: what it costs to keep a customer does not grow for ever."""

from schemas.codec import dumps, loads
from schemas.times import DAY, HOUR, MINUTE, parse_time
from streams.bounds import EVENTS_MAX, EVENTS_MIN
from streams.customer import Customer
from streams.intake import Rejected, admit
from streams.policy import PolicyHistory, compile_policy
from streams.policy_file import read_policy

START = parse_time("2026-06-01T00:00:00Z")
POLICIES = PolicyHistory(compile_policy(read_policy("{version: '1', targets: [{first_response: 1h}]}", "test")))


def event(number, kind, thread, at, **data):
    names = data.pop("names", [("account", "a1")])
    value = {
        "id": f"e{number}",
        "occurred_at": f"{parse_iso(at)}",
        "channel": "email",
        "kind": kind,
        "thread": thread,
        "identities": [{"type": type_, "value": value} for type_, value in names],
        "data": data,
    }
    found = admit(value, at + 30 * DAY, POLICIES.at(at))
    assert not isinstance(found, Rejected)
    return found


def parse_iso(at):
    from schemas.times import format_time

    return format_time(at)


def busy(threads):
    """A customer with so many threads, an hour apart, each asked, and solved ten minutes later."""
    customer = Customer("cus_busy")
    for number in range(threads):
        at = START + number * HOUR
        customer.fold(event(2 * number, "contact", f"t{number}", at))
        customer.fold(event(2 * number + 1, "status", f"t{number}", at + 10 * MINUTE, status="solved"))
    return customer


def test_a_history_lets_go_of_what_is_long_over():
    """Beyond the limit the issues that were resolved first go, whole; the newest stay."""
    customer = busy(EVENTS_MAX)
    now = START + EVENTS_MAX * HOUR
    customer.settle(POLICIES, now)
    assert len(customer.log) <= EVENTS_MAX
    assert customer.let_go == 2 * EVENTS_MAX - len(customer.log)
    assert f"e{2 * EVENTS_MAX - 1}" in customer.log


def test_what_was_let_go_is_not_taken_in_again():
    """A late copy of a forgotten event neither comes back nor opens anything."""
    customer = busy(EVENTS_MAX)
    now = START + EVENTS_MAX * HOUR
    customer.settle(POLICIES, now)
    size = len(customer.log)
    again = Customer.decode(loads(dumps(customer.encode())))
    assert not again.fold(event(0, "contact", "t0", START))
    assert len(again.log) == size
    assert again.let_go == customer.let_go


def test_an_open_issue_is_the_last_to_go():
    """While something that is over can go, nothing of an open issue does."""
    customer = busy(EVENTS_MAX // 2)
    now = START + EVENTS_MAX * HOUR
    customer.fold(event("open", "contact", "waiting", now - DAY))
    customer.fold(event("more", "note", "t0", now - HOUR))
    customer.settle(POLICIES, now)
    assert customer.let_go
    assert "eopen" in customer.log


def test_one_endless_thread_is_bounded_too():
    """Where nothing is over the oldest events go; the customer is still escalated for."""
    customer = Customer("cus_endless")
    for number in range(EVENTS_MAX + 200):
        customer.fold(event(number, "contact", "t", START + number * MINUTE))
    now = START + DAY
    records = customer.settle(POLICIES, now)
    assert EVENTS_MIN <= len(customer.log) <= EVENTS_MAX
    assert any(record["phase"] == "breached" for record in records if record["kind"] == "sla")


def test_events_of_a_known_thread_are_taken_in_however_late():
    """Only what belongs to nothing that is remembered is too late."""
    customer = Customer("cus_endless")
    for number in range(EVENTS_MAX + 200):
        customer.fold(event(number, "contact", "t", START + number * MINUTE))
    customer.settle(POLICIES, START + DAY)
    assert customer.fold(event("late", "reply", "t", START + MINUTE))


def test_identities_that_only_forgotten_events_named_are_not_shown_for_ever():
    """An account from which everybody writes: of thousands of addresses those are shown that the log still names."""
    customer = Customer("cus_shared")
    for number in range(EVENTS_MAX + 1):
        names = [("account", "a1"), ("email", f"x{number}@example.com")]
        customer.fold(event(number, "contact", f"t{number}", START + number * MINUTE, names=names))
    assert len(customer.identities) == EVENTS_MAX + 2
    customer.settle(POLICIES, START + 30 * DAY)
    assert len(customer.identities) == len(customer.log) + 1
    assert {str(identity) for identity in customer.identities} >= {"account:a1", f"email:x{EVENTS_MAX}@example.com"}
