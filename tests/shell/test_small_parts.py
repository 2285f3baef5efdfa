"""Partitioner, table of topics, dead letters, settings, clock and lease."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.clock import ScaledClock, WallClock, clock_from
from agents.lease import Lease
from agents.settings import SettingsError, settings_from
from schemas.dead_letter import validate_dead_letter
from schemas.times import HOUR
from topics.dead_letter import Refused, encode, original
from topics.partitioner import murmur2, partition_of
from topics.table import CHANGELOGS, CO_PARTITIONED, TOPICS, logical, physical

VECTORS = {  # Utils.murmur2 of Kafka's Java client, from its own test
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


@pytest.mark.parametrize(("key", "expected"), VECTORS.items())
def test_murmur2_is_kafkas(key, expected):
    """The hash is the one of Kafka's Java client."""
    assert murmur2(key.encode()) == expected % 2**32


@given(st.binary(max_size=60), st.integers(1, 64))
def test_partition_is_that_of_the_client_library(key, partitions):
    """Keys go where aiokafka's default partitioner sends them."""
    from aiokafka.partitioner import DefaultPartitioner

    everywhere = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, everywhere, everywhere)


def test_names_and_prefix():
    """A prefix goes before every name and comes off again; foreign names are refused."""
    for name in TOPICS:
        assert logical("city.", physical("city.", name)) == name
        assert len(physical("x" * 100, name)) <= 249
    with pytest.raises(KeyError):
        logical("city.", "interactions.chat")
    with pytest.raises(KeyError):
        physical("city.", "unknown")


def test_read_side_by_side():
    """What is read side by side has the same number of partitions as the tables."""
    together = [*CO_PARTITIONED, *CHANGELOGS.values()]
    assert {TOPICS[name].partitions(12) for name in together} == {12}
    assert all(TOPICS[name].cleanup == "compact" for name in CHANGELOGS.values())


@given(
    st.none() | st.binary(max_size=40),
    st.none() | st.binary(max_size=200) | st.text(max_size=80).map(str.encode),
    st.lists(st.tuples(st.text(max_size=10), st.none() | st.binary(max_size=20)), max_size=3),
)
def test_dead_letter_keeps_every_byte(key, value, headers):
    """The original record comes out of its dead letter byte for byte, and the letter is as described."""
    letter = encode(Refused(key, value, tuple(headers), "interactions.chat", 3, 7, "schema", "kind: no", 1_000))
    assert original(letter) == (key, value, headers)
    validate_dead_letter(json.loads(letter))


@pytest.mark.parametrize(
    "junk",
    [b"{}", b"[]", b"null", b'{"key":1}', b"{", b'{"key":null,"value":"*","value_encoding":"base64","headers":[]}'],
)
def test_what_is_no_dead_letter(junk):
    """Anything else is refused with a ValueError."""
    with pytest.raises(ValueError):
        original(junk)


def test_settings_from_the_environment():
    """Variables are read by name, options go before them, `kafka://` is accepted."""
    settings = settings_from(
        {"MINDGAP_BROKER": "kafka://a:9092;b:9093", "MINDGAP_PARTITIONS": "4", "MINDGAP_TOPIC_PREFIX": "city."},
        partitions=6,
    )
    assert settings.broker == "a:9092,b:9093"
    assert settings.partitions == 6
    assert settings.app_id == "city.mindgap"
    assert (settings.session_timeout_s, settings.heartbeat_s) == (30.0, 3.0)


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"MINDGAP_BROKER": "nowhere"}, "MINDGAP_BROKER"),
        ({"MINDGAP_PARTITIONS": "many"}, "MINDGAP_PARTITIONS"),
        ({"MINDGAP_ENV": "production", "MINDGAP_BROKER_KIND": "embedded"}, "MINDGAP_BROKER_KIND"),
        ({"MINDGAP_SECURITY_PROTOCOL": "SASL_SSL"}, "MINDGAP_SASL_USERNAME"),
        ({"MINDGAP_TOPIC_PREFIX": "a b"}, "MINDGAP_TOPIC_PREFIX"),
    ],
)
def test_settings_that_cannot_be_used(environment, named):
    """The message names the variable, and never quotes a secret."""
    with pytest.raises(SettingsError, match=named):
        settings_from({**environment, "MINDGAP_SASL_PASSWORD": "s3cret"})


def test_password_is_not_shown():
    """A password does not appear where settings are printed."""
    assert "s3cret" not in repr(settings_from({"MINDGAP_SASL_PASSWORD": "s3cret"}))


def test_scaled_clock_is_shared(monkeypatch):
    """Another process gets the same virtual time from the environment."""
    wall = iter([1_000_000, 1_060_000, 1_060_000])
    monkeypatch.setattr(WallClock, "now", lambda self: next(wall))
    clock = ScaledClock(start=5_000, speed=60.0)
    other = clock_from(clock.environment())
    assert clock.now() == other.now() == 5_000 + HOUR
    assert clock.wall_seconds(HOUR) == 60.0


def test_clocks_from_the_environment():
    """Without a start it is the wall clock; a clock that does not run forwards is refused."""
    assert isinstance(clock_from({}), WallClock)
    assert clock_from({"MINDGAP_CLOCK_START": "2026-06-08T13:00:00Z"}).speed == 1
    with pytest.raises(ValueError, match="MINDGAP_CLOCK_SPEED"):
        clock_from({"MINDGAP_CLOCK_START": "0", "MINDGAP_CLOCK_SPEED": "-1"})


async def test_lease_ends_with_the_session():
    """The lease runs out a session after the last success was asked for, and a failed heartbeat does not renew it."""
    now = 0.0
    lease = Lease(6.0, lambda: now)
    answers = iter([True, False])

    async def heartbeat() -> bool:
        nonlocal now
        now += 2.0
        return next(answers)

    beat = lease.renewed_by(heartbeat)
    now = 5.9
    assert lease.is_valid()
    assert await beat()  # sent at 5.9, answered at 7.9
    now = 11.8
    assert lease.is_valid()
    assert not await beat()
    assert not lease.is_valid()


def test_importing_the_cli_stays_light():
    """The table of topics and the partitioner need no Kafka client."""
    import subprocess

    code = "import sys, topics.table, topics.partitioner; print('aiokafka' in sys.modules or 'faust' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "False"
