"""How often modules are entered on the way from a request to a queued search: ``python -m tests.trace_creation``.

A module is entered when one of its functions is called while no frame of the module is on the stack. What it calls
through others while it waits for them does not count again. Only Python functions count. The trace is of
`engine.registry`, `engine.config` and `searches.services`, until the row is written; the answer comes after that.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

TRACED = ("engine.registry", "engine.config", "searches.services")
END = ("searches.services.creation", "create")
"""Module and function that have written the row when they return."""


def is_traced(module: str) -> bool:
    """Return whether entries of this module are counted."""
    return any(module == name or module.startswith(f"{name}.") for name in TRACED)


class Trace:
    """Counts of entries by module, and for each entry the function entered and the one that called it."""

    def __init__(self) -> None:
        self.entries: dict[str, list[str]] = {}
        self._depth: Counter[str] = Counter()
        self._ended = False

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of entries of each module, most first."""
        counts = {module: len(found) for module, found in self.entries.items()}
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what this thread calls."""
        before = sys.getprofile()
        sys.setprofile(self._see)
        try:
            yield
        finally:
            sys.setprofile(before)

    def _see(self, frame: FrameType, event: str, _: Any) -> None:
        if event not in ("call", "return"):
            return
        module = frame.f_globals.get("__name__", "")
        if self._ended or not is_traced(module):
            return
        if event == "return":
            self._depth[module] -= 1
            self._ended = not self._depth[module] and (module, frame.f_code.co_name) == END
            return
        self._depth[module] += 1
        if self._depth[module] == 1:
            self.entries.setdefault(module, []).append(f"{frame.f_code.co_qualname} from {_caller(frame)}")


def _caller(frame: FrameType) -> str:
    """Return the nearest function below a frame that is of this project."""
    below = frame.f_back
    while below is not None:
        module = below.f_globals.get("__name__", "")
        if module.partition(".")[0] in ("engine", "searches", "nasweb"):
            return f"{module}.{below.f_code.co_qualname}"
        below = below.f_back
    return "outside"


def by_form(owner: Any, document: Mapping[str, Any]) -> Trace:
    """Create a search by posting the form of the page, as a browser does."""
    from django.test import Client

    from searches.forms.layout import flatten
    from searches.forms.search import SearchForm

    form = SearchForm(owner, document=document)
    posted = {name: value for name, value in flatten(document).items() if value is not None and name in form.fields}
    client = Client()
    client.force_login(owner)
    return _traced(lambda: client.post("/searches/new/", posted), 302)


def by_api(owner: Any, document: Mapping[str, Any]) -> Trace:
    """Create a search by posting its document to the API as JSON."""
    from rest_framework.test import APIClient

    client = APIClient()
    client.force_authenticate(owner)
    return _traced(lambda: client.post("/api/v1/searches/", document, format="json"), 201)


def _traced(post: Callable[[], Any], expected: int) -> Trace:
    from django.urls import get_resolver

    _ = get_resolver().url_patterns  # imports all modules, which is no part of the way
    trace = Trace()
    with trace.running():
        response = post()
    if response.status_code != expected:
        raise AssertionError(f"the search was not created: {response.status_code} {response.content[:2000]!r}")
    return trace


def main() -> None:
    """Print both traces, of a search in a database that is thrown away."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.db import connection, transaction
    from django.test.utils import setup_test_environment

    from searches.examples import EXAMPLES
    from tests.searches.factories import make_user

    setup_test_environment()
    connection.creation.create_test_db(verbosity=0)
    document = dict(EXAMPLES[0].config)
    with transaction.atomic():
        owners = [make_user(), make_user()]
        for way, owner in zip((by_form, by_api), owners, strict=True):
            trace = way(owner, document)
            print(f"{way.__name__}:")
            for module, count in trace.counts.items():
                print(f"  {count}  {module}")
                for entry in trace.entries[module]:
                    print(f"       {entry}")
        transaction.set_rollback(True)
    connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


if __name__ == "__main__":
    main()
