"""Rows that tests of several files begin with; a file with a fixture of the same name has its own."""

from __future__ import annotations

import pytest

from searches.models import Evaluation, Search
from searches.services import advancing, scoring
from tests.searches.driving import start, training_config, waiting


@pytest.fixture
def search() -> Search:
    """A search whose first round of three waits."""
    search = start(training_config())
    advancing.advance(search.pk)
    search.refresh_from_db()
    return search


@pytest.fixture
def leased(search: Search) -> Evaluation:
    """Its first evaluation, leased by this process."""
    evaluation = scoring.lease(waiting(search)[0])
    assert evaluation is not None
    return evaluation
