"""`mindgap forget` without a worker: what it finds, what it sends, and what it says."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from agents.commands import forget as command
from agents.forget import Erased, Plan
from agents.forget_find import Target
from agents.forget_remains import HOLDS, NOT_PERSONAL, Kept, compaction, remains
from agents.forget_send import resolves, unlinks
from agents.forget_traces import Place, Search, Traces
from agents.settings import Settings, settings_from
from schemas.codec import dumps, loads
from schemas.times import DAY
from streams.identity.links import Member
from streams.identity.protocol import CustomerLinks, IdentityRecord
from streams.stored import Stored
from tests.commands.conftest import put
from tests.shell.traffic import everything
from topics.partitioner import partition_of
from topics.table import TOPICS, physical

KIM = "email:kim@example.com"
PHONE = "phone:+12125550100"
PAIR = {"a": {"type": "phone", "value": "+1 212 555 0100"}, "b": {"type": "handle", "value": "@kimmy"}}


def a_customer(settings: Settings, *names: str) -> str:
    """The id of a customer in the changelogs, as a worker would leave it; without a history."""
    count = settings.partitions
    id_ = next(id_ for n in range(999) if partition_of((id_ := f"cus_{n}.{n % count}").encode(), count) == n % count)
    links = CustomerLinks(id_, names[0], members={name: Member(1, "e1", 0) for name in names})
    put(settings, "changelog.customers", (id_.encode(), Stored(links, None).encode(1)))
    put(settings, "changelog.identities", *((n.encode(), dumps(IdentityRecord(id_, 1).encode())) for n in names))
    return id_


def test_only_sending_erases_the_links_first_and_says_that_nothing_was_waited_for(settings, mindgap):
    """Link records are found by what they say, on whatever partition, under whatever key, and others are left alone."""
    a_customer(settings, KIM, PHONE)
    elsewhere = (partition_of(b"crm-7", settings.partitions) + 1) % settings.partitions

    async def foreign() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
            name = physical(settings.topic_prefix, "identities.links")
            await producer.send_and_wait(name, dumps(PAIR), key=b"crm-7", partition=elsewhere)

    asyncio.run(foreign())
    put(settings, "identities.links", (b"crm-8", PAIR | {"a": {"type": "email", "value": "bob@example.com"}}))
    put(settings, "identities.links", (f"{KIM}|handle:x".encode(), b"no json"))
    done = mindgap("forget", "email:Kim@example.com", "--yes", "--wait", "0")
    assert done.exit_code == 0, done.output
    assert "2 link records" in done.stdout
    assert "not waited for" in done.stdout
    gone = {(r.partition, r.key) for r in everything(settings, "identities.links") if r.value is None}
    keyed = f"{KIM}|handle:x".encode()
    assert gone == {(elsewhere, b"crm-7"), (partition_of(keyed, settings.partitions), keyed)}
    (record,) = everything(settings, "identity-inbox")
    assert (record.key, record.partition) == (KIM.encode(), partition_of(KIM.encode(), settings.partitions))
    assert loads(record.value) == {"t": "forget", "i": KIM}


def test_nothing_is_sent_while_the_workers_are_behind(settings, mindgap):
    """What waits would bring the customer back behind the erasing: it is said, with status 1."""
    a_customer(settings, KIM)
    put(settings, "interactions.chat", (KIM.encode(), {"id": "e2"}))
    done = mindgap("forget", KIM, "--yes", "--wait", "1")
    assert (done.exit_code, done.stderr.count("\n"), done.stdout) == (1, 1, ""), done.output
    assert "have not worked off within 1 s" in done.stderr
    assert "Nothing was sent" in done.stderr
    assert everything(settings, "identity-inbox") == []


def test_a_customer_that_nobody_works_on_is_said_to_be_under_way(settings, mindgap):
    """The workers stop in between: status 1 in time, and what to do."""
    a_customer(settings, KIM)
    done = mindgap("forget", KIM, "--yes", "--wait", "1")
    assert done.exit_code == 1, done.output
    assert "It is under way, and the same call looks for what is left" in done.stderr
    assert len(everything(settings, "identity-inbox")) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["kim@example.com"], 2, "is not an identity"),
        (["email:nobody@example.com", "--yes"], 1, "no customer has the identity"),
        ([KIM], 2, "say --yes"),
        ([KIM, "--yes", "--wait", "-1"], 2, "--wait"),
        ([KIM, "--broker", "127.0.0.1:1"], 1, "127.0.0.1:1"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_sent(settings, mindgap, arguments, status, said):
    """One line says what was wrong; without a terminal and without --yes it is not asked, and not done."""
    a_customer(settings, KIM)
    done = mindgap("forget", *arguments)
    assert (done.exit_code, said in done.stderr, done.stderr.count("\n")) == (status, True, 1), done.output
    assert everything(settings, "identity-inbox") == []


def test_a_customer_who_is_there_again_is_said(settings, mindgap, monkeypatch):
    """An event came while it was being erased: status 1, and the identity that was typed, no other."""
    plan = Plan(settings, Target(KIM, frozenset((KIM, PHONE)), "cus_1.0"), Traces())

    async def look(*_: object) -> Plan:
        return plan

    async def erase(*_: object) -> Erased:
        return Erased(Traces(records={PHONE}, others={"cus_2.0"}), {})

    monkeypatch.setattr(command, "look", look)
    monkeypatch.setattr(command, "erase", erase)
    done = mindgap("forget", KIM, "--yes")
    assert done.exit_code == 1
    assert f"{KIM}: 1 of its identities are known again" in done.stderr
    assert "still named by 1: history of somebody else" in done.stdout
    assert "a crash does not bring it back" not in done.stdout
    assert PHONE not in done.output


def test_every_topic_with_a_retention_is_described_or_holds_nothing_of_anybody():
    """Who adds a topic says here what it holds of a customer."""
    described = {name for name in TOPICS if name in HOLDS or name.partition(".")[0] in HOLDS}
    kept = {topic.name for topic in TOPICS.values() if topic.cleanup == "delete"}
    assert kept == (described & kept) | (NOT_PERSONAL & kept)
    told = {each.topic: each for each in remains({}, 0)}
    assert not {each.holds for each in told.values()} - set(HOLDS.values())
    assert "interactions.*" in told


def test_the_broker_says_until_when():
    """Retention and the length of a segment add up; what is kept for ever is said to be; compaction has a limit or none."""
    known = {"escalations": Kept(2 * DAY, DAY), "identities.conflicts": Kept(-1, DAY)}
    told = {each.topic: each.until for each in remains(known, 10 * DAY)}
    assert told["escalations"] == 13 * DAY
    assert told["identities.conflicts"] is None
    assert told["interactions.dead"] == (10 + 90 + 7) * DAY
    assert "has no limit" in compaction({})
    bounded = {name: Kept(compaction_lag=3 * DAY) for name, topic in TOPICS.items() if topic.cleanup == "compact"}
    assert "within about 3 days" in compaction(bounded)
    assert "has no limit" in compaction(bounded | {"identities.links": Kept(compaction_lag=2**63 - 1)})


def test_a_shadow_writes_nothing_to_the_input_that_is_the_live_system_s():
    """Links and commands are the live system's; a shadow erases what is its own."""
    shadow = settings_from({}).model_copy(update={"topic_prefix": "p.|shadow."})
    assert unlinks(shadow, {Place(0, b"k")}) == []
    assert len(unlinks(settings_from({}), {Place(0, b"k")})) == 1


