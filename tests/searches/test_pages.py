"""The pages as the server sends them: access, loaded files, and forms that work without scripts."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from engine.config.search import SearchConfig
from nasweb.prefix import under_prefix
from nasweb.static_files import with_static_files
from searches.examples import EXAMPLES
from searches.forms.documents import read_yaml
from searches.models import Dataset, Search, SearchSpace, Table
from tests.searches.factories import make_candidates, make_search, make_space, make_user
from tests.searches.test_forms import posted

pytestmark = pytest.mark.django_db
CHAIN = "layers: [{name: a, options: {conv: {block: conv, width: [16, 8]}}}]"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> None:
    settings.NASWEB_HOME = tmp_path


@pytest.fixture
def owner() -> Any:
    return make_user()


@pytest.fixture
def client(owner: Any) -> Client:
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def paths(owner: Any) -> list[str]:
    """Return the addresses of all pages."""
    search = make_search(owner)
    (candidate,) = make_candidates(search, [{"score": 1.0}])
    rows = [f"/searches/{search.pk}/", f"/candidates/{candidate.pk}/"]
    return ["/", "/searches/new/", "/datasets/", "/tables/", "/spaces/", *rows]


def test_pages_need_an_account_and_rows_belong_to_their_owner(client: Client, paths: list[str]) -> None:
    stranger = Client()
    stranger.force_login(make_user())
    for path in paths:
        assert client.get(path).status_code == 200, path
        signed_out = Client().get(path)
        assert signed_out.status_code == 302
        assert signed_out.url.startswith("/login/")
        assert stranger.get(path).status_code == (404 if re.search(r"\d", path) else 200), path


def test_pages_hold_no_inline_script_or_style_and_load_only_files_that_are_there(
    client: Client, paths: list[str]
) -> None:
    for path in (*paths, "/login/", "/nothing/here/"):
        text = client.get(path).content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text), path
        for tag in re.findall(r"<script[^>]*>", text):
            assert "src=" in tag or 'type="application/json"' in tag, (path, tag)
        loaded = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]+)"', text)
        assert loaded
        for address in loaded:
            assert address.startswith("/static/"), f"{path} loads {address} from elsewhere"
            assert finders.find(address.removeprefix("/static/")), f"{address} is not there"


@pytest.mark.parametrize("status", ["running", "failed", "cancelled"])
def test_a_front_is_offered_once_there_is_one(client: Client, owner: Any, status: str) -> None:
    for feasible, (offers, reason) in {0: (" hidden", ""), 1: ("", " hidden")}.items():
        search = make_search(owner, status=status, feasible=feasible)
        text = client.get(f"/searches/{search.pk}/").content.decode()
        assert f"data-with-front{offers}>" in text
        assert f"data-without-front{reason}>" in text


async def test_static_files_are_answered_before_django(settings: Any) -> None:
    """Whole files, parts, and files in the browser's cache; with the policy; with and without a prefix."""

    async def beyond(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    path = finders.find("css/base.css")
    assert path is not None
    content = Path(path).read_bytes()
    settings.FORCE_SCRIPT_NAME = "/nas"
    settings.STATIC_URL = "/nas/static/"
    transport = httpx.ASGITransport(under_prefix(with_static_files(beyond)))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        for address in ("/static/css/base.css", "/nas/static/css/base.css"):
            whole = await client.get(address)
            assert (whole.status_code, whole.content) == (200, content)
            assert whole.headers["Content-Type"] == 'text/css; charset="utf-8"'
            assert "frame-ancestors 'none'" in whole.headers["Content-Security-Policy"]
            assert whole.headers["X-Content-Type-Options"] == "nosniff"
        head = await client.head("/static/css/base.css")
        assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(content)))
        part = await client.get("/static/css/base.css", headers={"Range": "bytes=2-5"})
        assert (part.status_code, part.content) == (206, content[2:6])
        again = await client.get("/static/css/base.css", headers={"If-None-Match": whole.headers["ETag"]})
        assert (again.status_code, again.content, "Content-Type" in again.headers) == (304, b"", False)
        assert (await client.post("/static/css/base.css")).status_code == 405
        for elsewhere in ("/static/", "/static/css/", "/static/css/../../manage.py", "/static/none.css", "/"):
            assert (await client.get(elsewhere)).status_code == 418, elsewhere


