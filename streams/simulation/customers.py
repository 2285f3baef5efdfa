"""How customers behave: where they turn, how long they wait, and when they have had enough."""

from collections.abc import Sequence
from random import Random

from schemas.times import DAY, HOUR, MINUTE, SECOND
from streams.simulation.company import Company
from streams.simulation.desks import PLANS, Ticket
from streams.simulation.people import KIOSK, Person
from streams.simulation.stories import PEER, Story, Thread
from streams.simulation.words import OUTAGE, said, said_by_customer
from streams.simulation.world import World

_WAITS_H = {"email": 26, "web": 26, "app": 18, "messaging": 8, "social": 5, "community": 24, "partner": 40}
"""Hours that a patient customer waits for an answer before doing something about it."""

_TRIES_MAX = 7
_FOLLOWS = 0.74
_PEOPLE_PER_KIOSK = 80

Storm = tuple[str, str]
"""The public thread on which an outage is complained about, and its first contact."""


class Customers:
    """What customers do, story by story."""

    def __init__(self, world: World, rng: Random, people: Sequence[Person], utc_offset: int) -> None:
        self._world, self._rng, self._utc_offset, self._people = world, rng, utc_offset, people
        self.company = Company(world, rng, len(people), utc_offset, self.react)
        self.stories: list[Story] = []
        self._storms: dict[int, Storm] = {}

    def begin(self, person: Person, topic: str, blocked_until: int = 0) -> None:
        """A problem arises for `person`; an outage lasts until `blocked_until`."""
        rng = self._rng
        difficulty = rng.choices(("easy", "medium", "hard"), (0.45, 0.35, 0.2))[0]
        story = Story(self._world, person, topic, difficulty, blocked_until)
        self.stories.append(story)
        self._introduce(person)
        channel = rng.choices(person.habits, (8, 4, 2, 1)[: len(person.habits)])[0]
        if topic == OUTAGE and person.handle and rng.random() < 0.25:  # an outage is talked about
            channel = "social"
        at = self._world.now
        if rng.random() < 0.12 and topic != OUTAGE:  # some try to help themselves first
            where = Thread("", rng.choice(("web", "app")), public=False, first_contact="", last_contact="")
            story.add("self_service_failed", where, topic=topic if rng.random() < 0.5 else None)
            at += int(rng.uniform(2, 240) * MINUTE)
        self._plan(story, channel, at)

    def _introduce(self, person: Person) -> None:
        """The CRM tells what it knows of a customer, once."""
        if person.links:
            return
        known = [("email", person.email), ("phone", person.phone)] if person.known_to_crm else []
        if person.handle and self._rng.random() < 0.55:  # half of the handles are known
            known.append(("handle", person.handle))
        for identity in known:
            self._link(person, identity, "crm")

    def _link(self, person: Person, identity: tuple[str, str], source: str) -> None:
        if identity not in person.links:
            person.links.add(identity)
            self._world.link(identity, ("customer_id", person.customer_id), source)

    def _plan(self, story: Story, channel: str, at: int, thread: Thread | None = None) -> None:
        """Make contact at `at`, or when people are awake and the desk is open, unless something happens before."""
        turn = story.turn = story.turn + 1
        when = self._awake(at)
        plan = PLANS[channel]
        if plan.live:
            opening = self.company.desks[channel].next_open(when)
            when = opening + int(self._rng.uniform(0, 8) * HOUR) if opening > when else when
        self._world.later(when, lambda: self._contact(story, channel, thread, turn))

    def _awake(self, at: int) -> int:
        day, within = divmod(at + self._utc_offset, DAY)
        if within < 7 * HOUR:
            within = 7 * HOUR + int(self._rng.uniform(0, 3) * HOUR)
        elif within > 23 * HOUR:
            day, within = day + 1, 7 * HOUR + int(self._rng.uniform(0, 3) * HOUR)
        return day * DAY + within - self._utc_offset

    def _contact(self, story: Story, channel: str, thread: Thread | None, turn: int) -> None:
        if story.turn != turn or story.over:
            return
        story.turn += 1
        story.tries += 1
        plan = PLANS[channel]
        text = said_by_customer(self._rng, story.topic, again=story.tries > 1, public=plan.public)
        if thread is None or plan.live:
            thread = Thread(self._thread_id(story, channel), channel, plan.public, "", "")
            thread.kiosk = self._kiosk(channel)
            story.threads.append(thread)
        data: dict[str, object] = {}
        if plan.public and story.person.reach > 500:  # a source tells reach where there is any
            data["reach"] = story.person.reach
        if plan.live and channel != "in_person":
            data["queued"] = True
        storm = self._storms.get(story.blocked_until) if channel == "social" else None
        first = storm[1] if storm and storm[0] == thread.id and not thread.contacts else None
        signed_in = channel == "chat" or self._rng.random() < 0.25  # recognised by the system
        event = story.add("contact", thread, text=text, data=data or None, signed_in=signed_in, reply_to=first)
        thread.contacts += 1
        thread.first_contact = thread.first_contact or event
        thread.last_contact = event
        if story.topic == OUTAGE and channel == "social":
            self._storms.setdefault(story.blocked_until, (thread.id, event))
        self._wait(story, thread)

    def _kiosk(self, channel: str) -> str | None:
        if channel != "phone" or self._rng.random() >= self._world.untidy.kiosks:
            return None
        return f"{KIOSK}{self._rng.randrange(len(self._people) // _PEOPLE_PER_KIOSK + 1) % 10_000:04d}"

    def _thread_id(self, story: Story, channel: str) -> str:
        storm = self._storms.get(story.blocked_until) if channel == "social" and story.topic == OUTAGE else None
        if storm and self._rng.random() < 0.75:  # most join the thread that is there
            return storm[0]
        return self._world.next_id(PLANS[channel].source)

    def _wait(self, story: Story, thread: Thread) -> None:
        self.company.queue(story, thread)
        rng, turn, now = self._rng, story.turn, self._world.now
        if PLANS[thread.channel].live:
            ticket = thread.ticket
            hold = int((15 + 100 * story.person.patience) * rng.uniform(0.5, 1.3) * MINUTE)
            self._world.later(now + hold, lambda: self._hang_up(story, thread, ticket))
        else:
            hours = _WAITS_H[thread.channel] * (0.25 + story.person.patience) * rng.uniform(0.6, 1.4)
            self._world.later(now + int(hours * HOUR), lambda: self._impatient(story, thread, turn))
        if thread.channel == "community" and rng.random() < 0.5:  # peers help each other
            self._world.later(now + int(rng.uniform(0.3, 6) * HOUR), lambda: self._peer(story, thread))

    def _peer(self, story: Story, thread: Thread) -> None:
        helper = self._rng.choice(self._people)
        known = helper is not story.person and self._rng.random() < 0.5
        story.add("reply", thread, actor=PEER, text=said(self._rng, "peer"), helper=helper if known else None)

    def _hang_up(self, story: Story, thread: Thread, ticket: Ticket | None) -> None:
        if ticket is None or not ticket.waiting or story.over:
            return
        ticket.waiting = False
        thread.ticket = None
        story.add("abandoned", thread, data={"waited_s": (self._world.now - ticket.joined_at) // SECOND})
        self._turn_elsewhere(story, thread, anger=0.3, after=(0.2, 8))

    def _impatient(self, story: Story, thread: Thread, turn: int) -> None:
        if story.turn == turn and not story.over:
            self._turn_elsewhere(story, thread, anger=0.25, after=(0, 0.5))

    def react(self, story: Story, thread: Thread, outcome: str) -> None:
        """What a customer does after an answer."""
        rng, now = self._rng, self._world.now
        story.turn += 1
        if outcome == "fix":
            self._judge(story, thread)
        elif outcome in ("deflect", "handoff"):
            story.anger += 0.25 if outcome == "deflect" else 0
            self._follow(story, thread, outcome)
        elif outcome == "ask" and rng.random() < 0.85:  # most send what was asked for
            self._plan(story, thread.channel, now + int(rng.uniform(0.3, 20) * HOUR), thread)
        elif outcome == "shrug" and thread.public and rng.random() < 0.75:  # and so they argue
            self._plan(story, thread.channel, now + int(rng.uniform(0.05, 1) * HOUR), thread)
        elif outcome == "promise":
            turn = story.turn
            wait = int(rng.uniform(24, 60) * HOUR)
            self._world.later(now + wait, lambda: self._impatient(story, thread, turn))
        elif outcome == "canned" and rng.random() < 0.6:  # most write back
            story.anger += 0.2
            self._plan(story, thread.channel, now + int(rng.uniform(0.5, 12) * HOUR), thread)
        elif outcome != "compensate" or rng.random() < 0.75:  # the rest make do with the voucher
            self._turn_elsewhere(story, thread, anger=0.2, after=(4, 40))

    def _judge(self, story: Story, thread: Thread) -> None:
        rng, now = self._rng, self._world.now
        if rng.random() < {"easy": 0.94, "medium": 0.86, "hard": 0.68}[story.difficulty]:
            story.over = True
            if rng.random() < 0.15:  # a few say so
                self._world.later(now + int(rng.uniform(0.1, 3) * HOUR), lambda: self._thank(story, thread))
            return
        story.anger += 0.2
        again = thread if rng.random() < 0.6 else None  # most go back to the same thread
        channel = thread.channel if again else rng.choice(story.person.habits)
        self._plan(story, channel, now + int(rng.uniform(5, 70) * HOUR), again)

    def _thank(self, story: Story, thread: Thread) -> None:
        if self._rng.random() < 0.5:
            story.add("confirmed", thread, text=said(self._rng, "thanks"))
        else:
            story.add("feedback", thread, data={"score": self._rng.randint(3, 5)})

    def _follow(self, story: Story, thread: Thread, outcome: str) -> None:
        rng, now = self._rng, self._world.now
        target = str(story.happenings[-1].data["to"])
        if rng.random() > _FOLLOWS:
            self._turn_elsewhere(story, thread, anger=0.1, after=(10, 60))
            return
        if outcome == "handoff":
            story.vip = True
            handle = story.person.handle
            if handle and rng.random() < 0.8:  # the staff ask who is writing
                self._identify(story.person, handle)
        self._plan(story, target, now + int(rng.uniform(0.05, 3) * HOUR))

    def _identify(self, person: Person, handle: str) -> None:
        """The staff note whose handle it is; now and then they pick the wrong customer, and notice later."""
        rng, world, identity = self._rng, self._world, ("handle", handle)
        other = rng.choice(self._people)
        if other is person or identity in person.links or rng.random() >= world.untidy.mistaken:
            self._link(person, identity, "support")
            return
        wrong = ("customer_id", other.customer_id)
        world.link(identity, wrong, "support")
        person.mistaken += 1
        other.mistaken += 1

        def correct() -> None:
            world.link(identity, wrong, "support", action="unlink")
            person.mistaken -= 1
            other.mistaken -= 1
            world.later(world.now + MINUTE, put_right)

        def put_right() -> None:
            person.links.discard(identity)  # said while the wrong link stood, it was refused
            self._link(person, identity, "support")

        world.later(world.now + int(rng.uniform(1, 30) * HOUR), correct)

    def _turn_elsewhere(self, story: Story, thread: Thread, *, anger: float, after: tuple[float, float]) -> None:
        """Enough waited: ask again, try another channel, go public, or give up."""
        rng, person = self._rng, story.person
        story.anger += anger
        at = self._world.now + int(rng.uniform(*after) * HOUR)
        if story.tries >= _TRIES_MAX or rng.random() < 0.06:  # some give up
            story.turn += 1
            return
        public = [name for name in ("social", "community") if person.handle]
        rage = story.anger * (0.25 + person.temper)
        if public and not thread.public and rng.random() < rage:
            self._plan(story, rng.choices(public, (9, 1))[0], at)
        elif rng.random() < 0.35:  # about a third ask again where they asked before
            self._plan(story, thread.channel, at, thread)
        else:
            others = [name for name in person.habits if name != thread.channel]
            self._plan(story, rng.choice(others), at)

    def praise(self, person: Person) -> None:
        """A kind word out of nothing: no contact, no issue."""
        channel = "social" if person.handle and self._rng.random() < 0.6 else "email"
        story = Story(self._world, person, "praise", "easy", over=True)
        thread = Thread(self._world.next_id(PLANS[channel].source), channel, PLANS[channel].public, "", "")
        story.add("feedback", thread, text=said(self._rng, "praise"), data={"score": 5})
