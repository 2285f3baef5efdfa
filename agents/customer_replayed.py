"""One customer, from recorded input."""

from collections.abc import Iterator

from agents.customer_card import Card, Joined
from agents.lines import decoded
from schemas.identity import STRENGTH
from streams.explain import identities as told
from streams.explain.inquiry import Lines, inquire
from streams.identity.changes import Refused
from streams.policy import Policy
from streams.replay import Line, Outcome, Replay
from streams.standing import RESOLVED


def replayed(name: str, policy: Policy, lines: list[Line], until: int | None) -> Card:
    """The customer of that id, alias, identity or thread, as it stands at `until` (ms; None: the last arrival).

    Raises UnknownCustomerError or SeveralCustomersError (`streams.explain.inquiry`).
    """

    def again() -> Iterator[Line]:
        return decoded(lines, policy.max_bytes)

    answer = inquire(name, policy, again, until)
    joined = [
        Joined(each.identity, each.record_id, each.at) for each in answer.changes if isinstance(each, told.Joined)
    ]
    joined.sort(key=lambda each: (STRENGTH[each.identity.type], each.identity.value))
    newest = {record["escalation_id"]: record for record in answer.records}
    ids = {answer.customer.id, *answer.aliases}
    mine = {each.identity for each in joined}
    refused = [each for each in _refused(policy, again, until) if each.refused_by in ids or each.identity in mine]
    open_ = [record for record in newest.values() if record["status"] != RESOLVED]
    return Card(answer.customer.id, answer.aliases, tuple(joined), tuple(refused), open_)


class _WhoIsWho(Replay):
    """A replay that joins identities and settles nobody."""

    def _settle(self, id_: str, at: int, outcome: Outcome) -> None:
        """Leave it."""


def _refused(policy: Policy, lines: Lines, until: int | None) -> list[Refused]:
    """All refusals of the input: an inquiry tells of those only that name the customer."""
    replay = _WhoIsWho(policy, pages=False, measures=False)
    for _ in replay.run(lines(), until):
        pass
    resolve = replay.population.resolver.resolve
    return [
        Refused(each.identity, resolve(each.refused_by), each.reason, each.record_id, each.seen_at)
        for each in replay.population.refused
    ]
