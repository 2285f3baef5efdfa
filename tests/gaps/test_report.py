"""The gaps of a stretch of time: rows, points over time, suggestions and the plot."""

from collections import Counter
from xml.etree import ElementTree as ET

import pytest

from agents.gaps_plot import draw
from agents.gaps_report import THIN, from_facts, from_records
from agents.gaps_source import histories_of
from agents.gaps_table import headline, length, times
from schemas.codec import dumps
from schemas.policy import PolicyDocument
from schemas.times import DAY, HOUR, MINUTE, format_time, parse_time
from streams.gaps import SOLVED_MIN, Fact, GapBook, facts, suggest
from streams.gaps.facts import CONTACT, FIRST, RESOLVED, WAIT
from streams.gaps.share import GapShare
from streams.policy import compile_policy
from streams.replay import Line, Replay
from streams.simulate import Simulation
from tests.gaps.build import T0, derived, event, solved

PUBLIC = frozenset({"social", "community"})
START = parse_time("2026-06-01T04:00:00Z")
POLICY = compile_policy(
    PolicyDocument.model_validate(
        {
            "version": "1",
            "channels": {"social": {"public": True}, "community": {"public": True}},
            "targets": [{"first_response": "1h", "resolution": "8h"}],
        }
    )
)


def answers(channel: str, minutes: list[float], *, day: int = 0, topic: str | None = None) -> list[Fact]:
    """A first answer for each wait in minutes, an hour apart."""
    return [
        Fact(FIRST, channel, T0 + day * DAY + n * HOUR, round(wait * MINUTE), public=channel in PUBLIC, topic=topic)
        for n, wait in enumerate(minutes)
    ]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A small company's ten days, as a file and as lines of replay."""
    path = tmp_path_factory.mktemp("simulated") / "in.jsonl"
    lines = [line.as_record() for line in Simulation(5, START, 10 * DAY, 40)]
    path.write_bytes(b"".join(dumps(line) + b"\n" for line in lines))
    return path, [Line(parse_time(line["arrived_at"]), line["topic"], line["value"]) for line in lines]


def test_histories_read_at_once_are_those_of_a_replay(simulated):
    """One batch or event by event with all timers: the same facts."""
    path, lines = simulated
    histories = histories_of(POLICY, (str(path),), None)
    run = Replay(POLICY)
    for _ in run.run(lines):
        pass
    replayed = [fact for each in run.population.customers.values() for fact in facts(each.derived(run.policies))]
    assert Counter(histories.facts) == Counter(replayed)
    assert (histories.until, histories.set_aside) == (lines[-1].arrived_at, 0)
    assert len(replayed) > 500


def test_commands_act_as_in_a_replay(simulated, tmp_path):
    """With a command in the input, it is taken event by event, so that its escalation is there when it comes."""
    path, lines = simulated
    run = Replay(POLICY)
    opened = [record for outcome in run.run(lines) for record in outcome.escalations if record["change"] == "opened"]
    command = {
        "id": "1",
        "at": format_time(parse_time(opened[0]["detected_at"]) + MINUTE),
        "action": "acknowledge",
        "by": "somebody",
        "customer_id": opened[0]["customer_id"],
        "escalation_id": opened[0]["escalation_id"],
    }
    more = tmp_path / "commands.jsonl"
    more.write_bytes(dumps({"topic": "escalations.commands", "value": command}))
    histories = histories_of(POLICY, (str(path), str(more)), None)
    assert histories.set_aside == 0
    assert Counter(histories.facts) == Counter(histories_of(POLICY, (str(path),), None).facts)


def test_records_and_histories_tell_the_same_counts(simulated):
    """Counts add up over windows; only `overtaken` counts a thread in every window in which it was overtaken."""
    path, _ = simulated
    histories = histories_of(POLICY, (str(path),), None)
    book = GapBook()
    book.replace("all", histories.facts)
    recorded = from_records(book.close(histories.until, partial=True), PUBLIC)
    whole = from_facts(histories.facts, histories.until, PUBLIC)
    for name in ("contacts", "first_responses", "breached", "resolved", "queue_jumps", "public_first", "resolved_here"):
        assert {row["channel"]: row[name] for row in recorded.rows} == {row["channel"]: row[name] for row in whole.rows}
    assert recorded.total("overtaken") >= whole.total("overtaken") > 0
    assert recorded.ratio == pytest.approx(whole.ratio, rel=0.25)
    assert recorded.approximate
    assert not whole.approximate


