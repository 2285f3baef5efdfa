"""The customers: their identities, temper, patience and habits."""

from dataclasses import dataclass, field
from random import Random

from streams.simulation.untidy import Untidy

FIRST_NUMBER = 1001
KIOSK = "+1800555"
"""How the numbers of the shops' telephones begin."""
PLACEHOLDERS = ("anonymous", "withheld", "unknown", "0", "", "n/a", "-1")
"""What telephone systems write for a number that was not sent."""
_SYLLABLES = ("ka", "lo", "mi", "ne", "ra", "so", "ti", "vu", "be", "do", "fi", "gu")

_HABITS: dict[str, float] = {
    "phone": 0.28,
    "email": 0.24,
    "chat": 0.13,
    "web": 0.1,
    "app": 0.08,
    "messaging": 0.07,
    "in_person": 0.04,
    "partner": 0.03,
    "community": 0.02,
    "social": 0.01,
}
"""How often a first contact comes by each channel: most people begin in private."""


@dataclass(slots=True, eq=False)
class Person:
    """One customer. `temper` and `patience` lie between 0 and 1; `reach` counts followers.

    `instead_of_number` is what a telephone system writes for somebody who sends no number.
    """

    customer_id: str
    email: str
    phone: str
    handle: str | None
    account: str
    device: str
    tier: str | None
    temper: float
    patience: float
    reach: int
    habits: tuple[str, ...]
    instead_of_number: str | None
    known_to_crm: bool
    shares_phone: bool = False
    mistaken: int = 0
    """Links by which they are taken for somebody else, or somebody else for them, that nobody has put right yet."""
    topics: list[str] = field(default_factory=list)
    links: set[tuple[str, str]] = field(default_factory=set)

    def identities_on(self, channel: str, *, signed_in: bool, kiosk: str | None = None) -> list[dict[str, str]]:
        """The identities that an event of this person carries on `channel`, strongest first.

        `kiosk` is the number of the shop's telephone that they use, having typed in their customer number.
        """
        if channel in ("social", "community"):
            found = [("handle", self.handle or "")]
        elif channel in ("web", "app"):
            found = [("customer_id", self.customer_id), ("email", self.email)]
            if channel == "app":
                found.append(("device", self.device))
        elif channel == "in_person":
            found = [("customer_id", self.customer_id)]
        elif channel == "partner":
            found = [("customer_id", self.customer_id), ("account", self.account)]
        elif kiosk is not None:
            found = [("customer_id", self.customer_id), ("phone", kiosk)]
        elif channel in ("phone", "messaging"):
            hidden = self.instead_of_number if channel == "phone" else None
            found = [("phone", self.phone if hidden is None else hidden)]
        else:
            found = [("email", self.email)]
        if signed_in and found[0][0] not in ("customer_id", "handle"):
            found.insert(0, ("customer_id", self.customer_id))
        return [{"type": kind, "value": value} for kind, value in found]

    def identities(self) -> tuple[str, ...]:
        """All identities, as `type:value`."""
        found = [f"customer_id:{self.customer_id}", f"email:{self.email}", f"phone:{self.phone}"]
        return tuple([*found, f"handle:{self.handle}"] if self.handle else found)


def make_people(rng: Random, count: int, topics: tuple[str, ...], untidy: Untidy) -> list[Person]:
    """`count` customers. Some households share a telephone, some people withhold their number."""
    people: list[Person] = []
    for index in range(count):
        person = _make_person(rng, index, topics, untidy)
        if people and rng.random() < untidy.shared:
            person.phone = people[-1].phone
            person.shares_phone = people[-1].shares_phone = True
        people.append(person)
    return people


def number_of(index: int) -> str:
    """A telephone number that nobody else has, in E.164."""
    return f"+1{212 + index // 10_000:03d}555{index % 10_000:04d}"


def _make_person(rng: Random, index: int, topics: tuple[str, ...], untidy: Untidy) -> Person:
    number = FIRST_NUMBER + index
    subjects = list(topics)
    rng.shuffle(subjects)
    handle = "".join(rng.choice(_SYLLABLES) for _ in range(3)) + str(number) if rng.random() < 0.7 else None
    return Person(
        customer_id=f"C{number}",
        email=f"c{number}@example.com",
        phone=number_of(index),
        handle=handle,
        account=f"A{number}",
        device=f"d-{number}",
        tier=rng.choices(("gold", "silver", None), (0.08, 0.22, 0.7))[0],
        temper=rng.betavariate(1.6, 2.2),
        patience=rng.betavariate(2.0, 2.0),
        reach=min(2_000_000, int(rng.paretovariate(0.9) * 60)),
        habits=_habits(rng, has_handle=handle is not None),
        instead_of_number=rng.choice(PLACEHOLDERS) if rng.random() < untidy.withheld else None,
        known_to_crm=rng.random() < 0.9,
        topics=subjects,
    )


def _habits(rng: Random, *, has_handle: bool) -> tuple[str, ...]:
    """The person's private and public channels in order of liking."""
    weights = {name: weight for name, weight in _HABITS.items() if has_handle or name not in ("social", "community")}
    order: list[str] = []
    while weights and len(order) < 4:
        channel = rng.choices(list(weights), list(weights.values()))[0]
        order.append(channel)
        del weights[channel]
    return tuple(order)
