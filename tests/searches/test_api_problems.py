"""Bad input: a problem document that names the field and the fix, and nothing half-created."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from engine.config.documents import TOO_DEEP
from searches.models import Dataset, Search, SearchSpace, Table
from tests.searches.clients import API, client_of
from tests.searches.factories import CONFIG, make_candidates, make_search, make_user
from tests.searches.test_sources import BAD_ZIPS, CHAIN, files_below

pytestmark = pytest.mark.django_db
SWISH_CHAIN = {
    "activation": "swish",
    "stem": {"width": 4},
    "layers": [{"name": "one", "options": {"conv": {"block": "conv", "width": [8, 4]}}}],
}
TABLE = {"kind": "table", "reward": "accuracy"}
BAD_CONFIGS: dict[str, tuple[dict[str, Any], str, str]] = {
    "unreachable target": ({"objective": {"hi": 0.0001}}, "objective.hi", "raise the limit"),
    "target above everything": ({"objective": {"lo": 1e9}}, "objective.lo", "lower the limit"),
    "empty feasible set": (
        {"objective": {"cost_metric": "params_m", "lo": 0.1, "hi": 0.10000001}},
        "objective.hi",
        "between the two limits",
    ),
    "limits that exclude each other": (
        {"objective": {"lo": 15.0, "constraints": [{"metric": "params_m", "hi": 0.05}]}},
        "objective.constraints",
        "all limits together",
    ),
    "limits in the wrong order": ({"objective": {"lo": 9, "hi": 1}}, "objective", "above the upper"),
    "unknown field": ({"colour": "red"}, "colour", "no such field"),
    "unknown kind": ({"space": {"kind": "torus"}}, "space", "no kind 'torus'"),
    "unknown metric": ({"objective": {"cost_metric": "beauty"}}, "objective", "not a cost metric"),
    "missing field": ({"space": None}, "space", ""),
    "wrong type": ({"algorithm": {"kind": "layernas", "buckets": "many"}}, "algorithm.buckets", "whole number"),
    "a NUL character": ({"name": "a\0b"}, "name", "NUL"),
    "a NUL in a chain": ({"space": {"kind": "chain", "definition": {"name": "a\0b"}}}, "space.definition", "NUL"),
    "no data": ({"dataset": None}, "dataset", "choose the data"),
    "another's data": ({"dataset": {"kind": "upload", "id": 12345}}, "dataset.id", "no data set 12345"),
    "another's table": ({"estimator": {**TABLE, "table": 12345}}, "estimator.table", "no table 12345"),
    "a file of the server": ({"estimator": {**TABLE, "path": "/etc/passwd"}}, "estimator.path", "upload"),
    "a broken chain": ({"space": {"kind": "chain", "definition": {}}}, "space.definition.layers", "required"),
    "a proxy without its ReLU units": (
        {"space": {"kind": "chain", "definition": SWISH_CHAIN}, "estimator": {"kind": "proxy", "name": "naswot"}},
        "estimator.name",
        "have none",
    ),
    "true for a number": ({"budget": {"evaluations": True}}, "budget.evaluations", "Give a whole number."),
    "false for a number": ({"objective": {"lo": False}}, "objective.lo", "Give a number."),
    "no budget": ({"budget": {"evaluations": None}}, "budget", "Give a number"),
    "an endless number": ({"budget": {"evaluations": None, "seconds": "inf"}}, "budget.seconds", "finite"),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    settings.NASWEB_HOME = tmp_path
    return tmp_path


@pytest.fixture
def client() -> APIClient:
    return client_of(make_user())


def problem(reply: Any, status: int = 400) -> dict[str, Any]:
    assert reply.status_code == status, reply.content
    assert reply.headers["Content-Type"] == "application/problem+json"
    body = reply.json()
    assert set(body) == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    return body


@pytest.mark.parametrize("case", BAD_CONFIGS)
@pytest.mark.parametrize("path", ["searches/", "searches/preflight/"])
def test_bad_configurations(client: APIClient, case: str, path: str) -> None:
    change, field, words = BAD_CONFIGS[case]
    body = problem(client.post(API + path, CONFIG | change, format="json"))
    assert [error["field"] for error in body["errors"]] == [field], body
    assert words in body["errors"][0]["message"]
    assert not Search.objects.exists()
    assert not SearchSpace.objects.exists()


def test_every_faulty_field_is_named(client: APIClient) -> None:
    faulty = CONFIG | {"seed": -1, "round_size": 0, "estimator": {"kind": "mote", "profile": "slow"}}
    body = problem(client.post(f"{API}searches/", faulty, format="json"))
    assert {error["field"] for error in body["errors"]} == {"seed", "round_size", "estimator.profile"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("space: [", "malformed at line"),
        ("just words", "mapping"),
        ("a: &a [*a]", "contains itself"),
        ("a: &a {b: 1}\nc: {<<: *a}", "at line 2, column 5: merge keys"),
        ("seed: !!int 1" + ":59" * 50, "more than 100 characters"),
        ("seed: 1" + "0" * 100, "more than 100 characters"),
        ("seed: 1" + ":59" * 50, "seed: Give a whole number without a colon"),
        ("budget: {evaluations: 010}", "budget.evaluations: Give a whole number without leading zeros, not '010'."),
        ("seed: 1\nname: a\nseed: 2", "at line 3, column 1: the key 'seed' is there twice, first in line 1"),
    ],
)
def test_malformed_yaml(client: APIClient, text: str, words: str) -> None:
    for path in ("searches/", "searches/preflight/", "searches/validate/"):
        replies = [
            client.post(API + path, text, content_type="application/yaml"),
            client.post(API + path, {"yaml": text}, format="json"),
        ]
        for reply in replies:
            assert words in problem(reply)["detail"]


@pytest.mark.parametrize("path", ["searches/", "searches/preflight/", "spaces/", "latency-tables/", "token/"])
@pytest.mark.parametrize("depth", [102, 2_000, 100_000])
def test_documents_that_are_nested_too_deeply(client: APIClient, path: str, depth: int) -> None:
    for text in ("[" * depth + "]" * depth, '{"name": "a", "definition": ' + "[" * depth + "]" * depth + "}"):
        body = problem(client.post(API + path, text, content_type="application/json"))
        assert body["detail"] == TOO_DEEP
    if path == "searches/" and depth < 100_000:
        text = "space: " + "[" * depth + "]" * depth
        assert TOO_DEEP in problem(client.post(API + path, text, content_type="application/yaml"))["detail"]


def test_bodies_that_are_no_documents(client: APIClient) -> None:
    path = f"{API}searches/"
    problem(client.post(path, "{", content_type="application/json"))
    problem(client.post(path, "[1]", content_type="application/json"))
    problem(client.post(path, b"\xff\xfe", content_type="application/yaml"))
    problem(client.post(path, "a=1", content_type="text/plain"), 415)
    problem(client.post(path, "a" * 1_000_001, content_type="application/yaml"), 413)
    problem(client.put(path, {}, format="json"), 405)


@pytest.mark.parametrize("content_type", ["application/json", "text/json", "application/json; charset=utf-8"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_with_a_byte_order_mark_is_read(client: APIClient, content_type: str, encoding: str) -> None:
    text = json.dumps(CONFIG | {"name": "ä"}, ensure_ascii=False).encode(encoding)
    assert client.post(f"{API}searches/", text, content_type=content_type).json()["name"] == "ä"
    body = problem(client.post(f"{API}searches/", b"\xef\xbb\xbf{", content_type=content_type))
    assert body["detail"].startswith("The JSON cannot be read: Expecting property name")


@pytest.mark.parametrize("path", ["searches/", "searches/validate/", "studies/", "spaces/", "token/", "trainings/"])
def test_a_key_of_json_that_is_there_twice_is_refused(client: APIClient, path: str) -> None:
    body = problem(client.post(API + path, '{"a": {\n"b": 1,\n"b": 2}}', content_type="application/json"))
    assert body["detail"] == "The JSON cannot be read: the key 'b' is there twice, in line 2 and again in line 3."
    body = problem(client.post(API + path, b'{"a": "\xff"}', content_type="application/json"))
    assert body["detail"] == "The JSON is not text in UTF-8."


@pytest.mark.parametrize("content_type", ["application/yaml", "text/yaml", "text/x-yaml; charset=utf-8"])
def test_yaml_may_stand_wherever_json_may(client: APIClient, content_type: str) -> None:
    def post(path: str, text: str) -> Any:
        return client.post(API + path, text, content_type=content_type)

    assert post("spaces/", "name: mine\ndefinition: {layers: [{options: {010: conv, a: identity}}]}").status_code == 201
    assert SearchSpace.objects.get().options["definition"]["layers"] == [{"options": {"010": "conv", "a": "identity"}}]
    assert {error["field"] for error in problem(post("studies/", "seed: 010"))["errors"]} >= {"space", "seed"}
    assert "mapping" in problem(post("spaces/", "- 1"))["detail"]
    assert "the key 'a' is there twice" in problem(post("spaces/", "a: 1\na: 2"))["detail"]
    problem(post("token/", "username: me"), 415)
    search = make_search(make_user("other"))
    problem(client.patch(f"{API}searches/{search.pk}/", "name: mine", content_type=content_type), 404)


@pytest.mark.parametrize("host", ["evil.example", "a b", "[::1"])
def test_an_unknown_host_gets_a_problem_document(client: APIClient, host: str) -> None:
    for path in (f"{API}searches/", f"{API}nothing/", "/api/"):
        assert problem(client.get(path, HTTP_HOST=host))["detail"].startswith("This server does not answer to the host")
    assert client.get("/login/", HTTP_HOST=host)["Content-Type"].startswith("text/html")


def test_a_body_that_django_refuses_gets_a_problem_document(client: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    form = "username=" + "a" * 100
    reply = client.post(f"{API}token/", form, content_type="application/x-www-form-urlencoded")
    assert problem(reply)["detail"] == "The request is malformed or too large."


def test_a_small_document_of_huge_content_is_refused(client: APIClient) -> None:
    lines = ["a0: &a0 [1]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12))]
    body = problem(client.post(f"{API}searches/", "\n".join(lines), content_type="application/yaml"))
    assert body["errors"][0]["field"] == "yaml"


@pytest.mark.parametrize("kind", BAD_ZIPS)
def test_bad_zips(client: APIClient, home: Path, kind: str) -> None:
    content, words = BAD_ZIPS[kind]
    file = SimpleUploadedFile("images.zip", content)
    body = problem(client.post(f"{API}datasets/", {"name": "pets", "file": file}))
    assert body["errors"][0]["field"] == "file"
    assert words in body["errors"][0]["message"]
    assert not Dataset.objects.exists()
    assert files_below(home) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"evaluations": 0}, "Give 1 or more."),
        ({"evaluations": 10_000_000}, "Give 1000000 or less."),
        ({"evaluations": "many"}, "Give a whole number."),
        ({"seconds": -1}, "Give 0.001 or more."),
        ({"seconds": "many"}, "Give a number."),
    ],
)
def test_bounds_are_told_as_the_engine_tells_them(body: dict[str, Any], words: str) -> None:
    search = make_search(make_user(), status="finished")
    reply = client_of(search.owner).post(f"{API}searches/{search.pk}/extend/", body, format="json")
    assert problem(reply)["errors"] == [{"field": next(iter(body)), "message": words}]


@pytest.mark.parametrize(
    ("method", "path", "body", "known"),
    [
        ("post", "searches/{}/repeat/", {"seeds": 3}, "count"),
        ("post", "searches/{}/extend/", {"evaluations": 3, "second": 1}, "evaluations, seconds"),
        ("patch", "searches/{}/", {"nmae": "a"}, "name, note"),
        ("patch", "candidates/{}/", {"pined": True}, "pinned, hidden, note, tags"),
        ("post", "spaces/check/", {"definition": CHAIN, "size": 3}, "definition, input"),
    ],
)
def test_unknown_fields_of_bodies_are_refused(method: str, path: str, body: dict[str, Any], known: str) -> None:
    search = make_search(make_user(), status="finished")
    [candidate] = make_candidates(search, [{"score": 1.0}])
    number = candidate.pk if path.startswith("candidates") else search.pk
    reply = getattr(client_of(search.owner), method)(API + path.format(number), body, format="json")
    told = f"There is no such field; there are: {known}."
    assert problem(reply)["errors"] == [{"field": list(body)[-1], "message": told}]
    assert Search.objects.count() == 1


def test_uploads_without_a_file_and_too_large(client: APIClient, settings: Any) -> None:
    body = problem(client.post(f"{API}datasets/", {"name": "pets"}))
    assert body["errors"] == [{"field": "file", "message": "No file was submitted."}]
    settings.NASWEB_MAX_UPLOAD_MB = 0
    body = problem(client.post(f"{API}tables/", {"file": SimpleUploadedFile("t.csv", b"arch\na\n")}), 413)
    assert "the limit is 0 MB" in body["detail"]


def test_a_table_without_the_named_column(client: APIClient) -> None:
    file = SimpleUploadedFile("t.csv", b"arch,accuracy\n8:8:8:8:8,0.5\n16:8:8:8:8,0.6\n")
    table = client.post(f"{API}tables/", {"name": "t", "file": file}).json()
    assert Table.objects.get().pk == table["id"]
    base = {"space": {"kind": "nats_size"}, "budget": {"evaluations": 2}}
    for column in ("reward", "truth", "cost", "seconds"):
        estimator = TABLE | {"table": table["id"], column: "beauty"}
        body = problem(client.post(f"{API}searches/", {**base, "estimator": estimator}, format="json"))
        assert body["errors"][0]["field"] == f"estimator.{column}"
        assert "accuracy" in body["errors"][0]["message"]
    assert not Search.objects.exists()


def test_bad_chains(client: APIClient) -> None:
    faulty = {**CHAIN, "layers": [{"name": "a", "options": {"q": {"block": "quantum"}}}]}
    body = problem(client.post(f"{API}spaces/", {"name": "chain", "definition": faulty}, format="json"))
    assert body["errors"][0]["field"].startswith("definition.layers.0.options.q")
    assert not SearchSpace.objects.exists()


def test_bugs_are_problems_too(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from searches.services import control

    def broken(_search: Any) -> list[str]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(control, "allowed", broken)
    client.raise_request_exception = False
    client.post(f"{API}searches/", io.BytesIO(b"{}").read(), content_type="application/json")
    reply = client.post(f"{API}searches/", CONFIG, format="json")
    assert problem(reply, 500)["detail"] == "The server failed; its log says why."
