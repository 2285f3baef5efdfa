"""`mindgap forget` against `mindgap worker`: what is left of a customer, and what cannot bring it back."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord
from click.testing import Result
from redis import Redis

from agents.read_all import read_all
from agents.settings import Settings, settings_from
from agents.topic_admin import create_topics
from schemas.codec import loads
from schemas.times import format_time
from tests.commands.conftest import invoke, put, sent, start_worker
from tests.commands.test_live import LIMIT_S, POLICY
from tests.shell.conftest import eventually
from tests.shell.traffic import everything
from topics.table import CHANGELOGS

pytestmark = pytest.mark.timeout(180)

COMPACTED = (*CHANGELOGS.values(), "escalations.current", "identities.links")
KIM = "email:kim@secret.example"
OF_KIM = (b"kim@secret", b"12125550142", b"KimC1", b"kimmy", b"chat:kim", b"kim writes")


class Deployment:
    """Topics, and a worker that can be killed."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self._folder = folder
        self._environment = {**settings.environment(), "MINDGAP_PARTITIONS": "", "MINDGAP_REDIS": ""}
        (folder / "policy.yaml").write_text(POLICY + "channels: {social: {calendar: always, public: true}}\n")
        self.start()

    def start(self) -> None:
        """A worker."""
        self._worker = start_worker(self.settings, self._folder)

    def kill(self) -> None:
        """As kill -9 does."""
        self._worker.kill()
        self._worker.wait(10)

    def run(self, *args: str, **extra: str) -> Result:
        """`mindgap ARGS` here."""
        return invoke(*args, **(self._environment | extra))

    def say(self, id_: str, thread: str, channel: str = "chat", **who: str) -> None:
        """A contact of now, with a text that tells its author."""
        author = "kim" if id_.startswith("k") else "somebody"
        value = {
            "id": id_,
            "occurred_at": format_time(time.time_ns() // 1_000_000),
            "channel": channel,
            "kind": "contact",
            "thread": thread,
            "text": f"{author} writes {id_}",
            "identities": [{"type": kind, "value": name} for kind, name in who.items()],
        }
        key = "{}:{}".format(*next(iter(who.items())))
        put(self.settings, f"interactions.{channel}", (key.encode(), value))

    def records(self, topic: str) -> list[ConsumerRecord]:
        """What stands on a topic, compacted or not."""

        async def read() -> list[ConsumerRecord]:
            return [record async for record in read_all(self.settings, topic)]

        return asyncio.run(read())

    def newest(self, topic: str) -> dict[bytes, bytes]:
        """What compaction leaves of a topic."""
        found: dict[bytes, bytes] = {}
        for record in self.records(topic):
            found.pop(record.key, None)
            if record.value is not None:
                found[record.key] = record.value
        return found

    def of_kim(self) -> list[tuple[str, bytes, bytes]]:
        """Where what compaction leaves of any topic names the one customer, or quotes it."""
        pairs = [(topic, key, value) for topic in COMPACTED for key, value in self.newest(topic).items()]
        return [each for each in pairs if any(trace in each[1] + each[2] for trace in OF_KIM)]

    def breached(self, thread: str) -> None:
        """Wait until an escalation of the thread is."""

        def there() -> bool:
            open_ = [loads(value) for value in self.newest("escalations.current").values()]
            return any(each.get("thread") == thread and each.get("phase") == "breached" for each in open_)

        eventually(there, LIMIT_S, f"a breach on {thread}")

    def card(self, name: str) -> Result:
        """`mindgap customer`."""
        return self.run("customer", name, "--json")


@pytest.fixture(scope="module")
def deployment(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment of this module's own."""
    settings = settings_from(
        {}, broker=broker, broker_kind="embedded", topic_prefix="forget.", partitions=2, session_s=3.0
    )
    asyncio.run(create_topics(settings))
    made = Deployment(settings, tmp_path_factory.mktemp("forget"))
    yield made
    made.kill()


@pytest.fixture
def kim(deployment: Deployment) -> Deployment:
    """Two customers who have met: kim by two threads, a link and a public thread, zoe on that thread, and bob."""
    deployment.say("k1", "chat:kim1", email="kim@secret.example", customer_id="KimC1")
    deployment.say("k2", "chat:kim2", email="kim@secret.example", phone="+12125550142")
    deployment.say("k3", "post:1", "social", email="kim@secret.example")
    deployment.say("z1", "post:1", "social", email="zoe@other.example")
    deployment.say("b1", "chat:bob", email="bob@other.example")
    for pair in ((KIM, "handle:kimmy"), ("email:bob@other.example", "handle:bobby")):
        assert deployment.run("link", *pair).exit_code == 0
    for thread in ("chat:kim1", "chat:kim2", "post:1", "chat:bob"):
        deployment.breached(thread)
    eventually(lambda: b"KimC1" in deployment.card("handle:kimmy").stdout_bytes, LIMIT_S, "the link's effect")
    return deployment


def test_who_is_erased_is_gone_from_every_compacted_topic_and_stays_gone(kim: Deployment, redis: str) -> None:
    """Asked first, then erased and confirmed: state, identities, escalations, links, read model; kill -9 changes nothing."""
    model = {"MINDGAP_REDIS": redis, "MINDGAP_PARTITIONS": str(kim.settings.partitions)}
    assert kim.run("readmodel", "rebuild", **model).exit_code == 0
    shown = kim.run("forget", KIM, "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "6 identities (1 customer_id, 1 email, 1 handle, 1 phone, 2 thread)" in shown.stdout
    assert "3 events, 4 open and 0 resolved escalations, 1 link record" in shown.stdout
    assert not any(trace in shown.stdout_bytes.replace(KIM.encode(), b"") for trace in OF_KIM)
    refused = kim.run("forget", KIM)
    assert (refused.exit_code, "--yes" in refused.stderr) == (2, True)
    assert kim.of_kim()

    done = kim.run("forget", "email:Kim@Secret.example", "--yes")
    assert done.exit_code == 0, done.output
    assert "a crash does not bring it back" in done.stdout
    assert "history of somebody else" not in done.stdout
    assert kim.of_kim() == []
    assert kim.card(KIM).exit_code == kim.card("handle:kimmy").exit_code == 1
    assert list(kim.newest("identities.links")) == [b"email:bob@other.example|handle:bobby"]
    ended = [
        r for r in sent(kim.settings, "escalations") if r.get("thread") == "chat:kim1" and r["status"] == "resolved"
    ]
    assert [(record["reason"], record["customer_id"][:4]) for record in ended] == [("command", "cus_")]
    assert b"bobby" in kim.card("email:bob@other.example").stdout_bytes
    assert b"zoe" in kim.newest("changelog.identities")[b"thread:post:1"]

    kim.kill()
    kim.start()
    kim.say("b2", "chat:bob2", email="bob@other.example")
    kim.breached("chat:bob2")
    assert kim.of_kim() == []
    assert everything(kim.settings, "interactions.dead") == []
    assert kim.run("readmodel", "rebuild", **model).exit_code == 0
    client = Redis.from_url(redis)
    kept = [(key, client.dump(key)) for key in client.scan_iter()]
    client.close()
    assert kept
    assert not [key for key, value in kept if any(trace in key + (value or b"") for trace in OF_KIM)]


def test_an_event_of_later_makes_a_new_customer(kim: Deployment) -> None:
    """Whoever writes again is a customer like any other, who has written once."""
    first = kim.card(KIM)
    assert kim.run("forget", KIM, "--yes").exit_code == 0
    kim.say("k4", "chat:kim4", email="kim@secret.example")
    eventually(lambda: "chat:kim4" in kim.card(KIM).stdout, LIMIT_S, "the new customer")
    new = kim.card(KIM).stdout
    assert loads(new)["customer_id"] != loads(first.stdout)["customer_id"]
    assert not any(old in new for old in ("chat:kim1", "KimC1", "12125550142", "kimmy"))


def test_a_call_that_was_cut_short_is_finished_by_the_next(kim: Deployment) -> None:
    """The message was sent and no more: nobody has the identity, its state still names it, and the same call ends that."""
    put(kim.settings, "identity-inbox", (KIM.encode(), {"t": "forget", "i": KIM}))
    eventually(lambda: KIM.encode() not in kim.newest("changelog.identities"), LIMIT_S, "the pointer gone")
    assert kim.of_kim()
    done = kim.run("forget", KIM, "--yes")
    assert done.exit_code == 0, done.output
    assert "no customer has it; it is named all the same" in done.stdout
    links = [each for each in kim.of_kim() if each[0] != "identities.links"]
    assert links == []
    again = kim.run("forget", KIM, "--yes")
    assert (again.exit_code, "no compacted topic names it" in again.stderr) == (1, True)
