"""The search form: the engine reads what it sends, and every error is shown at its field."""

from __future__ import annotations

from typing import Any

import pytest

from engine.config.search import SearchConfig
from engine.errors import ConfigError, FieldError
from engine.registry import ALGORITHMS, DATASETS, ESTIMATORS, SPACES
from searches.examples import EXAMPLES
from searches.forms.search import SearchForm
from searches.models import Dataset, Table
from tests.searches.factories import make_user

pytestmark = pytest.mark.django_db
EVERY_FIELD = {
    "name": "all of it",
    "space": {"kind": "nasbench201", "form": "edge", "channels": 8, "cells": 2},
    "dataset": {"kind": "torchvision", "name": "cifar100", "download": True, "resolution": 24, "fit": "crop"},
    "algorithm": {"kind": "layernas", "buckets": 7, "select": "random"},
    "estimator": {"kind": "short_training", "epochs": 3, "learning_rate": 0.02},
    "objective": {
        "cost_metric": "params_m",
        "lo": 0.1,
        "hi": 2.5,
        "constraints": [
            {"metric": "madds_m", "lo": None, "hi": 40.0},
            {"metric": "activation_mb", "lo": 0.5, "hi": 9.0},
        ],
    },
    "budget": {"evaluations": None, "seconds": 90.5},
    "round_size": 4,
    "seed": 12,
}


def posted(document: dict[str, Any], **changes: str) -> dict[str, str]:
    """Return what a browser sends for a form filled with ``document``: the fields of the chosen kinds, as text."""
    form = SearchForm(make_user(), document=document)
    data = {}
    for bound in form:
        parts = bound.name.split(".")
        if f"{parts[0]}.kind" in form.fields and len(parts) > 2 and parts[1] != form.chosen(parts[0]):
            continue
        value = bound.value()
        if value is True:
            data[bound.name] = "on"
        elif value is not False:
            data[bound.name] = "" if value is None else str(value)
    return data | changes


@pytest.mark.parametrize("document", [*(e.config for e in EXAMPLES), EVERY_FIELD], ids=lambda d: d["name"])
def test_an_untouched_form_sends_the_document_it_was_filled_with(document: dict[str, Any]) -> None:
    form = SearchForm(make_user(), posted(document))
    assert form.is_valid(), form.errors
    assert form.config == SearchConfig.parse(document)


def test_a_new_rule_is_offered_only_where_no_document_says_otherwise() -> None:
    """A stored document without the option means the old rule, also after it was opened in the form."""
    named = dict(EVERY_FIELD, algorithm={"kind": "layernas"})
    assert SearchForm(make_user(), document=named)["algorithm.layernas.completion"].value() == "default"
    other = dict(EVERY_FIELD, algorithm={"kind": "random"})
    assert SearchForm(make_user(), document=other)["algorithm.layernas.completion"].value() == "scaled"
    assert SearchForm(make_user())["algorithm.layernas.completion"].value() == "scaled"


def test_every_option_of_every_kind_has_a_field_with_a_label() -> None:
    form = SearchForm(make_user())
    for key, kinds in {"space": SPACES, "dataset": DATASETS, "algorithm": ALGORITHMS, "estimator": ESTIMATORS}.items():
        offered = [value for value, _ in form.fields[f"{key}.kind"].choices]
        assert set(kinds) <= set(offered)
        for kind, entry in kinds.items():
            for name in set(entry.options.model_fields) - {"kind"}:
                assert form.fields[f"{key}.{kind}.{name}"].label


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"budget.evaluations": "0"}, "budget.evaluations", "Give 1 or more."),
        ({"budget.evaluations": "", "budget.seconds": ""}, "budget.evaluations", "Give a number"),
        ({"budget.evaluations": "many"}, "budget.evaluations", "whole number"),
        ({"objective.lo": "9", "objective.hi": "3"}, "objective.hi", "above the upper limit"),
        ({"algorithm.layernas.buckets": ""}, "algorithm.layernas.buckets", "required"),
        ({"algorithm.layernas.buckets": "99999"}, "algorithm.layernas.buckets", "10000"),
        ({"dataset.digits.valid_share": "0.95"}, "dataset.digits.valid_share", "Hold out at most 0.9"),
        ({"dataset.kind": ""}, "dataset.kind", "choose the data"),
        ({"estimator.mote.profile": "quick"}, "estimator.mote.profile", "valid choice"),
        ({"objective.constraints.0.hi": "3"}, "objective.constraints.0.metric", "required"),
        (
            {
                "objective.constraints.0.metric": "params_m",
                "objective.constraints.0.lo": "5",
                "objective.constraints.0.hi": "3",
            },
            "objective.constraints.0.hi",
            "above the upper limit",
        ),
    ],
)
def test_a_complaint_stands_at_its_field_and_what_was_typed_is_kept(
    changes: dict[str, str], field: str, words: str
) -> None:
    form = SearchForm(make_user(), posted(EXAMPLES[0].config, **changes))
    assert not form.is_valid()
    defaults = [form[f"dataset.folders.{name}"].value() for name in ("valid_share", "split_seed")]
    assert defaults == ["0.2", "0"], "kinds that were not sent keep theirs"
    assert list(form.errors) == [field]
    assert words in form.errors[field][0]
    assert form.config is None
    for name, typed in changes.items():
        assert form[name].value() == typed


