"""A record of the topic `policies`, whatever it holds: a policy, or a refusal; what was in force stays so."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from schemas.policy_problem import PolicyError
from streams.kit import CoreKit
from streams.policy_file import read_policy, read_policy_bytes
from tests.fuzz.core import POLICY, ROOT, examples
from tests.fuzz.garbage import NOW, as_bytes, raws

CONTRACT = read_policy((ROOT / "tests/policy/data/good/contract.yaml").read_text(), "x").to_json()


@given(raw=raws(CONTRACT))
@examples(40)
def test_a_record_is_a_policy_or_refused(raw):
    """Nothing but a ValueError, which the worker takes for a refusal."""
    kit = CoreKit(POLICY)
    try:
        kit.policy(raw, NOW)
    except ValueError:
        assert len(kit.policies.entries) == 1
    assert kit.policies.at(NOW - 1) is POLICY


@given(raw=raws(CONTRACT), more=st.binary(max_size=30))
@examples(40)
def test_a_file_is_a_policy_or_refused(raw, more):
    """Nothing but a PolicyError, from the bytes of a file, JSON or not."""
    for text in (raw, raw + more, more + raw):
        with suppress(PolicyError):
            read_policy_bytes(text, "x")


def test_the_contracts_own_is_taken():
    """What is mutated here is a policy."""
    assert CoreKit(POLICY).policy(as_bytes(CONTRACT), NOW)
