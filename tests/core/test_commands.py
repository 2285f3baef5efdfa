"""People act at any moment: what they do never breaks the story, and a silence that they asked for ends when it should."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from schemas.escalation import validate_escalation
from schemas.times import MINUTE, format_time
from streams.customer import Customer
from streams.replay import Line, Replay
from streams.severity import RANKS
from streams.standing import Standing
from streams.subjects import Subjects
from tests.core.playing import instants, lines, policy_of
from tests.core.strategies import CUSTOMERS, END, POLICY, START, delays, interactions

ACTIONS = ("acknowledge", "suppress", "suppress", "unsuppress", "resolve")


def standings(run: Replay) -> Iterator[tuple[Customer, Standing]]:
    """Every open escalation, in an order that repeats."""
    for _, customer in sorted(run.population.customers.items()):
        for standing in sorted(customer.emitted.standing, key=lambda each: each.id):
            yield customer, standing


def order(draw: st.DrawFn, run: Replay, at: int, number: int) -> Line | None:
    """A command on one of the open escalations, if there are any."""
    there = list(standings(run))
    if not there:
        return None
    customer, standing = draw(st.sampled_from(range(len(there))).map(there.__getitem__))
    action = draw(st.sampled_from(ACTIONS))
    command = {
        "id": f"c{number}",
        "at": format_time(at),
        "customer_id": customer.id,
        "escalation_id": standing.id,
        "action": action,
        "by": "sam",
    }
    if action == "suppress" and draw(st.booleans()):
        command["until"] = format_time(at + draw(st.integers(-1, 30)) * MINUTE)
    return Line(at, "escalations.commands", command)


def check(run: Replay, now: int) -> None:
    """Every open escalation holds; what holds is open, unless a person resolved what is no worse."""
    for customer in run.population.customers.values():
        if customer.emitted.settled_at != now:
            continue
        subjects = Subjects.of(customer.derived(run.policies))
        muted = {subjects.locate(each) for each in customer.emitted.closed if each.by_command}
        standing = {subjects.locate(each): each for each in customer.emitted.standing}
        assert len(standing) == len(customer.emitted.standing)
        for subject, episodes in subjects.episodes.items():
            holding = next((e for e in episodes if e.start <= now < e.end), None)
            assert subject not in standing or holding is not None or standing[subject].flapping
            if holding is not None and subject not in standing:
                assert subject in muted
        for subject, each in standing.items():
            assert subject in subjects.episodes
            assert each.status != "suppressed" or each.suppressed_until is None or each.suppressed_until > now
            assert RANKS[each.severity] <= RANKS[each.peak]


@given(st.data())
def test_commands_at_any_moment(data):
    """Whatever people order, revisions stay valid and consecutive, a silenced escalation is silent, and state survives bytes."""
    events = data.draw(interactions(people=CUSTOMERS[:2]))
    groups = instants(lines(events, data.draw(delays(len(events)))))
    times = sorted(data.draw(st.sets(st.integers(1, 150), max_size=6)))
    run = Replay(policy_of(POLICY | {"flap": {"limit": data.draw(st.sampled_from((1, 3)))}}))
    last: dict[str, dict] = {}
    commands = [(START + minute * MINUTE + 7, None) for minute in times] + [
        (group[0].arrived_at, group) for group in groups
    ]
    for number, (at, group) in enumerate(sorted(commands, key=lambda step: step[0])):
        said = [record for outcome in run.run([], at - 1) for record in outcome.escalations]
        line = None if group else order(data.draw, run, at, number)
        step = group or ([line] if line else [])
        for outcome in run.run(step, at):
            said += outcome.escalations
            assert outcome.dead == []
        follow(last, said)
        check(run, at)
        if number % 3 == 0:
            for id_, customer in run.population.customers.items():
                again = Customer.decode(loads(dumps(customer.encode())))
                again.outside = customer.outside
                run.population.customers[id_] = again
    follow(last, [record for outcome in run.run([], END) for record in outcome.escalations])
    assert {id_ for id_, record in last.items() if record["status"] != "resolved"} == {s.id for _, s in standings(run)}


def follow(last: dict[str, dict], said: list[dict]) -> None:
    """Each revision is valid and follows from the one before."""
    for record in said:
        validate_escalation(record)
        before = last.get(record["escalation_id"])
        assert record["revision"] == (before["revision"] + 1 if before else 1)
        if before is not None:
            assert before["status"] != "resolved"
            if before["status"] == "suppressed":
                assert record["change"] in ("resolved", "unsuppressed", "acknowledged", "suppressed")
            if record["change"] == "raised":
                worse = RANKS[record["severity"]] > RANKS[before["severity"]]
                assert worse or record["level"] > before["level"]
        last[record["escalation_id"]] = record
