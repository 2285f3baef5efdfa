"""TLS, SCRAM and ACLs on a real listener: who may not come in does not, and a worker with the least rights works."""

import asyncio

import pytest
from aiokafka.errors import TopicAuthorizationFailedError

from agents.brokers import Cluster, Security, apache_kafka
from agents.brokers.certificates import Authority
from agents.produce import Record, produce
from agents.read_all import read_all
from agents.settings import Settings, settings_from
from agents.topic_admin import TopicError, check_topics, create_topics
from tests.kafka.acls import DESCRIBE, DESCRIBE_CONFIGS, GROUP, READ, TOPIC, WRITE, allow
from tests.kafka.conftest import settings_on
from tests.shell.conftest import eventually
from tests.shell.traffic import event
from topics.table import TOPICS, physical

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(150)]
WORKER = "worker"
SECURITY = Security(
    {"admin": "admin-secret", WORKER: "worker-secret", "nobody": "nobody-secret", "viewer": "viewer-secret"}
)


@pytest.fixture(scope="module")
def secure():
    """One broker with TLS on every listener, users and ACLs."""
    with apache_kafka(security=SECURITY) as cluster:
        yield cluster


@pytest.fixture
def settings(secure: Cluster) -> Settings:
    """The operator's settings, the topics created."""
    found = settings_on(secure)
    asyncio.run(create_topics(found))
    return found


def as_user(settings: Settings, secure: Cluster, user: str) -> Settings:
    return settings_from(secure.environment(user), topic_prefix=settings.topic_prefix, partitions=settings.partitions)


def test_the_operator_sees_the_topics(settings):
    """TLS with our authority, SCRAM-SHA-512: all is as it should be."""
    assert asyncio.run(check_topics(settings)) == ([], [])


def test_a_wrong_password_is_not_let_in(settings):
    """The error names the address, and not the password."""
    wrong = settings_from({}, **{**settings.model_dump(), "sasl_password": "guessed"})
    with pytest.raises(TopicError, match=r"no broker answers at .*") as refused:
        asyncio.run(check_topics(wrong))
    assert "guessed" not in str(refused.value)


def test_a_broker_with_another_authority_is_not_trusted(settings, tmp_path):
    """A client that trusts somebody else does not send its password to this broker."""
    other = Authority(tmp_path).cafile
    with pytest.raises(TopicError):
        asyncio.run(check_topics(settings.model_copy(update={"ssl_cafile": other})))


def test_whoever_has_no_acl_sees_nothing(settings, secure):
    """A user with a right password and no rights is told that every topic is missing."""
    found = asyncio.run(check_topics(as_user(settings, secure, "nobody")))
    assert (len(found.problems), found.remarks) == (len(TOPICS), [])


def test_who_may_not_see_the_configuration_is_told_so(settings, secure):
    """Without DescribeConfigs what is configured is not checked: a remark for all topics, and nothing wrong."""
    for topic in TOPICS:
        asyncio.run(allow(settings, "viewer", TOPIC, physical(settings.topic_prefix, topic), DESCRIBE))
    problems, (remark,) = asyncio.run(check_topics(as_user(settings, secure, "viewer")))
    assert problems == []
    assert f"the configuration of {len(TOPICS)} topics" in remark
    assert "allow DescribeConfigs" in remark


def test_without_a_name_there_is_a_listener_with_tls_alone(settings, secure):
    """It serves, encrypted; what may be done there without a name is what an ACL allows to `ANONYMOUS`: nothing."""
    anonymous = settings_from(
        {}, broker=secure.tls_address, security_protocol="SSL", ssl_cafile=secure.cafile, partitions=settings.partitions
    )
    assert len(asyncio.run(check_topics(anonymous)).problems) == len(TOPICS)


async def give(settings: Settings, user: str) -> None:
    """What a worker needs and no more: see what there is, read inputs, inboxes and state, write all but inputs."""
    for topic in TOPICS.values():
        read = topic.role != "output"
        write = topic.role != "input"
        operations = [DESCRIBE, DESCRIBE_CONFIGS, *([READ] if read else []), *([WRITE] if write else [])]
        await allow(settings, user, TOPIC, physical(settings.topic_prefix, topic.name), *operations)
    await allow(settings, user, GROUP, settings.app_id, READ)


def test_a_worker_with_the_least_rights_works(settings, secure, start_worker):
    """A worker may read inputs and write outputs, and counts what comes; it may not write an input."""
    asyncio.run(give(settings, WORKER))
    worker = start_worker(**secure.environment(WORKER)).wait_until_ready()
    sent = [Record("interactions.email", *event(number, 10)) for number in range(50)]
    asyncio.run(produce(settings, sent))

    async def outputs() -> int:
        return len([record async for record in read_all(settings, "escalations")])

    eventually(lambda: asyncio.run(outputs()) == 50, 30, "all outputs sent")
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(produce(as_user(settings, secure, WORKER), sent[:1]))
    assert worker.terminate() == 0
    assert "secret" not in worker.log.read_text()
