"""A policy that is published changes what running workers do."""

import asyncio
import json

from click.testing import CliRunner

from agents.commands.policy import policy
from agents.topic_admin import create_topics
from tests.shell.conftest import eventually
from tests.shell.traffic import everything


def test_a_published_policy_is_on_its_topic(settings, tmp_path):
    """The document as JSON, under its version; one that is not sound is not sent."""
    asyncio.run(create_topics(settings))
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("{version: '7', targets: [{first_response: 1h}]}")
    bad.write_text("{version: '8', targets: [{first_respons: 1h}]}")
    environment = settings.environment()
    sent = CliRunner(env=environment).invoke(policy, ["publish", str(good)])
    assert sent.exit_code == 0, sent.output
    assert CliRunner(env=environment).invoke(policy, ["publish", str(bad)]).exit_code == 1
    eventually(lambda: everything(settings, "policies"), 10, "the policy")
    records = everything(settings, "policies")
    assert [(r.key, json.loads(r.value)["version"]) for r in records] == [(b"7", "7")]


def test_a_broker_that_is_away_is_said(tmp_path):
    """One line with the address, and status 1."""
    good = tmp_path / "good.yaml"
    good.write_text("{version: '7'}")
    failed = CliRunner().invoke(policy, ["publish", "--broker", "127.0.0.1:1", str(good)])
    assert failed.exit_code == 1
    assert "127.0.0.1:1" in failed.output
