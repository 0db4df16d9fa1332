"""`manage.py study ...`: studies from the command line, with the same services as pages and API."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from engine.config.documents import read_yaml
from engine.config.study import ABLATIONS, StudyConfig
from engine.errors import ConfigError, EngineError
from searches.management.commands.search import complaints, owner_named, text_of
from searches.models import Search, Study
from searches.selectors import studies as selector
from searches.services import ablations, dispatching, studies
from searches.services.errors import ActionRefused

WAIT_SECONDS = 1.0


class Command(BaseCommand):
    """The command, with one subcommand for each action."""

    help = "Starts, lists, shows and cancels studies of estimates."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        common = argparse.ArgumentParser(add_help=False)
        common.add_argument("--owner", default="owner", metavar="USER", help="whose (default: the local owner)")
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", parents=[common], help="start a study from a YAML or JSON file")
        create.add_argument("-c", "--config", required=True, type=Path, metavar="FILE", help="- reads standard input")
        ahead = actions.add_parser(
            "forecast", parents=[common], help="the time that a study will roughly take; starts nothing"
        )
        ahead.add_argument("-c", "--config", required=True, type=Path, metavar="FILE", help="- reads standard input")
        for parser in (create, ahead):
            parser.add_argument(
                "--compare",
                action="append",
                default=[],
                choices=sorted(ABLATIONS),
                help="adds arms that answer this question about MOTE to the file's; may be given several times",
            )
        create.add_argument("--wait", action="store_true", help="stay until it has ended, then print its figures")
        actions.add_parser("list", parents=[common], help="all studies, newest first")
        for name, text in (("show", "figures found so far"), ("cancel", "end all arms")):
            shown = actions.add_parser(name, parents=[common], help=text)
            shown.add_argument("id", type=int)
            if name == "show":
                shown.add_argument("--json", action="store_true", help="everything, as the API returns it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one action; a refusal ends the command with a sentence."""
        try:
            getattr(self, options["action"])(owner_named(options["owner"]), options)
        except (ActionRefused, EngineError) as error:
            raise CommandError(complaints(error)) from error

    def create(self, owner: Any, options: dict[str, Any]) -> None:
        """Start a study and print its number; with ``--wait``, print its figures when it has ended."""
        study = studies.create(owner, config_of(options), local_files=True)
        self.stdout.write(str(study.pk))
        if not options["wait"]:
            return
        if not dispatching.alive_workers():
            self.stderr.write("No worker is running yet: start nasweb with 'make run'; the study waits for it.")
        shown = ""
        while True:
            study = study_of(owner, study.pk)
            if (line := summary(study)) != shown:
                self.stderr.write(line)
                shown = line
            status = selector.status(study)["status"]
            if status in Search.ENDED:
                break
            time.sleep(WAIT_SECONDS)
        self._figures(study)
        if status != "finished":
            raise CommandError(f"The study is {status}.")

    def forecast(self, owner: Any, options: dict[str, Any]) -> None:
        """Print one line for each arm, then the total."""
        found = ablations.forecast(owner, config_of(options), local_files=True)
        for arm in found["arms"]:
            seconds = "unknown" if arm["seconds"] is None else f"{arm['seconds']:.3g} s"
            self.stdout.write(f"{arm['arm']}: {seconds} a network ({arm['basis']})")
        total = found["total_seconds"]
        shown = "unknown" if total is None else f"about {total:.0f} s with {found['workers']} workers, a forecast"
        self.stdout.write(f"{found['networks']} networks, all arms: {shown}")
        for note in found["notes"]:
            self.stdout.write(note)

    def list(self, owner: Any, options: dict[str, Any]) -> None:
        """Print one line for each study."""
        for study in selector.owned(owner):
            self.stdout.write(summary(study))

    def show(self, owner: Any, options: dict[str, Any]) -> None:
        """Print the figures, or everything as JSON."""
        study = study_of(owner, options["id"])
        if options["json"]:
            self.stdout.write(json.dumps(selector.results(study)))
        else:
            self._figures(study)

    def cancel(self, owner: Any, options: dict[str, Any]) -> None:
        """End all arms that still run."""
        studies.cancel(study_of(owner, options["id"]))
        self.stdout.write(summary(study_of(owner, options["id"])))

    def _figures(self, study: Study) -> None:
        found = selector.results(study)
        self.stdout.write(f"{found['networks']} networks, truth known of {found['truth_known']}")
        for row in found["estimates"]:
            tau = row["tau"]
            shown = f"tau {tau['value']:.3f} [{tau['low']:.3f}, {tau['high']:.3f}]" if tau else "tau unknown"
            if row["constant"]:
                shown += f", {row['constant']}"
            self.stdout.write(f"{row['name']}: {shown}, scored {row['scored']}, {row['seconds']:.3g} s each")


def config_of(options: dict[str, Any]) -> StudyConfig:
    """Return the file's configuration, with the ablations that the command line names."""
    document = read_yaml(text_of(options["config"]), "yaml")
    if not isinstance(document, Mapping):
        raise ConfigError.at("yaml", "The document must be a mapping with the fields space, arms, ...")
    if options["compare"]:
        named = document.get("compare") or []
        document = {**document, "compare": list(dict.fromkeys([*named, *options["compare"]]))}
    return StudyConfig.parse(document)


def study_of(owner: Any, number: int) -> Study:
    """Return the owner's study of that number; CommandError if there is none."""
    study = selector.owned(owner).filter(pk=number).first()
    if study is None:
        raise CommandError(f"{owner.get_username()} has no study {number}: `manage.py study list` shows all.")
    return study


def summary(study: Study) -> str:
    """Return a study in one line."""
    state = selector.status(study)
    return f"{study.pk}  {study.name}  {state['status']}  {state['progress']:.0%} of {len(state['arms'])} arms"
