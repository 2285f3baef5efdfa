"""How things stand at the end: issues, running clocks, open escalations."""

from collections.abc import Iterator

from streams.customer import Customer
from streams.derive import Derived
from streams.explain.clocks import name_of
from streams.explain.line import StoryLine, span, when
from streams.facts import issue_status
from streams.intervals import FOREVER
from streams.ledger import due_now, state
from streams.policy import PolicyHistory
from streams.turn import waiting_on


def ending(customer: Customer, policies: PolicyHistory, now: int) -> Iterator[StoryLine]:
    """Lines of kind `now`."""
    derived = customer.derived(policies)
    yield from _issues(derived, policies, now)
    yield from _clocks(derived, now)
    for standing in customer.emitted.standing:
        about = standing.metric or ", ".join(standing.patterns)
        text = (
            f"escalation {standing.id} is {standing.status}: {standing.severity}, {about}, since {when(standing.since)}"
        )
        yield StoryLine(now, "now", text, (standing.id,))
    if not customer.emitted.standing:
        yield StoryLine(now, "now", "no escalation is open")
    wake = customer.next_wake(policies)
    if wake is not None and wake < FOREVER and wake > now:
        yield StoryLine(now, "now", f"if nothing happens, something is to be said next at {when(wake)}")


def _issues(derived: Derived, policies: PolicyHistory, now: int) -> Iterator[StoryLine]:
    policy = policies.at(now)
    for issue in derived.history.issues:
        if issue.founder.at > now:
            continue
        status = issue_status(issue, policy, now)
        threads = ", ".join(thread.id for thread in issue.threads)
        text = f"issue {issue.id} is {status}"
        if issue.topic:
            text += f" ({issue.topic})"
        if status != "resolved":
            holds = [hold for hold in derived.holds.get(issue.id, ()) if hold.start <= now < hold.end]
            text += f", waiting on {waiting_on(issue, None, now)}"
            if holds:
                text += f"; {', '.join(sorted({hold.name for hold in holds}))} hold{'s' if len(holds) == 1 else ''}"
        yield StoryLine(now, "now", f"{text}; threads {threads}", (issue.id,))


def _clocks(derived: Derived, now: int) -> Iterator[StoryLine]:
    for clock in derived.clocks:
        stopped = clock.run.stop is not None and clock.run.stop <= now
        if stopped or clock.segments[0].start > now:
            continue
        due, stands = due_now(clock, now), state(clock, now)
        text = f"clock {name_of(clock)} is {stands}"
        if stands == "breached" and due is not None:
            text += f", {span(now - clock.breaches[-1].at)} over"
        elif due is not None:
            text += f", due {when(due)}, in {span(due - now)}"
        yield StoryLine(now, "now", text, (clock.id,))
