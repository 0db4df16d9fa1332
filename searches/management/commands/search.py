"""`manage.py search ...`: searches from the command line, with the same services as pages and API."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from engine.config.search import SearchConfig
from engine.errors import ConfigError, EngineError
from searches.models import Candidate, Search
from searches.selectors import candidate_files, candidates, searches
from searches.services import control, creation, dispatching, export_jobs
from searches.services.errors import ActionRefused
from searches.services.export_jobs import FORMATS

WAIT_SECONDS = 1.0  # between two reads of a search


class Command(BaseCommand):
    """The command, with one subcommand for each action."""

    help = "Creates, lists, shows, stops and exports searches."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        common = argparse.ArgumentParser(add_help=False)
        common.add_argument(
            "--owner", default="owner", metavar="USER", help="whose searches (default: the local owner)"
        )
        actions = parser.add_subparsers(dest="action", required=True)

        create = actions.add_parser("create", parents=[common], help="start a search from a YAML or JSON file")
        create.add_argument(
            "-c", "--config", required=True, type=Path, metavar="FILE", help="the configuration; - reads standard input"
        )
        create.add_argument("--wait", action="store_true", help="stay until the search has ended")

        actions.add_parser("list", parents=[common], help="all searches, newest first")
        for name, text in (
            ("status", "how far a search is"),
            ("stop", "finish what is being scored, then end the search"),
        ):
            actions.add_parser(name, parents=[common], help=text).add_argument("id", type=int)

        export = actions.add_parser("export", parents=[common], help="all candidates, or one network")
        export.add_argument("id", type=int)
        formats = list(dict.fromkeys([*candidate_files.FORMATS, *FORMATS]))
        export.add_argument(
            "--format", choices=formats, default="csv", help="csv, json, parquet: all candidates; else: a network"
        )
        export.add_argument(
            "--candidate", type=int, metavar="NUMBER", help="this candidate's network (default: the best)"
        )
        export.add_argument(
            "--form",
            choices=export_jobs.FORMS,
            default="classifier",
            help="backbone: feature maps at strides 8, 16 and 32 instead of class scores",
        )
        export.add_argument(
            "-o", "--output", type=Path, metavar="FILE", help="where to (default: the file's own name; - prints)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one action; a refusal ends the command with a sentence."""
        try:
            getattr(self, options["action"])(owner_named(options["owner"]), options)
        except (ActionRefused, EngineError) as error:
            raise CommandError(complaints(error)) from error

    def create(self, owner: Any, options: dict[str, Any]) -> None:
        """Start a search and print its number; with ``--wait``, print its progress until it ends."""
        search = creation.create(owner, config_of(options["config"]), local_files=True)
        self.stdout.write(str(search.pk))
        if not options["wait"]:
            return
        shown = ""
        if not dispatching.alive_workers():
            self.stderr.write("No worker is running yet: start nasweb with 'make run'; the search waits for it.")
        while search.is_active or search.status == Search.Status.PAUSED:
            if (line := summary(search)) != shown:
                self.stderr.write(line)
                shown = line
            time.sleep(WAIT_SECONDS)
            search.refresh_from_db()
        self.stderr.write(summary(search))
        if search.status != Search.Status.FINISHED:
            raise CommandError(f"The search is {search.status}: {search.status_reason or 'no reason was recorded'}.")

    def list(self, owner: Any, options: dict[str, Any]) -> None:
        """Print one line for each search."""
        for search in searches.owned(owner).iterator():
            self.stdout.write(summary(search))

    def status(self, owner: Any, options: dict[str, Any]) -> None:
        """Print the state of a search, its best candidate and its latest failures."""
        search = search_of(owner, options["id"])
        self.stdout.write(summary(search))
        if search.best is not None:
            self.stdout.write(
                f"best: candidate {search.best.number}, {search.best.arch}, score {search.best.score:.6g}"
            )
        for failure in searches.failures(search):
            self.stdout.write(f"failed: candidate {failure['number']}, {failure['arch']}: {failure['error']}")

    def stop(self, owner: Any, options: dict[str, Any]) -> None:
        """Ask the search to stop."""
        search = search_of(owner, options["id"])
        control.stop(search)
        search.refresh_from_db()
        self.stdout.write(summary(search))

    def export(self, owner: Any, options: dict[str, Any]) -> None:
        """Write a file and print its name."""
        search = search_of(owner, options["id"])
        kind = options["format"]
        if kind in candidate_files.FORMATS and options["candidate"] is None:
            _, parts = candidate_files.FORMATS[kind]
            name = f"search-{search.pk}.{kind}"
            content = parts(candidates.of_search(search))
        elif kind in FORMATS:
            name, _, whole = export_jobs.export(candidate_of(search, options["candidate"]), kind, options["form"])
            content = iter([whole])
        else:
            raise CommandError(f"One candidate has no {kind}: choose one of {', '.join(FORMATS)}.")
        if str(options["output"]) == "-":
            sys.stdout.buffer.writelines(content)
            return
        path = options["output"] or Path(name)
        try:
            with path.open("wb") as file:
                file.writelines(content)
        except OSError as error:
            raise CommandError(f"Cannot write {path}: {error.strerror}.") from error
        self.stdout.write(str(path))


def owner_named(name: str) -> Any:
    """Return the account of that name; CommandError if there is none."""
    users = get_user_model()
    try:
        return users.objects.get_by_natural_key(name)
    except users.DoesNotExist:
        raise CommandError(f"There is no user '{name}': start nasweb once, or name another with --owner.") from None


def search_of(owner: Any, number: int) -> Search:
    """Return the owner's search of that number; CommandError if there is none."""
    search = searches.owned(owner).filter(pk=number).first()
    if search is None:
        raise CommandError(f"{owner.get_username()} has no search {number}: `manage.py search list` shows all.")
    return search


def candidate_of(search: Search, number: int | None) -> Candidate:
    """Return the candidate of that number, or the search's best one; CommandError if there is none."""
    if number is None:
        if search.best is None:
            raise CommandError(f"Search {search.pk} has no best candidate yet: name one with --candidate.")
        return search.best
    candidate = search.candidates.filter(number=number).first()
    if candidate is None:
        raise CommandError(f"Search {search.pk} has no candidate {number}; it has {search.asked}, numbered from 0.")
    return candidate


def config_of(path: Path) -> SearchConfig:
    """Return the file's configuration; paths of tables in it are relative to the file's folder."""
    return SearchConfig.from_yaml(text_of(path)).beside(path.parent)


def text_of(path: Path) -> str:
    """Return the file's text, or that of standard input for ``-``; CommandError if it cannot be read."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"Cannot read {path}: {getattr(error, 'strerror', None) or 'it is not text'}.") from error


def complaints(error: Exception) -> str:
    """Return one line for each complaint about a configuration, or the sentence of any other error."""
    if not isinstance(error, ConfigError):
        return str(error)
    return "\n".join(f"{item.path}: {item.message}" if item.path else item.message for item in error.errors)


def summary(search: Search) -> str:
    """Return a search in one line."""
    progress = searches.progress(search, None)
    of = f"/{progress.bound}" if progress.bound else ""
    best = f", best {search.best.score:.6g}" if search.best is not None and search.best.score is not None else ""
    return f"{search.pk}  {search.name}  {search.status}  {progress.evaluated}{of} evaluated{best}"
