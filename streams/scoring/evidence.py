"""What the core made of a run: its issues, whose they are, and the patterns on record and said of each."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.identity import parse_identity
from schemas.policy import PolicyDocument
from streams.facts import customer_record, episode_records
from streams.policy import compile_policy
from streams.replay import Line as Recorded
from streams.replay import Replay
from streams.simulate import Line

POLICY = compile_policy(
    PolicyDocument.model_validate(
        {
            "version": "score",
            "channels": {"social": {"public": True}, "community": {"public": True}},
            "patterns": {"self_service_failed": {"severity": "warning"}},
        }
    )
)
"""The contract's defaults, but that each pattern is heavy enough to open an escalation by itself."""


class Place(NamedTuple):
    """An issue of a customer, as the core tells them apart."""

    customer_id: str
    issue_id: str


@dataclass(slots=True)
class Evidence:
    """What is on record after a run."""

    threads: dict[Place, frozenset[str]] = field(default_factory=dict)
    on_record: dict[Place, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The patterns that held by the facts at the end."""
    said: dict[Place, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The patterns that an escalation ever named, also where they were taken back later."""
    owners: dict[str, str] = field(default_factory=dict)
    """`type:value` -> customer id."""

    def places(self, threads: Iterable[str], identities: Iterable[str], *, private: Iterable[str]) -> set[Place]:
        """The issues that some threads of a person with these identities belong to.

        Whose a `private` thread is, the thread tells; on the others many people may speak.
        """
        names = {str(parse_identity(name)) for name in identities} | {f"thread:{thread}" for thread in private}
        mine = {self.owners[name] for name in names if name in self.owners}
        wanted = set(threads)
        return {place for place, held in self.threads.items() if place.customer_id in mine and held & wanted}


def gather(lines: Iterable[Line], until: int) -> Evidence:
    """Replay the lines with timers up to `until` (ms)."""
    replay = Replay(POLICY, pages=False, measures=False)
    recorded = (Recorded(line.at, line.topic, line.value) for line in lines)
    told: list[tuple[str, frozenset[str], list[str]]] = [
        (record["customer_id"], frozenset(one["thread"] for one in record["threads"]), record["patterns"])
        for outcome in replay.run(recorded, until)
        for record in outcome.escalations
        if record["kind"] == "history"
    ]
    evidence = Evidence()
    for known, customer in replay.population.known():
        facts = customer_record(customer, known.aliases, known.identities, replay.policies, replay.now)
        evidence.owners.update((str(identity), customer.id) for identity in known.identities)
        for issue in facts["issues"]:
            evidence.threads[Place(customer.id, issue["issue_id"])] = frozenset(issue["threads"])
        for episode in episode_records(customer, replay.policies, replay.now):
            if episode["kind"] == "history":
                evidence.on_record[Place(customer.id, episode["subject"])].update(episode["patterns"])
    by_thread: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for place, threads in evidence.threads.items():
        for thread in threads:
            by_thread[place.customer_id, thread].append(place)
    for customer_id, threads, patterns in told:
        now = replay.population.resolver.resolve(customer_id)
        for place in {place for thread in threads for place in by_thread[now, thread]}:
            evidence.said[place].update(patterns)
    return evidence
