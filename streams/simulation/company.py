"""How the company answers: with a fix, a promise, a voucher, another department, or a form letter."""

from collections.abc import Callable
from random import Random

from schemas.times import HOUR, MINUTE, SECOND, format_time
from streams.simulation.desks import PLANS, Desk
from streams.simulation.stories import BOT, Story, Thread, Who
from streams.simulation.words import said
from streams.simulation.world import World

React = Callable[[Story, Thread, str], None]
"""What a customer does after an answer: given the story, the thread and the outcome."""

_FIXING = {"easy": 1.6, "medium": 1.0, "hard": 0.45}
_TEAMS = ("billing", "technical", "second_line", "complaints", "logistics")
_ELSEWHERE = {
    "phone": ("web", "email"),
    "chat": ("phone", "email"),
    "email": ("web", "phone"),
    "web": ("phone", "chat"),
    "app": ("phone", "web"),
    "messaging": ("phone", "app"),
    "in_person": ("phone", "web"),
    "partner": ("phone", "email"),
}
"""Where the staff of each channel send people whom they cannot help."""

_HAPPENINGS_MAX = 40
"""Events after which a story is put right at last."""
_TALK_MAX = 25 * MINUTE


class Company:
    """The desks and what their staff do. `react` is told of each answer."""

    def __init__(self, world: World, rng: Random, customers: int, utc_offset: int, react: React) -> None:
        self._world, self._rng, self._react = world, rng, react
        self.desks = {channel: Desk(world, rng, plan, customers, utc_offset) for channel, plan in PLANS.items()}

    def queue(self, story: Story, thread: Thread) -> None:
        """A contact waits for an answer on its thread (at most one place in the queue per thread), or gets lost."""
        written = not PLANS[thread.channel].live and not thread.public
        if written and self._rng.random() < self._world.untidy.lost:
            return
        if thread.ticket is None or not thread.ticket.waiting:
            desk = self.desks[thread.channel]
            thread.ticket = desk.join(lambda taken: self._take(taken, story, thread), first=story.vip)
        if desk_acknowledges(thread) and thread.contacts == 1:
            self._world.later(self._world.now + 20 * SECOND, lambda: self._acknowledge(story, thread))

    def _acknowledge(self, story: Story, thread: Thread) -> None:
        story.add("reply", thread, actor=BOT, data={"auto": True}, text=said(self._rng, "auto"))

    def _take(self, desk: Desk, story: Story, thread: Thread) -> int:
        now, waited = self._world.now, thread.ticket
        thread.ticket = None
        if story.over:
            return MINUTE
        busy = desk.work_time()
        if desk.plan.live and waited is not None:
            data = {"waited_s": (now - waited.joined_at) // SECOND} if thread.channel == "phone" else None
            story.add("answered", thread, actor=self._agent(thread), data=data, signed_in=self._rng.random() < 0.7)
            thread.answered = True
        self._world.later(now + (min(busy, _TALK_MAX) if desk.plan.live else busy), lambda: self._answer(story, thread))
        return busy

    def _agent(self, thread: Thread) -> Who:
        return {"type": "agent", "id": f"{thread.channel}-{self._rng.randint(1, 6)}", "team": thread.channel}

    def _answer(self, story: Story, thread: Thread) -> None:
        if story.over:
            return
        self._tidy_up(story, thread)
        outcome = self._outcome(story, thread)
        getattr(self, f"_{outcome}")(story, thread)
        if outcome != "transfer":
            self._react(story, thread, outcome)

    def _tidy_up(self, story: Story, thread: Thread) -> None:
        """Whoever answers a ticket and sees another one open about the same thing, merges that into it."""
        if thread.merged or thread.public:
            return
        other = story.duplicate_of(thread)
        if other is None or other.ticket is None or self._rng.random() >= self._world.untidy.merged:
            return
        other.ticket.waiting, other.ticket, other.merged = False, None, True
        story.add("merge", other, actor=self._agent(thread), data={"into": thread.id})

    def _outcome(self, story: Story, thread: Thread) -> str:
        if story.blocked_until > self._world.now:
            return self._rng.choices(("promise", "shrug", "canned"), (2, 5, 3))[0]
        if len(story.happenings) > _HAPPENINGS_MAX:
            return "fix"
        weights = dict(PLANS[thread.channel].outcomes)
        weights["fix"] *= _FIXING[story.difficulty] * (2.5 if story.vip else 1.0)
        if "transfer" in weights:
            weights["transfer"] *= (1, 2, 2, 1, 0)[min(story.transfers, 4)]
        return self._rng.choices(list(weights), list(weights.values()))[0]

    def _fix(self, story: Story, thread: Thread) -> None:
        if thread.channel != "phone":
            self._say(story, thread, "fix")
        story.solve(thread, self._agent(thread))

    def _shrug(self, story: Story, thread: Thread) -> None:
        if thread.channel == "phone":
            story.add("note", thread, actor=self._agent(thread))
        else:
            self._say(story, thread, "shrug")

    def _canned(self, story: Story, thread: Thread) -> None:
        self._say(story, thread, "canned", canned=True)

    def _ask(self, story: Story, thread: Thread) -> None:
        self._say(story, thread, "ask")
        story.add("status", thread, actor=self._agent(thread), data={"status": "pending"})

    def _compensate(self, story: Story, thread: Thread) -> None:
        self._say(story, thread, "compensate")
        story.add("compensate", thread, actor=self._agent(thread), data={"amount": 10})

    def _deflect(self, story: Story, thread: Thread) -> None:
        target = self._rng.choice(_ELSEWHERE[thread.channel])
        story.add("deflect", thread, actor=self._agent(thread), data={"to": target}, text=said(self._rng, "deflect"))

    def _handoff(self, story: Story, thread: Thread) -> None:
        self._say(story, thread, "handoff")
        story.add("deflect", thread, actor=self._agent(thread), data={"to": "messaging"})

    def _transfer(self, story: Story, thread: Thread) -> None:
        story.transfers += 1
        team = self._rng.choice(_TEAMS)
        story.add("transfer", thread, actor=self._agent(thread), data={"to_team": team})
        wait = int(self._rng.uniform(5, 40) * MINUTE) * (1 if PLANS[thread.channel].live else 10)
        self._world.later(self._world.now + wait, lambda: self._answer(story, thread))

    def _promise(self, story: Story, thread: Thread) -> None:
        due = self._world.now + int(self._rng.choice((3, 6, 24, 36, 48)) * HOUR)
        data = {"due_at": format_time(due), "what": "work done"}
        story.add("promise", thread, actor=self._agent(thread), data=data, text=said(self._rng, "promise"))
        chance = self._rng.random()
        if chance < 0.5:  # half of the promises are kept
            kept = due - int(self._rng.uniform(0.05, 0.4) * (due - self._world.now))
        elif chance < 0.7:  # a fifth are kept too late
            kept = due + int(self._rng.uniform(2, 20) * HOUR)
        else:
            return
        self._world.later(kept, lambda: self._keep(story, thread))

    def _keep(self, story: Story, thread: Thread) -> None:
        if story.over or story.blocked_until > self._world.now:
            return
        story.add("promise_kept", thread, actor=self._agent(thread))
        story.solve(thread, self._agent(thread))
        self._react(story, thread, "fix")

    def close(self, story: Story) -> None:
        """An outage is over: tell everyone who asked, with one text for all."""
        if story.over or not story.threads:
            return
        thread = story.threads[-1]
        self._say(story, thread, "fix", canned=True)
        story.solve(thread, self._agent(thread))
        self._react(story, thread, "fix")

    def _say(self, story: Story, thread: Thread, what: str, *, canned: bool = False) -> None:
        data = {"canned": True} if canned and self._rng.random() >= self._world.untidy.unmarked else None
        signed_in = not thread.public and self._rng.random() < 0.4  # some systems know the customer
        story.add(
            "reply",
            thread,
            actor=self._agent(thread),
            data=data,
            text=said(self._rng, what, form=canned),
            signed_in=signed_in,
        )
        thread.answered = thread.answered or not canned


def desk_acknowledges(thread: Thread) -> bool:
    """True where the channel sends an automatic acknowledgement."""
    return PLANS[thread.channel].acknowledges