def test_modules_import_only_files_that_are_there_and_stay_short() -> None:
    root = Path(__file__).resolve().parents[2] / "static" / "js"
    modules = list(root.rglob("*.js"))
    assert len(modules) > 10
    for module in modules:
        text = module.read_text()
        assert text.count("\n") < 300, module
        for name in re.findall(r'^import .* from "(.+)";', text, re.MULTILINE):
            assert (module.parent / name).is_file(), f"{module.name} imports {name}"


def test_the_list_is_found_above_its_searches_too(client: Client, owner: Any) -> None:
    assert client.get("/searches/?status=running").url == "/?status=running"


def test_one_click_starts_the_example(client: Client, owner: Any) -> None:
    response = client.post(f"/searches/examples/{EXAMPLES[0].slug}/")
    search = Search.objects.get(owner=owner)
    assert response.url == f"/searches/{search.pk}/"
    assert search.status == Search.Status.QUEUED
    assert search.config == SearchConfig.parse(EXAMPLES[0].config).as_dict()
    assert client.post("/searches/examples/none-such/").status_code == 404


@pytest.mark.parametrize("mode", ["form", "yaml"])
def test_the_form_and_the_yaml_make_the_same_search(client: Client, owner: Any, mode: str) -> None:
    config = SearchConfig.parse(EXAMPLES[0].config)
    data = posted(EXAMPLES[0].config) if mode == "form" else {"yaml": config.to_yaml()}
    response = client.post("/searches/new/", data | {"mode": mode})
    assert response.status_code == 302, response.context["complaints"]
    assert Search.objects.get(owner=owner).config == config.as_dict()


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({"objective.hi": "0.000001"}, "id_objective.hi", "No network is this cheap"),
        ({"space.kind": "mobilenet"}, "id_dataset.digits.resolution", "set the data set's image size to 17 or more"),
        ({"budget.evaluations": "-3"}, "id_budget.evaluations", "Give 1 or more."),
        ({"mode": "yaml", "yaml": "space: ["}, "id_yaml", "The YAML is malformed at line 1"),
        ({"mode": "yaml", "yaml": "space: {kind: nats_size}"}, "id_yaml", "estimator: This field is required."),
    ],
)
def test_bad_input_creates_nothing_is_said_at_its_field_and_is_kept(
    client: Client, data: dict[str, str], field: str, words: str
) -> None:
    response = client.post("/searches/new/", posted(EXAMPLES[0].config) | data)
    assert response.status_code == 422
    assert not Search.objects.exists()
    assert (field, words) in [
        (where, words if words in said else said) for where, _, said in response.context["complaints"]
    ]
    name = next(name for name in data if name != "mode")
    assert response.context["form"][name].value() == data[name]
    assert words in response.content.decode().replace("&#x27;", "'")


def test_the_look_ahead_shows_the_histogram_and_the_yaml(client: Client) -> None:
    response = client.post("/searches/new/check/", posted(EXAMPLES[0].config, **{"objective.hi": "5"}))
    text = response.content.decode()
    assert "<rect" in text
    assert "Feasible share" in text
    assert 'hx-swap-oob="true"' in text
    assert SearchConfig.from_yaml(response.context["yaml"]).objective.hi == 5
    assert not Search.objects.exists()
    refused = client.post("/searches/new/check/", posted(EXAMPLES[0].config, **{"objective.hi": "0.000001"}))
    assert "No network is this cheap" in refused.content.decode()
    faulty = {"name": "kept", "seed": "many", "round_size": "0", "objective.hi": "x", "objective.constraints.0.lo": "y"}
    refused = client.post("/searches/new/check/", posted(EXAMPLES[0].config, **faulty))
    typed = read_yaml(refused.context["yaml"])
    assert (typed["name"], typed["seed"], typed["round_size"], typed["objective"]["hi"]) == ("kept", "many", 0, "x")
    assert typed["objective"]["constraints"] == [{"lo": "y", "hi": None}]


def test_leaving_the_yaml_fills_the_fields_or_says_why_not(client: Client) -> None:
    text = SearchConfig.parse({**EXAMPLES[0].config, "seed": 77}).to_yaml()
    filled = client.post("/searches/new/fields/", {"mode": "yaml", "yaml": text})
    assert filled.context["form"]["seed"].value() == 77
    refused = client.post("/searches/new/fields/", {"mode": "yaml", "yaml": "a: b: c"})
    assert refused["HX-Retarget"] == "#yaml-errors"
    assert "malformed" in refused.content.decode()


