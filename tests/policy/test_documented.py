"""The policies that docs/policy.md shows are policies, and do what is said of them."""

import re
from pathlib import Path

from schemas.policy_when import EscalationWhen
from streams.policy_file import read_policy
from streams.policy_remarks import remarks, warnings

PAGE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text()
SHOWN = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SHIPPED = sorted((Path(__file__).parents[2] / "deploy" / "policy").glob("*.yaml"))


def test_what_is_shown_passes_the_check():
    """Each block is a document of its own; only the one that switches paging off warns."""
    documents = [read_policy(text, "docs/policy.md", routable=True) for text in SHOWN]
    assert [list(warnings(document)) for document in documents] == [
        [],
        ["notify.paging is off (the pager is being moved): nobody is paged while this policy is in force"],
    ]


def test_what_is_shipped_leaves_nobody_out():
    """Every policy to start from passes the check as it is, without a row that nothing reaches."""
    for path in SHIPPED:
        document = read_policy(path.read_text(), path.name, routable=True)
        assert not [remark for remark in remarks(document) if "never used" in remark]


def test_every_condition_is_described():
    """The table names each key that a route can ask for."""
    for name in EscalationWhen.model_fields:
        assert f"`{name}`" in PAGE
