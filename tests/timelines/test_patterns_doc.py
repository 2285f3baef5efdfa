"""The examples of docs/patterns.md are true, and no pattern or knob is left out."""

import re
from pathlib import Path
from typing import Any

import pytest

from schemas.policy_patterns import Patterns
from streams.replay import Line
from tests.timelines.timeline import interaction, policy, tell

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "patterns.md").read_text()
SECTIONS = dict(re.findall(r"^## ([a-z_]+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
_LINE = re.compile(r"((?:\d+d )?\d\d:\d\d)\s+(.+)")


def example(section: str) -> tuple[dict[str, str], list[Line], list[str]]:
    """The rule, the events, and what is said."""
    block = re.search(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert block, "no example"
    rule, story, said = {}, [], []
    for line in block[1].splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            name, _, value = line.partition(": ")
            rule[name] = value
        elif found[2].startswith("-> "):
            said.append(f"{found[1]} {found[2][3:]}")
        else:
            story.append(event(found[1], found[2].split()))
    return rule, story, said


def event(at: str, words: list[str]) -> Line:
    channel, kind, *rest = words
    fields: dict[str, Any] = {}
    for part in rest:
        name, _, value = part.partition("=")
        fields[name] = True if value == "true" else int(value) if value.isdigit() else value
    thread = "" if kind == "self_service_failed" else fields.pop("thread", None)
    return interaction(channel, at, kind, thread, **fields)


@pytest.mark.parametrize("pattern", Patterns.model_fields)
def test_the_example_is_true(pattern):
    """The story in a pattern's section says what stands there, at that time, and nothing else."""
    rule, story, said = example(SECTIONS[pattern])
    last = said[-1].partition(" opened")[0] if " opened" in said[-1] else None
    assert tell(policy(patterns={pattern: rule}), *story, until=last).history() == said


@pytest.mark.parametrize("pattern", Patterns.model_fields)
def test_every_knob_is_named(pattern):
    """A pattern's section names each setting of its own, and what it does not do."""
    for knob in set(type(getattr(Patterns(), pattern)).model_fields) - {"severity"}:
        assert f"`{knob}`" in SECTIONS[pattern]
    assert "\nNot: " in SECTIONS[pattern]