@pytest.mark.parametrize("text", ["layers: [", "layers:\n\t- x"])
def test_a_malformed_definition_is_said_at_the_definition(text: str) -> None:
    chain = next(e.config for e in EXAMPLES if e.config["space"]["kind"] == "chain")
    form = SearchForm(make_user(), posted(chain, **{"space.chain.definition": text}))
    assert not form.is_valid()
    assert "malformed at line" in form.errors["space.chain.definition"][0]


def test_the_services_complaints_find_their_field_however_deep_the_path() -> None:
    chain = next(e.config for e in EXAMPLES if e.config["space"]["kind"] == "chain")
    form = SearchForm(make_user(), posted(chain))
    assert form.is_valid()
    paths = ("space.definition.layers.0.options", "objective.hi", "dataset", "nowhere.at.all")
    form.add_errors(ConfigError([FieldError(path, "is wrong") for path in paths]))
    assert form.errors["space.chain.definition"] == ["layers.0.options: Is wrong"]
    assert form.errors["objective.hi"] == ["Is wrong"]
    assert form.errors["dataset.kind"] == ["Is wrong"]
    assert form.non_field_errors() == ["nowhere.at.all: Is wrong"]


@pytest.mark.parametrize(
    ("path", "field", "rest"),
    [
        ("seed", "seed", ""),
        ("space.cells", "space.nasbench201.cells", ""),
        ("space.cells.0", "space.nasbench201.cells", "0"),
        ("space.unheard.of", "space.kind", "unheard.of"),
        ("final", "final.kind", ""),
        ("final.count", "final.count", ""),
        ("final.estimator", "final.kind", ""),
        ("final.estimator.kind", "final.kind", ""),
        ("final.estimator.epochs", "final.short_training.epochs", ""),
        ("objective", "objective.hi", ""),
        ("objective.constraints", "objective.hi", "constraints"),
        ("objective.constraints.1", "objective.constraints.1.hi", ""),
        ("objective.constraints.1.lo", "objective.constraints.1.lo", ""),
        ("objective.constraints.9.lo", "objective.hi", "constraints.9.lo"),
        ("budget", "budget.evaluations", ""),
        ("unheard.of", None, "unheard.of"),
    ],
)
def test_a_path_finds_the_nearest_field(path: str, field: str | None, rest: str) -> None:
    final = {"estimator": {"kind": "short_training", "epochs": 9}, "count": 3, "share": 0.2}
    form = SearchForm(make_user(), posted({**EVERY_FIELD, "budget": {"evaluations": 40}, "final": final}))
    assert form.is_valid(), form.errors
    assert form.config is not None
    assert form.config.final is not None
    assert form.place(path) == (field, rest)


def test_options_of_kinds_that_are_not_chosen_do_not_matter() -> None:
    changes = {"estimator.short_training.epochs": "lots", "space.chain.definition": "]["}
    form = SearchForm(make_user(), posted(EXAMPLES[0].config, **changes))
    assert form.is_valid(), form.errors


def test_only_the_users_own_rows_are_offered() -> None:
    mine = make_user()
    other = make_user()
    Dataset.objects.create(owner=other, name="theirs")
    own = Dataset.objects.create(owner=mine, name="flowers")
    Table.objects.create(owner=mine, name="bench", filename="1.csv", columns=[{"name": "valid", "type": "double"}])
    form = SearchForm(mine)
    assert form.fields["dataset.upload.id"].choices == [("", "none"), (own.pk, "flowers")]
    assert [label for _, label in form.fields["estimator.table.table"].choices] == ["none", "bench"]
    assert form.columns == ["valid"]


def test_the_page_knows_which_estimates_need_no_images() -> None:
    form = SearchForm(make_user(), document=EXAMPLES[0].config)
    needless = {kind for kind, entry in ESTIMATORS.items() if not entry.options.needs_images}
    listed = form.fields["estimator.kind"].widget.attrs["data-without-images"].split()
    assert (set(listed), "data-without-images" in form.fields["space.kind"].widget.attrs) == (needless, False)
