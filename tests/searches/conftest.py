"""Rows for tests of several files; a file's own fixture of the same name replaces one of these."""

from __future__ import annotations

import pytest

from searches.models import Evaluation, Search
from searches.services import advancing, scoring
from tests.searches.driving import start, training_config, waiting


@pytest.fixture
def search() -> Search:
    """A search whose first round, of three networks, waits."""
    search = start(training_config())
    advancing.advance(search.pk)
    search.refresh_from_db()
    return search


@pytest.fixture
def leased(search: Search) -> Evaluation:
    """The search's first evaluation, leased by this process."""
    evaluation = scoring.lease(waiting(search)[0])
    assert evaluation is not None
    return evaluation