def test_only_the_newest_revision_counts():
    """In whatever order the revisions come."""
    share = [Fact(CONTACT, "email", T0), Fact(CONTACT, "email", T0 + 1)]
    book = GapBook()
    book.replace("c", share[:1])
    records = book.close(T0 + HOUR)
    book.replace("c", share)
    records += book.close(T0 + HOUR)
    for order in (records, records[::-1]):
        (row,) = from_records(order, PUBLIC).rows
        assert row["contacts"] == 2


def test_public_and_private_are_medians_over_all_answers():
    """Not medians of the channels' medians: nine fast chats outweigh one slow mail."""
    report = from_facts(
        [*answers("chat", [2] * 9), *answers("email", [600]), *answers("social", [1, 1, 1])], T0 + DAY, PUBLIC
    )
    assert (report.private_s, report.public_s, report.ratio) == (120, 60, 2)
    assert headline(report).startswith("Answered in public after 1.0 min, in private after 2.0 min (median): 2.0 times")
    assert [row["channel"] for row in report.rows] == ["email", "chat", "social"]


@pytest.mark.parametrize(
    ("private", "public", "said"),
    [
        ([60], [1], "60 times as long. Complaining in public pays."),
        ([1], [60], "private goes first"),
        ([5], [5], "about the same"),
        ([], [5], "Nobody was answered in private"),
        ([5], [], "Nobody was answered in public"),
    ],
)
def test_the_answer_is_one_sentence(private, public, said):
    """What a supervisor takes away, in each case."""
    assert said in headline(from_facts([*answers("email", private), *answers("social", public)], T0 + DAY, PUBLIC))


def test_points_are_hours_days_or_weeks():
    """As many as can be seen."""
    for days, size in ((1, HOUR), (30, DAY), (90, 7 * DAY)):
        report = from_facts([*answers("email", [1]), *answers("email", [1], day=days)], T0 + days * DAY, PUBLIC)
        assert report.bin_ms == size
        assert len(report.series[None]) == 2


def test_a_thin_bin_has_no_point_where_there_are_many_answers():
    """The median of two is not shown beside those of hundreds; in a small recording every answer is."""
    few = [*answers("email", [5] * (THIN - 1), day=30)]
    points = from_facts(few, T0 + 31 * DAY, PUBLIC).series[None]
    assert [point.channels for point in points] == [{"email": 300}] * (THIN - 1)
    many = [fact for day in range(20) for fact in answers("email", [3] * 10, day=day)]
    points = from_facts([*many, *few], T0 + 31 * DAY, PUBLIC).series[None]
    assert points[0].channels == {"email": 180}
    assert (points[-1].channels, points[-1].private_s) == ({}, None)


def test_groups_come_with_most_contacts_first():
    """By topic: rows and points of each, one that is not known last."""
    found = [
        *(Fact(CONTACT, "email", T0 + n, topic=topic) for n, topic in enumerate(["b", "b", "a", None])),
        *answers("email", [10], topic="a"),
        *answers("social", [5], topic="a"),
    ]
    report = from_facts(found, T0 + DAY, PUBLIC, "topic")
    assert list(report.series) == ["b", "a", None]
    assert [(row["by"]["topic"], row["channel"]) for row in report.rows][-1] == (None, "email")
    assert next(row for row in report.rows if row["by"]["topic"] == "a")["ratio_to_public"] == 2


# -- suggestions ----------------------------------------------------------------------------------------------


def solves(channel: str, minutes: list[int], topic: str = "billing", *, own: bool = True) -> list[Fact]:
    """Threads that were solved, the first contact of each with them."""
    contacts = [Fact(CONTACT, channel, T0, topic=topic) for _ in minutes]
    return contacts + [Fact(RESOLVED, channel, T0 + HOUR, n * MINUTE, topic=topic, mark=own) for n in minutes]


