"""What the outside sends: a few people on a few channels, some of it twice, late, misplaced or broken."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from schemas.codec import dumps
from schemas.times import MINUTE, format_time
from tests.shellsim.plan import TRAFFIC_S, Plan, near
from topics.partitioner import partition_of

CHAT, SOCIAL, LINKS = "interactions.chat", "interactions.social", "identities.links"
TOPICS = (CHAT, SOCIAL, LINKS)
KINDS = ("contact", "contact", "contact", "reply", "reply", "answered", "status", "promise", "deflect", "note")
_PUBLIC = "s"


@dataclass(frozen=True)
class Item:
    """A record of the outside, sent at `at_s` seconds of the simulation. `name` is its id; None for a broken one."""

    at_s: float
    topic: str
    key: bytes
    value: bytes
    partition: int
    name: str | None = None


def traffic(random: Random, plan: Plan, time_of: Callable[[float], int]) -> list[Item]:
    """Some tens of records, sorted by time. `time_of`: clock time (ms) of a second."""
    partitions, seconds = plan.partitions, TRAFFIC_S
    people = [_person(number, random) for number in range(random.randint(1, 4))]
    items: list[Item] = []
    said: dict[str, list[str]] = {}
    for number in range(random.randint(4, 24)):
        at_s = near(random, plan.moments, seconds, 0.3)
        draw = random.random()
        if draw < 0.08 and len(people) > 1:
            items.append(_link(number, at_s, random, people, partitions, time_of))
        elif draw < 0.12:
            items.append(_broken(at_s, random, partitions))
        else:
            item = _interaction(number, at_s, random, people, said, partitions, time_of)
            items.append(item)
            if random.random() < 0.1:
                items.append(_again(item, random, partitions, seconds))
    return sorted(items, key=lambda item: item.at_s)


def _person(number: int, random: Random) -> dict[str, Any]:
    names = [{"type": "email", "value": f"p{number}@example.com"}, {"type": "handle", "value": f"p{number}"}]
    names += [{"type": "phone", "value": f"+1212555{number:04}"}, {"type": "customer_id", "value": f"c{number}"}]
    random.shuffle(names)
    threads = [f"t{number}-{count}" for count in range(random.randint(1, 3))]
    return {"names": names[: random.randint(1, 4)], "threads": [*threads, f"{_PUBLIC}{number}"]}


def _interaction(
    number: int,
    at_s: float,
    random: Random,
    people: list[dict[str, Any]],
    said: dict[str, list[str]],
    partitions: int,
    time_of: Callable[[float], int],
) -> Item:
    person = random.choice(people)
    thread = random.choice(person["threads"])
    kind = random.choice(KINDS)
    names = random.sample(person["names"], random.randint(1, len(person["names"])))
    by = "customer" if kind in ("contact", "confirmed") else "agent"
    happened = time_of(at_s - (random.random() * 5 if random.random() < 0.2 else 0))
    value: dict[str, Any] = {
        "id": f"event-{number}-",
        "occurred_at": format_time(happened),
        "channel": "social" if thread.startswith(_PUBLIC) else "chat",
        "kind": kind,
        "actor": {"type": by},
        "identities": names,
        "thread": thread,
    }
    if kind == "status":
        value["data"] = {"status": random.choice(("pending", "solved", "open", "on_hold"))}
    if kind == "promise":
        value["data"] = {"due_at": format_time(time_of(at_s + random.random() * 5)), "what": "a call"}
    key = f"{names[0]['type']}:{names[0]['value']}".encode()
    place = partition_of(key, partitions) if random.random() < 0.8 else random.randrange(partitions)
    topic = SOCIAL if value["channel"] == "social" else CHAT
    said.setdefault(thread, []).append(value["id"])
    return Item(at_s, topic, key, dumps(value), place, value["id"])


def _again(item: Item, random: Random, partitions: int, seconds: float) -> Item:
    place = item.partition if random.random() < 0.5 else random.randrange(partitions)
    return Item(min(seconds, item.at_s + random.random() * 4), item.topic, item.key, item.value, place, item.name)


def _link(
    number: int,
    at_s: float,
    random: Random,
    people: list[dict[str, Any]],
    partitions: int,
    time_of: Callable[[float], int],
) -> Item:
    one, other = random.sample(people, 2)
    a, b = random.choice(one["names"]), random.choice(other["names"])
    value = {"id": f"link-{number}-", "occurred_at": format_time(time_of(at_s)), "action": "link", "a": a, "b": b}
    key = f"{a['type']}:{a['value']}|{b['type']}:{b['value']}".encode()
    return Item(at_s, LINKS, key, dumps(value), partition_of(key, partitions), value["id"])


def _broken(at_s: float, random: Random, partitions: int) -> Item:
    value = random.choice((b"", b"{", b"[]", b'{"id":1}', b'{"id":"x","kind":"contact"}'))
    return Item(at_s, CHAT, b"broken", value, random.randrange(partitions))


POLICY = {
    "version": "1",
    "calendars": {"always": {"zone": "UTC", "week": {"mon-sun": ["00:00-24:00"]}}},
    "channels": {"social": {"calendar": "always", "public": True}, "chat": {"calendar": "always"}},
    "targets": [{"first_response": "2m", "next_response": "3m", "resolution": "6m"}],
    "issue_resolution": {"target": "8m", "calendar": "always"},
    "promises": {"grace": "1m"},
    "ladders": {"error": [{"after": "1m", "role": "lead"}, {"after": "3m", "role": "head"}]},
    "roles": {"lead": {}, "head": {}},
    "routes": [{"role": "lead"}],
    "identities": {"limits": dict.fromkeys(("customer_id", "email", "phone", "handle"), 1000), "max": 10000},
}
LAST_DEADLINE = 16 * MINUTE
"""Ms after the last event at which nothing of this policy is due any more, but what ends after days."""
NEWER = POLICY | {
    "version": "2",
    "targets": [{"first_response": "1m", "next_response": "2m", "resolution": "4m"}],
}
