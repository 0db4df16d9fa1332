"""The three forms that ask for a search space and data offer the same spaces and the same data, the user's own too."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from engine.config.datasets import DatasetOptions
from engine.registry import SPACES
from searches.forms import choosing
from searches.forms.latencies import MeasureForm
from searches.forms.studies import StudyForm
from searches.models import Dataset
from tests.searches.factories import make_space, make_user

pytestmark = pytest.mark.django_db


def keys(field: Any) -> set[str]:
    """Return what a field offers, without the headings."""
    found: set[str] = set()
    for key, label in field.choices:
        found |= {inner for inner, _ in label} if isinstance(label, list) else {key}
    return found


def test_forms_offer_the_same_and_only_the_users_own() -> None:
    mine = make_user()
    other = make_user()
    space = make_space(mine, name="mine")
    make_space(other, name="theirs")
    images = Dataset.objects.create(owner=mine, name="flowers")
    Dataset.objects.create(owner=other, name="theirs")
    study = StudyForm(mine)
    measure = MeasureForm(mine)
    spaces = keys(study.fields["space"])
    assert spaces == keys(measure.fields["space"])
    assert {key for key in spaces if key.startswith("own:")} == {f"own:{space.pk}"}
    assert {key.removeprefix("kind:") for key in spaces if key.startswith("kind:")} == set(SPACES) - {"chain"}
    data = keys(study.fields["data"]) - {"none"}
    assert data == keys(measure.fields["dataset"]) - {"size"}
    assert {key for key in data if key.startswith("upload:")} == {f"upload:{images.pk}"}


def test_every_choice_is_a_valid_part_of_a_configuration() -> None:
    owner = make_user()
    make_space(owner)
    for choice in choosing.spaces(owner):
        assert choosing._SPACE.validate_python(choice.part)
    adapter: choosing.TypeAdapter[DatasetOptions] = choosing.TypeAdapter(DatasetOptions)
    for choice in choosing.data(owner):
        assert adapter.validate_python(choice.part)
    assert choosing.spaces(owner).part("") == {"kind": next(iter(SPACES))}


def test_a_search_starts_from_the_users_own_sources_alone(client: Client) -> None:
    mine = make_user()
    other = make_user()
    space = make_space(mine)
    images = Dataset.objects.create(owner=mine, name="flowers")
    for user, status in ((mine, 200), (other, 404)):
        client.force_login(user)
        assert client.get(f"/searches/new/?space={space.pk}").status_code == status
        assert client.get(f"/searches/new/?dataset={images.pk}").status_code == status


def test_a_latency_table_is_asked_for_with_the_shared_choices() -> None:
    owner = make_user()
    sent = {"measure-name": "", "measure-space": "example:digits_chain", "measure-dataset": "digits"}
    form = MeasureForm(owner)
    for name in form.fields:
        if name.startswith("measurement."):
            sent[f"measure-{name}"] = str(form.get_initial_for_field(form.fields[name], name))
    form = MeasureForm(owner, sent)
    assert form.is_valid(), form.errors
    assert form.request is not None
    assert form.request.space.kind == "chain"
    assert form.request.dataset is not None
    assert form.request.dataset.kind == "digits"