def test_the_fastest_channel_is_named_and_the_fastest_private_one():
    """By median of own solves; a public channel is fastest, but customers are guided to a private one."""
    found = suggest([*solves("phone", [30] * 10), *solves("email", [600] * 10), *solves("social", [5] * 10)], PUBLIC)
    (billing,) = found
    assert (billing.topic, billing.contacts) == ("billing", 30)
    assert billing.fastest.channel == "social"
    assert (billing.private.channel, billing.private.median_s, billing.private.solved) == ("phone", 1800, 10)
    assert [each.channel for each in billing.channels] == ["social", "phone", "email"]


def test_a_channel_with_too_few_solves_is_not_named():
    """One solve fewer than SOLVED_MIN says nothing."""
    for count, channel in ((SOLVED_MIN - 1, None), (SOLVED_MIN, "phone")):
        (billing,) = suggest(solves("phone", [1] * count), PUBLIC)
        assert (billing.private.channel if billing.private else None) == channel


def test_a_covering_solve_says_nothing_for_the_covered_channel():
    """Phone threads that ended because a post was solved are not solved by phone."""
    (billing,) = suggest([*solves("phone", [1] * 20, own=False), *solves("email", [600] * 10)], PUBLIC)
    assert billing.private.channel == "email"


def test_a_thread_knows_whether_it_was_solved_itself():
    """From a history: the post's own solve, the call that it covered; topic and team are those of the thread."""
    story = [
        event(0, "contact", "phone:1", topic="billing"),
        event(40, "contact", "social:3"),
        event(50, "reply", "social:3", team="social_team"),
        solved(55, "social:3"),
    ]
    found = {fact.channel: fact for fact in facts(derived(*story)) if fact.what == RESOLVED}
    assert (found["social"].mark, found["phone"].mark) == (True, False)
    assert (found["social"].topic, found["social"].team, found["phone"].team) == ("billing", "social_team", None)


# -- the plot -------------------------------------------------------------------------------------------------


def drawn(report, path):
    draw(report, headline(report), path)
    return path.read_bytes()


def test_the_plot_is_a_picture_and_the_same_each_time(simulated, tmp_path):
    """SVG and PNG by the ending; the same input gives the same bytes."""
    path, _ = simulated
    histories = histories_of(POLICY, (str(path),), None)
    for by in (None, "topic"):
        report = from_facts(histories.facts, histories.until, PUBLIC, by)
        first, second = (drawn(report, tmp_path / f"{n}.svg") for n in "ab")
        assert first == second
        assert ET.fromstring(first).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
        assert drawn(report, tmp_path / "c.png").startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    "found",
    [
        [],
        answers("email", [5]),
        answers("social", [0, 0.001]),
        [Fact(WAIT, "email", T0, T0 + 1)],
        answers("email", [90_000]),
    ],
)
def test_a_plot_of_little_is_drawn_too(found, tmp_path):
    """Nothing at all, one answer, answers in no time: a picture, not a traceback."""
    for by in (None, "team"):
        assert drawn(from_facts(found, T0 + DAY, PUBLIC, by), tmp_path / "few.png")


@pytest.mark.filterwarnings("ignore:Glyph")  # the machine's fonts may lack it
def test_names_from_outside_are_drawn_as_they_are(tmp_path):
    """A topic is text of a customer's system: no formula, no control characters, no endless title."""
    for topic in ("$\\frac{$", "a_b^c$", "x" * 500, "\x1b[31mred", "料金"):
        assert drawn(from_facts(answers("email", [5], topic=topic), T0 + DAY, PUBLIC, "topic"), tmp_path / "named.svg")


def test_lengths_are_said_in_two_digits():
    """As a person would."""
    assert [length(s) for s in (None, 0, 32.4, 61, 399, 3480, 4000, 50_400, 180_000, 900_000)] == [
        *("-", "0 s", "32 s", "1.0 min", "6.7 min", "58 min", "1.1 h", "14 h", "2.1 d", "10 d")
    ]
    assert [times(r) for r in (0.081, 0.88, 3.44, 27.3, 1234)] == ["0.081", "0.88", "3.4", "27", "1,234"]


def test_a_share_is_not_disturbed_by_other_dimensions():
    """Facts that differ in topic only are one cell where the share is not by topic."""
    share = GapShare()
    share.replace("c", [Fact(CONTACT, "email", T0, topic="a"), Fact(CONTACT, "email", T0, topic="b")])
    (message,) = share.take(1, T0 + HOUR)
    assert message.partial.contacts == 2
