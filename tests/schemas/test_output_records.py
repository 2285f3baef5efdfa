"""The models of what goes out refuse whatever the contract does not say."""

from collections.abc import Callable
from typing import Any, get_args

import jsonschema
import pytest

from schemas import policy_fields, terms
from schemas.clock import validate_clock
from schemas.codec import loads
from schemas.conflict import validate_conflict
from schemas.customer import validate_customer
from schemas.dead_letter import validate_dead_letter
from schemas.escalation import REQUIRED, Escalation, validate_escalation
from schemas.gap import validate_gap
from schemas.json_schema import document
from schemas.notification import validate_notification
from schemas.policy_patterns import Patterns
from tests.schemas import samples
from topics.dead_letter import Refused, encode

SAMPLES: list[tuple[str, Callable[[], dict[str, Any]], Callable[[dict[str, Any]], None]]] = [
    ("escalation", samples.escalation, validate_escalation),
    ("escalation", samples.history, validate_escalation),
    ("escalation", samples.hotspot, validate_escalation),
    ("escalation", samples.resolved, validate_escalation),
    ("clock", samples.clock, validate_clock),
    ("notification", samples.notification, validate_notification),
    ("gap", samples.gap, validate_gap),
    ("conflict", samples.conflict, validate_conflict),
    ("dead_letter", samples.dead_letter, validate_dead_letter),
    ("customer", samples.customer, validate_customer),
]
IDS = [make.__name__ for _, make, _ in SAMPLES]

FIELDS = (
    "escalation_id revision kind phase patterns metric status change reason merged_into retracted previous severity "
    "level route waiting_on acknowledged_by acknowledged_role time_to_acknowledge_s backfilled provisional flapping customer_id "
    "identities threads timeline issue_id thread topic channel channels public first_contact_at contacts due_at "
    "breached_at since detected_at detection_lag_s evidence clock summary policy_version schema_version runbook"
)


@pytest.mark.parametrize(("name", "make", "validate"), SAMPLES, ids=IDS)
def test_a_whole_record_passes_the_model_and_the_json_schema(name, make, validate):
    """The model and its JSON Schema accept the same whole record."""
    record = make()
    validate(record)
    jsonschema.validate(record, document(name), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(("name", "make", "validate"), SAMPLES, ids=IDS)
def test_an_undescribed_field_is_refused(name, make, validate):
    """A field that is written but not described fails, at the top and inside."""
    record = make()
    with pytest.raises(ValueError, match="surprise"):
        validate(record | {"surprise": 1})
    for key, value in record.items():
        if isinstance(value, dict):
            with pytest.raises(ValueError, match="surprise"):
                validate(record | {key: value | {"surprise": 1}})


@pytest.mark.parametrize(("name", "make", "validate"), SAMPLES, ids=IDS)
def test_a_missing_field_is_refused_by_model_and_schema_alike(name, make, validate):
    """What the JSON Schema requires is what the model requires."""
    checker = jsonschema.Draft202012Validator(document(name))
    for key in make():
        record = {other: value for other, value in make().items() if other != key}
        try:
            validate(record)
        except ValueError:
            accepted = False
        else:
            accepted = True
        if accepted:
            assert checker.is_valid(record), key
        elif key not in {
            "breached_at",
            "reason",
            "retracted",
            "channel",
            "clock",
        }:  # their rules depend on values: the model's alone
            assert not checker.is_valid(record), key


@pytest.mark.parametrize(
    "bad", ["2026-06-08T13:00:00Z", "2026-06-08T15:00:00.000+02:00", "2026-06-08 13:00:00.000Z", 1780923600000]
)
def test_times_go_out_in_one_form_only(bad):
    """UTC with Z and milliseconds, or nothing."""
    with pytest.raises(ValueError, match="detected_at"):
        validate_escalation(samples.escalation() | {"detected_at": bad})


@pytest.mark.parametrize("key", ["thread", "topic", "reason", "breached_at", "acknowledged_by", "clock"])
def test_an_absent_field_is_left_out_and_never_null(key):
    """Null is refused where the contract says that a field is optional."""
    with pytest.raises(ValueError, match=key):
        validate_escalation(samples.escalation() | {key: None})


def test_the_fields_of_an_escalation_stand_in_the_order_of_the_contract():
    """Reading a record from left to right tells the story in the contract's order."""
    assert list(Escalation.model_fields) == FIELDS.split()


@pytest.mark.parametrize(
    ("kind", "make"), [("sla", samples.escalation), ("history", samples.history), ("hotspot", samples.hotspot)]
)
def test_each_kind_has_what_belongs_to_it(kind, make):
    """A record without one of the fields of its kind is refused, by name."""
    for key in REQUIRED[kind]:
        record = {other: value for other, value in make().items() if other != key}
        with pytest.raises(ValueError, match=key):
            validate_escalation(record)


def test_a_paused_clock_leaves_its_escalation_without_a_due_time():
    """Null says that it is paused; every other optional field is left out instead."""
    validate_escalation(samples.escalation() | {"phase": "at_risk", "due_at": None})


def test_an_open_breach_shows_its_clock():
    """The clock is there until the escalation is resolved."""
    for record, fine in ((samples.escalation(), False), (samples.resolved(), True)):
        del record["clock"]
        if fine:
            validate_escalation(record)
        else:
            with pytest.raises(ValueError, match="clock"):
                validate_escalation(record)


@pytest.mark.parametrize(
    "spoil",
    [
        {"revision": 2},
        {"change": "updated"},
        {"status": "resolved"},
        {"reason": "met"},
        {"merged_into": "esc_2"},
        {"status": "acknowledged"},
        {"metric": "promise"},
        {"severity": "fatal"},
        {"level": "0"},
        {"contacts": -1},
        {"detection_lag_s": float("nan")},
        {"evidence": [f"e{n}" for n in range(51)]},
        {"patterns": ["grumpy"]},
        {"schema_version": "2"},
    ],
    ids=lambda spoil: next(iter(spoil)),
)
def test_what_contradicts_the_contract_is_refused(spoil):
    """Status, change, reason and revision agree with one another, and every word is one of the contract's."""
    with pytest.raises(ValueError):
        validate_escalation(samples.escalation() | spoil)


def test_late_evidence_says_that_it_retracts():
    """A resolution by late evidence without `retracted` is refused."""
    record = samples.resolved()
    del record["retracted"]
    with pytest.raises(ValueError, match="retracted"):
        validate_escalation(record)


@pytest.mark.parametrize("value", [b"{", b"\xff", b"", None])
def test_the_envelope_that_is_written_is_the_one_described(value):
    """What `topics.dead_letter` writes passes the model, whatever the bytes were."""
    refused = Refused(
        b"k", value, (("source", b"\xff"), ("empty", None)), "interactions.phone", 0, 7, "schema", "id", 0
    )
    validate_dead_letter(loads(encode(refused)))


def test_the_words_of_the_policy_and_of_the_records_are_the_same():
    """Severities and patterns are one vocabulary, wherever they are written down."""
    assert policy_fields.SEVERITIES == terms.SEVERITIES
    assert set(Patterns.model_fields) == set(terms.PATTERNS)
    assert get_args(policy_fields.Severity) == terms.SEVERITIES
