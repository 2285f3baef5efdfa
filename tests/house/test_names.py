"""The four plain package names are ours, and nobody else's."""

import importlib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.house.command import ROOT

NAMES = ("schemas", "topics", "streams", "agents")


@pytest.mark.parametrize("name", NAMES)
def test_the_name_resolves_inside_the_repository(name):
    """`import agents` is this repository's `agents`, not a package of the same name that pip put there."""
    places = [Path(place).resolve() for place in importlib.import_module(name).__path__]
    assert places == [ROOT / name]


@pytest.mark.parametrize("name", NAMES)
def test_no_other_distribution_owns_the_name(name):
    """Another installed distribution with this top-level name would overwrite ours, or be overwritten, silently."""
    assert set(packages_distributions().get(name, [])) <= {"mindgap"}
