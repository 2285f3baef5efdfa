"""The SBOM names what is locked, and an audit that did not happen is not taken for one that found nothing."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "deploy/requirements.lock").read_text()


@pytest.fixture(scope="module")
def chain():
    """deploy/supply_chain.py, which is no package's."""
    spec = spec_from_file_location("supply_chain", ROOT / "deploy/supply_chain.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sbom_of(packages):
    return {
        "components": [
            {"name": name, "version": version, "externalReferences": [{"hashes": [{"alg": "SHA-256", "content": each} for each in hashes]}]}
            for (name, version), hashes in packages.items()
        ]
    }  # fmt: skip


def test_everything_that_is_locked_has_hashes(chain):
    """The image's lock names its packages with versions and hashes, and an SBOM of all of them has no problems."""
    packages = chain.locked(LOCK)
    assert len(packages) > 30
    assert all(packages.values())
    assert chain.sbom_problems(LOCK, sbom_of(packages)) == []


def test_what_lacks_is_told(chain):
    """A package left out, one added, another version, another hash, and no hash at all."""
    packages = chain.locked(LOCK)
    gone, changed = list(packages)[:2]
    others = {key: value for key, value in packages.items() if key != gone} | {
        changed: {"0" * 64},
        ("extra", "1"): set(),
    }
    assert chain.sbom_problems(LOCK, sbom_of(others)) == sorted(
        [
            f"{gone[0]} {gone[1]}: not in the SBOM",
            f"{changed[0]} {changed[1]}: other hashes",
            "extra 1: not in the lock",
        ]
    )
    assert chain.sbom_problems("a==1\n", sbom_of({("a", "1"): set()})) == ["a 1: locked without a hash"]
    assert chain.sbom_problems("", sbom_of({})) == ["the lock names no packages"]


@pytest.mark.parametrize(
    ("dependencies", "status", "said"),
    [
        ([{"name": "a", "skip_reason": "not found"}], 0, "NOT AUDITED"),
        ([], 0, "NOT AUDITED"),
        ([{"name": "a", "version": "1", "vulns": []}], 0, "1 packages audited, 0 known"),
        ([{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "x"}], 0, "not audited: b"),
        (
            [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}],
            1,
            "a 1: CVE-1; fixed in 2",
        ),
    ],
)
def test_an_audit_says_what_it_is_worth(chain, dependencies, status, said, tmp_path, capsys):
    """Status 1 only for what is known to be vulnerable; that nothing was looked at is said in capitals."""
    report = tmp_path / "audit.json"
    report.write_text(json.dumps({"dependencies": dependencies}))
    assert chain.main(["audit", str(report)]) == status
    assert said in capsys.readouterr().out