def test_what_is_open_is_resolved_by_commands_that_act_once():
    """A pager hears of an end before the customer is gone; the same call makes the same command."""
    target = Target(KIM, frozenset((KIM,)), "cus_1.0", escalations=("esc_1", "esc_2"))
    first, again = (resolves(settings_from({}), target, now=at) for at in (0, 9))
    assert [loads(out.value or b"")["escalation_id"] for out in first] == ["esc_1", "esc_2"]
    assert [loads(out.value or b"")["id"] for out in first] == [loads(out.value or b"")["id"] for out in again]
    assert {out.key for out in first} == {b"cus_1.0"}


def test_a_name_that_is_a_part_of_another_is_not_found_in_it():
    """`handle:kim` is not named by `handle:kimmy`, nor by a text in which it stands."""
    search = Search({"handle:kim"}, {"cus_1.0"})
    for number, members in enumerate((["handle:kimmy"], ["handle:x"])):
        links = CustomerLinks(f"cus_9{number}.0", members={name: Member(1, 'says "handle:kim"', 0) for name in members})
        search.take("changelog.customers", Place(0, links.id.encode()), Stored(links, None).encode(1))
    assert not search.found
    links = CustomerLinks("cus_9.0", refused={("customer_id:B", "handle:kim"): "limit:customer_id"})
    search.take("changelog.customers", Place(0, b"cus_9.0"), Stored(links, None).encode(1))
    assert search.found.others == {"cus_9.0"}
    search.take("changelog.customers", Place(0, b"cus_9.0"), None)
    assert not search.found
