"""Records come compressed by whatever their producers chose, and go out as the settings say."""

import asyncio

import pytest

from agents.settings import Settings, SettingsError, settings_from
from agents.topic_admin import create_topics
from tests.shell.conftest import eventually
from tests.shell.traffic import assert_exact, event, outputs, produce

CODECS = ("gzip", "snappy", "lz4", "zstd")
CUSTOMERS = 7
EACH = 50


@pytest.mark.timeout(80)
def test_every_codec_is_read(settings: Settings, start_worker):
    """A worker takes interactions compressed by each of Kafka's codecs, each event once, and sets none of them aside."""
    asyncio.run(create_topics(settings))
    worker = start_worker().wait_until_ready()
    for place, codec in enumerate(CODECS):
        records = [event(number, CUSTOMERS) for number in range(place * EACH, (place + 1) * EACH)]
        asyncio.run(produce(settings, "interactions.email", records, codec))
    total = len(CODECS) * EACH
    eventually(lambda: len(outputs(settings)) == total, 30, "all outputs sent")
    assert_exact(settings, range(total), CUSTOMERS)
    assert worker.terminate() == 0


@pytest.mark.timeout(80)
def test_a_codec_may_be_given_up(settings: Settings, start_worker):
    """What one worker has written compressed, the next recovers, whatever it would choose itself."""
    asyncio.run(create_topics(settings))
    first = start_worker(MINDGAP_COMPRESSION="zstd").wait_until_ready()
    asyncio.run(produce(settings, "interactions.email", [event(number, CUSTOMERS) for number in range(EACH)]))
    eventually(lambda: len(outputs(settings)) == EACH, 30, "all outputs sent")
    assert first.terminate() == 0
    second = start_worker(MINDGAP_COMPRESSION="none").wait_until_ready()
    asyncio.run(produce(settings, "interactions.email", [event(number, CUSTOMERS) for number in range(EACH + 10)]))
    eventually(lambda: len(outputs(settings)) == EACH + 10, 30, "the new ones, and none of the first again")
    assert_exact(settings, range(EACH + 10), CUSTOMERS)
    assert second.terminate() == 0


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ({}, "zstd"),
        ({"MINDGAP_BROKER_KIND": "embedded"}, None),
        ({"MINDGAP_COMPRESSION": "none"}, None),
        ({"MINDGAP_COMPRESSION": "lz4"}, "lz4"),
        ({"MINDGAP_COMPRESSION": "zstd", "MINDGAP_BROKER_KIND": "embedded"}, "zstd"),
    ],
)
def test_what_is_chosen(given, chosen):
    """On Apache Kafka zstd, on the embedded broker nothing, unless it is said otherwise."""
    assert settings_from(given).compression_type == chosen


def test_an_unknown_codec():
    """It is refused with the variable's name and what may be said."""
    with pytest.raises(SettingsError, match=r"MINDGAP_COMPRESSION.*'zstd', 'lz4', 'snappy', 'gzip' or 'none'"):
        settings_from({"MINDGAP_COMPRESSION": "brotli"})
