"""The API only grows: its OpenAPI document holds all that the kept one holds."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.searches.schema_additions import lost, without_prose

KEPT = Path(__file__).parent / "kept" / "openapi.json"
"""Version 1 of the API as first published, without its texts. It changes only if the API gets a new version."""
CORRECTED = {
    f"POST /api/v1/{path} {line}"
    for path in ("searches/{id}/repeat/", "trainings/")
    for line in (
        "201 is no longer object, but array",
        *(f"parameter {name} in query is gone" for name in ("cursor", "ordering", "page_size")),
    )
}
"""What the kept document said wrongly: these two operations always answered with whole lists, not page by page."""
SEARCH = "/api/v1/searches/{id}/"


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    """Return the document as it was."""
    return dict(json.loads(KEPT.read_text()))


def test_the_api_only_grows(kept: dict[str, Any]) -> None:
    present = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))
    assert set(lost(kept, without_prose(present))) == CORRECTED


def _remove_path(document: dict[str, Any]) -> None:
    del document["paths"][SEARCH]


def _remove_method(document: dict[str, Any]) -> None:
    del document["paths"][SEARCH]["patch"]


def _remove_status(document: dict[str, Any]) -> None:
    operation = document["paths"]["/api/v1/searches/"]["post"]
    operation["responses"]["200"] = operation["responses"].pop("201")


def _remove_parameter(document: dict[str, Any]) -> None:
    operation = document["paths"]["/api/v1/searches/"]["get"]
    operation["parameters"] = [each for each in operation["parameters"] if each["name"] != "status"]


def _require_parameter(document: dict[str, Any]) -> None:
    document["paths"]["/api/v1/searches/"]["get"]["parameters"][0]["required"] = True


def _remove_answer_field(document: dict[str, Any]) -> None:
    del document["components"]["schemas"]["SearchDetail"]["properties"]["charged_seconds"]


def _empty_answer_field(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["SearchDetail"]["properties"]["name"]["type"] = ["string", "null"]


def _retype_answer_field(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["SearchDetail"]["properties"]["name"]["type"] = "integer"


def _remove_request_field(document: dict[str, Any]) -> None:
    del document["components"]["schemas"]["Objective"]["properties"]["size_exponent"]


def _require_request_field(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["SearchConfig"]["required"].append("seed")


def _remove_kind(document: dict[str, Any]) -> None:
    estimates = document["components"]["schemas"]["SearchConfig"]["properties"]["estimator"]
    estimates["oneOf"] = [each for each in estimates["oneOf"] if not each["$ref"].endswith("/TableOptions")]


def _remove_word(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["CostMetric"]["enum"].remove("table_cost")


def _tighten_limit(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["SearchConfig"]["properties"]["round_size"]["maximum"] = 64


DAMAGES = {
    _remove_path: "/api/v1/searches/{id}/ is gone",
    _remove_method: "PATCH /api/v1/searches/{id}/ is gone",
    _remove_status: "POST /api/v1/searches/ 201 is gone",
    _remove_parameter: "GET /api/v1/searches/ parameter status in query is gone",
    _require_parameter: "GET /api/v1/searches/ parameter cursor in query has become required",
    _remove_answer_field: ".charged_seconds is gone",
    _empty_answer_field: ".name may now be null, not only string",
    _retype_answer_field: ".name is no longer string, but integer",
    _remove_request_field: "objective.size_exponent is gone",
    _require_request_field: ".seed has become required",
    _remove_kind: ".estimator kind kind=table is gone",
    _remove_word: "metric value 'table_cost' is gone",
    _tighten_limit: ".round_size maximum was 1024 and is now 64",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
def test_every_loss_is_reported(kept: dict[str, Any], damage: Callable[[dict[str, Any]], None]) -> None:
    damaged = copy.deepcopy(kept)
    damage(damaged)
    assert [line for line in lost(kept, damaged) if line.endswith(DAMAGES[damage])]


def test_additions_and_new_names_of_components_are_no_loss(kept: dict[str, Any]) -> None:
    text = json.dumps(kept).replace("/SearchDetail", "/Renamed").replace('"SearchDetail"', '"Renamed"')
    grown = json.loads(text)
    schemas = grown["components"]["schemas"]
    schemas["Renamed"]["properties"]["more"] = {"type": "string"}
    schemas["SearchConfig"]["properties"]["more"] = {"type": "string"}
    schemas["CostMetric"]["enum"].append("more")
    grown["paths"]["/api/v1/more/"] = grown["paths"][SEARCH]
    assert lost(kept, grown) == []
