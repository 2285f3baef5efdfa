"""A timeline that fails prints its story."""

import pytest

from tests.timelines.timeline import STORIES


@pytest.fixture(autouse=True)
def _fresh_stories():
    STORIES.clear()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Add the stories of a failed test to its report."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and call.when == "call":
        for number, story in enumerate(STORIES, 1):
            report.sections.append((f"story {number}", str(story)))