def test_the_form_starts_from_what_the_address_names(client: Client, owner: Any) -> None:
    search = make_search(owner)
    dataset = Dataset.objects.create(owner=owner, name="flowers")
    table = Table.objects.create(owner=owner, name="bench", filename="x.csv")
    for query, field, value in [
        (f"clone={search.pk}", "objective.hi", 30.0),
        (f"example={EXAMPLES[1].slug}", "space.kind", "nats_size"),
        (f"dataset={dataset.pk}", "dataset.upload.id", dataset.pk),
        (f"table={table.pk}", "estimator.table.table", table.pk),
    ]:
        assert client.get(f"/searches/new/?{query}").context["form"][field].value() == value
    for query in ("clone=999", "clone=x", "example=none"):
        assert client.get(f"/searches/new/?{query}").status_code == 404


def class_folders() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in ("cat", "dog"):
            for number in range(6):
                image = io.BytesIO()
                Image.new("RGB", (8, 8), (40 * number, 20, 90)).save(image, "PNG")
                archive.writestr(f"train/{name}/{number}.png", image.getvalue())
    return data.getvalue()


def test_sources_are_added_listed_and_deleted(client: Client) -> None:
    uploads = [
        ("datasets", Dataset, {"file": SimpleUploadedFile("pets.zip", class_folders())}),
        ("tables", Table, {"file": SimpleUploadedFile("t.csv", b"arch,valid\n8:8:8:8:8,50\n")}),
        ("spaces", SearchSpace, {"definition": CHAIN}),
    ]
    for room, model, fields in uploads:
        response = client.post(f"/{room}/", {"name": "my own", **fields}, follow=True)
        assert "“my own” was added." in response.content.decode(), response.context["form"].errors
        row = model.objects.get()
        gone = client.post(f"/{room}/{row.pk}/delete/", follow=True)
        assert "was deleted" in gone.content.decode()
        assert not model.objects.exists()


def test_counts_are_shown_with_separators(client: Client, owner: Any) -> None:
    make_space(owner, size=str(5**9))
    make_space(owner, size=str(12**100))
    Table.objects.create(owner=owner, name="bench", filename="x.csv", rows=15_625)
    Dataset.objects.create(owner=owner, name="many", class_counts={"cat": 60_000}, train_count=60_000, test_count=0)
    for room, shown in {
        "spaces": (">1,953,125<", ">8.28e107<"),
        "tables": (">15,625<",),
        "datasets": ("<li>cat: 60,000</li>", ">60,000<", ">0<"),
    }.items():
        text = client.get(f"/{room}/").content.decode()
        assert [words for words in shown if words not in text] == []
    looked_ahead = client.post("/searches/new/check/", posted(EXAMPLES[1].config, **{"budget.evaluations": "2000"}))
    assert "<dt>Networks</dt><dd>32,768</dd>" in looked_ahead.content.decode()
    assert "at most 2,000" in looked_ahead.content.decode()


def test_sources_that_cannot_be_used_are_refused_at_their_field(client: Client) -> None:
    uploads = [
        ("datasets", Dataset, "file", {"file": SimpleUploadedFile("x.zip", b"this is no zip")}),
        ("tables", Table, "file", {"file": SimpleUploadedFile("t.csv", b"no,architecture\n1,2\n")}),
        ("spaces", SearchSpace, "definition", {"definition": "layers: ["}),
        ("spaces", SearchSpace, "definition", {"definition": "layers: [{options: {a: {block: none}}}]"}),
        ("spaces", SearchSpace, "name", {"definition": CHAIN, "name": ""}),
    ]
    for room, model, field, fields in uploads:
        response = client.post(f"/{room}/", {"name": "bad", **fields})
        assert response.status_code == 422
        assert list(response.context["form"].errors) == [field]
        assert not model.objects.exists()


def test_a_source_in_use_is_kept_with_the_reason(client: Client, owner: Any) -> None:
    space = make_search(owner).space
    response = client.post(f"/spaces/{space.pk}/delete/", follow=True)
    assert "banner bad" in response.content.decode()
    assert SearchSpace.objects.filter(pk=space.pk).exists()
    stranger = Client()
    stranger.force_login(make_user())
    assert stranger.post(f"/spaces/{space.pk}/delete/").status_code == 404
