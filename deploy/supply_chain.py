# ruff: noqa: INP001 - a script, no part of a package
"""What the image is made of, checked: `python deploy/supply_chain.py sbom LOCK SBOM`, and `... audit REPORT`.

`make audit` makes both files, with cyclonedx-py and pip-audit in an environment of their own.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def locked(lock: str) -> dict[tuple[str, str], set[str]]:
    """Of each (name, version) of a lock file its SHA-256 hashes."""
    found: dict[tuple[str, str], set[str]] = {}
    current: set[str] = set()
    for line in lock.splitlines():
        pinned = _PINNED.match(line)
        if pinned:
            current = found.setdefault((_plain(pinned[1]), pinned[2]), set())
        current.update(_HASH.findall(line))
    return found


def named(sbom: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    """The same of a CycloneDX document."""
    return {
        (_plain(component["name"]), component["version"]): {
            each["content"]
            for reference in component.get("externalReferences", ())
            for each in reference.get("hashes", ())
            if each["alg"] == "SHA-256"
        }
        for component in sbom["components"]
    }


def sbom_problems(lock: str, sbom: dict[str, Any]) -> list[str]:
    """Where the two differ: packages, versions or hashes; and packages that are locked without any hash."""
    wanted, there = locked(lock), named(sbom)
    lines = [f"{name} {version}: locked without a hash" for (name, version), hashes in wanted.items() if not hashes]
    lines += [f"{name} {version}: not in the SBOM" for name, version in wanted.keys() - there.keys()]
    lines += [f"{name} {version}: not in the lock" for name, version in there.keys() - wanted.keys()]
    lines += [f"{key[0]} {key[1]}: other hashes" for key in wanted.keys() & there.keys() if wanted[key] != there[key]]
    return sorted(lines) if wanted else ["the lock names no packages"]


def audited(report: dict[str, Any]) -> tuple[list[str], list[str], int]:
    """Of a report of pip-audit: what is vulnerable, what was not looked at, and how many packages were."""
    vulnerable, skipped, looked = [], [], 0
    for package in report["dependencies"]:
        if "skip_reason" in package:
            skipped.append(package["name"])
            continue
        looked += 1
        for each in package["vulns"]:
            fixed = ", ".join(each.get("fix_versions", ())) or "no version yet"
            vulnerable.append(f"{package['name']} {package['version']}: {each['id']}; fixed in {fixed}")
    return vulnerable, skipped, looked


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _check_sbom(lock: str, sbom: str) -> int:
    text = Path(lock).read_text(encoding="utf-8")
    found = sbom_problems(text, json.loads(Path(sbom).read_text(encoding="utf-8")))
    for line in found:
        _say(line)
    if not found:
        _say(f"{sbom}: all {len(locked(text))} packages of {lock}, with their hashes")
    return 1 if found else 0


def _tell_audit(report: str) -> int:
    vulnerable, skipped, looked = audited(json.loads(Path(report).read_text(encoding="utf-8")))
    for line in vulnerable:
        _say(line)
    if not looked:
        _say("NOT AUDITED: the vulnerability service tells nothing of any package from here; run this where it answers")
        return 0
    if skipped:
        _say(f"not audited: {', '.join(skipped)}")
    _say(f"{looked} packages audited, {len(vulnerable)} known vulnerabilities")
    return 1 if vulnerable else 0


def main(arguments: list[str]) -> int:
    """The exit status: 1 where something is wrong, 2 for wrong usage. That nothing could be asked is no failure."""
    match arguments:
        case ["sbom", lock, sbom]:
            return _check_sbom(lock, sbom)
        case ["audit", report]:
            return _tell_audit(report)
        case _:
            sys.stderr.write((__doc__ or "") + "\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
