"""Real processes on the embedded broker, with poison in every topic and passwords in the environment: their whole output."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.brokers import embedded_broker
from agents.settings import Settings, settings_from
from agents.topic_admin import create_topics
from schemas.times import format_time
from tests.privacy.marks import SECRET, good, key, lines_with_marks, poison
from tests.shell.conftest import eventually
from tests.shell.traffic import everything, send

pytestmark = pytest.mark.timeout(110)
ROOT = Path(__file__).resolve().parents[2]
SECRETS = {
    "MINDGAP_SASL_USERNAME": "worker",
    "MINDGAP_SASL_PASSWORD": SECRET,
    "MINDGAP_REDIS": f"redis://worker:{SECRET}@127.0.0.1:1/0",
}


@pytest.fixture(scope="module")
def settings():
    """A broker with the topics."""
    with embedded_broker({}) as address:
        found = settings_from({}, broker=address, broker_kind="embedded", partitions=2, session_s=3.0)
        asyncio.run(create_topics(found))
        yield found


def run(settings: Settings, *arguments: str, **environment: str) -> str:
    """What a command says, on both streams; its end is not asked for."""
    done = subprocess.run(
        [sys.executable, "-m", "agents.cli", *arguments],
        env=os.environ | settings.environment() | SECRETS | environment,
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_a_worker_with_poison_in_every_topic(settings, tmp_path):
    """It goes on, sets all of them aside, and its whole output holds no identity, no text and no password."""
    now = format_time(time.time_ns() // 1_000_000)
    sent = poison(now)
    by_topic: dict[str, list[tuple[bytes, bytes]]] = {}
    for topic, of, value in sent:
        by_topic.setdefault(topic, []).append((of, value))
    for topic, records in by_topic.items():
        send(settings, topic, records)
    send(
        settings,
        "policies",
        [(b"p", json.dumps({"version": SECRET, "roles": SECRET}).encode()), (b"q", SECRET.encode())],
    )
    send(
        settings, "interactions.chat", [(key(number), json.dumps(good(number, now)).encode()) for number in range(1, 6)]
    )
    path = tmp_path / "worker.log"
    with path.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "agents.cli", "worker", "--web-port", "0"],
            env=os.environ | settings.environment() | SECRETS, cwd=ROOT, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            eventually(lambda: len(everything(settings, "changelog.customers")) >= 5, 60, "the good records taken")
            eventually(
                lambda: len(everything(settings, "interactions.dead")) >= len(sent) // 2, 30, "the poison set aside"
            )
        finally:
            process.terminate()
            process.wait(20)
    said = path.read_text()
    assert "record_dead_lettered" in said
    assert "record_failed" in said, "the defects were not seen"
    assert "policy_refused" in said
    assert lines_with_marks(said) == []


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("readmodel", "rebuild"), {}),
        (("readmodel", "rebuild"), {"MINDGAP_REDIS": SECRET}),
        (("readmodel", "rebuild"), {"MINDGAP_REDIS": f"rediss://:{SECRET}@127.0.0.1:notaport/0"}),
        (("topics", "check"), {"MINDGAP_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}),
        (("topics", "check"), {"MINDGAP_SECURITY_PROTOCOL": "SASL_SSL", "MINDGAP_SASL_MECHANISM": "PLAIN"}),
        (("worker",), {"MINDGAP_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "MINDGAP_PARTITIONS": "none"}),
        (("worker",), {"MINDGAP_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "MINDGAP_SASL_USERNAME": ""}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "-".join(name.lower() for name in value),
)  # fmt: skip
def test_a_command_that_cannot_connect(settings, arguments, environment):
    """What it says of the part that refuses it holds no password."""
    if arguments == ("topics", "check"):
        environment |= {"MINDGAP_BROKER": "127.0.0.1:1"}
    said = run(settings, *arguments, **environment)
    assert said.strip()
    assert lines_with_marks(said) == []
