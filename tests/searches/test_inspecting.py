"""Inspection of data sets, spaces and tables, by page and by API."""

from __future__ import annotations

import gzip
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from engine.blueprint import InputSpec
from engine.config.spaces import ChainOptions
from engine.registry import create_space
from searches.models import Dataset, SearchSpace, Table
from searches.selectors import spaces
from searches.services import sources
from tests.searches.clients import API, assert_private, client_of
from tests.searches.factories import make_user
from tests.searches.test_sources import CHAIN, images, png, upload, zipped

pytestmark = pytest.mark.django_db
DEEP = "layers:\n" + "".join(
    f"- {{name: l{i}, stride: 2, options: {{a: {{block: conv, width: 8}}}}}}\n" for i in range(4)
)


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
def pets(owner: Any) -> Dataset:
    return sources.add_dataset(owner, "pets", upload(zipped(images())))


@pytest.fixture
def table(owner: Any) -> Table:
    content = b"arch,accuracy,note\na,0.5,x\nb,,y\nc,1.0,z\n"
    return sources.add_table(owner, "scores", upload(content, "t.csv"))


@pytest.fixture
def chain(owner: Any) -> SearchSpace:
    return sources.save_space(owner, "two", CHAIN)


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_images_are_shown_class_by_class(client: Client, owner: Any, pets: Dataset) -> None:
    found = client_of(owner).get(f"{API}datasets/{pets.pk}/inspection/").json()
    assert found["splits"] == {"train": 4, "valid": 2, "test": 1}
    assert found["classes"][0] == {"name": "cat", "train": 2, "valid": 1, "test": 1}
    assert (found["preprocessing"]["resolution"], found["preprocessing"]["fit"]) == (8, "resize")
    page = client.get(f"/datasets/{pets.pk}/").content.decode()
    assert 'src="/datasets/1/sample.png?class=dog&amp;part=train&amp;fit=resize"'.replace("/1/", f"/{pets.pk}/") in page
    for path in (f"/datasets/{pets.pk}/sample.png", f"{API}datasets/{pets.pk}/sample/"):
        strip = pixels(client.get(path, {"class": "cat"}).content)
        assert strip.shape == (64, 3 * 64 + 2 * 2)  # three images of 8 pixels, enlarged by 8
        assert [strip[0, at] for at in (0, 66, 132)] == [0, 10, 20]
    assert pixels(client.get(f"/datasets/{pets.pk}/sample.png", {"class": "cat", "part": "test"}).content)[0, 0] == 7
    for name in ("fish", "../train/cat", ".", ""):
        assert client.get(f"/datasets/{pets.pk}/sample.png", {"class": name}).status_code == 404, name
    assert client_of(owner).get(f"{API}datasets/{pets.pk}/sample/?class=cat&part=magic").status_code == 400
    assert_private(f"datasets/{pets.pk}/inspection/")
    stranger = Client()
    stranger.force_login(make_user())
    assert stranger.get(f"/datasets/{pets.pk}/sample.png", {"class": "cat"}).status_code == 404


def test_many_classes_come_in_pages(client: Client, owner: Any) -> None:
    files = {f"train/c{i:02d}/{j}.png": png(j) for i in range(25) for j in range(2)}
    row = sources.add_dataset(owner, "many", upload(zipped(files)))
    first, second = (client.get(f"/datasets/{row.pk}/?page={page}").content.decode() for page in (1, 2))
    assert "1 to 20 of 25 classes" in first
    assert "21 to 25 of 25 classes" in second
    assert "class=c24" in second


def test_digits_and_lost_files(client: Client, pets: Dataset) -> None:
    page = client.get("/datasets/digits/").content.decode()
    assert "Images of class 9" in page
    strip = pixels(client.get("/datasets/digits/sample.png", {"class": "3", "part": "test"}).content)
    assert strip.shape[0] == 64
    assert client.get("/datasets/digits/sample.png", {"class": "ten"}).status_code == 404
    shutil.rmtree(pets.folder)
    assert "the files of this data set no longer exist" in client.get(f"/datasets/{pets.pk}/").content.decode()


def test_a_table_shows_its_columns_and_first_rows(client: Client, owner: Any, table: Table) -> None:
    found = client_of(owner).get(f"{API}tables/{table.pk}/inspection/").json()
    assert found["columns"][1] == {
        "name": "accuracy", "type": "number", "known": 2, "low": 0.5, "mean": 0.75, "high": 1.0,
    }  # fmt: skip
    assert found["columns"][2]["known"] is None
    assert found["rows"][1] == {"arch": "b", "numbers": [None]}
    page = client.get(f"/tables/{table.pk}/").content.decode()
    assert "0.75" in page
    table.path.unlink()
    assert "cannot be read" in client.get(f"/tables/{table.pk}/").content.decode()
    assert_private(f"tables/{table.pk}/inspection/")


def test_a_space_shows_its_size_costs_and_default(client: Client, owner: Any, chain: SearchSpace) -> None:
    space = create_space(ChainOptions(definition=CHAIN), InputSpec(1, 16, 16, 5))
    found = client_of(owner).get(f"{API}spaces/{chain.pk}/inspection/?channels=1&side=16&classes=5").json()
    low, high = space.cost_range((), "params_m")
    default = space.cost(space.default()).metric("params_m")
    assert found["costs"]["params_m"] == {"low": low, "high": high, "default": default}
    assert (found["size"], found["default"]) == ("2", "conv_w16")
    assert client_of(owner).get(f"{API}spaces/{chain.pk}/drawing.svg/").content.startswith(b"<svg")
    page = client.get(f"/spaces/{chain.pk}/?channels=1&side=16&classes=5").content.decode()
    assert f"{default:.4g}" in page
    address = page.partition('<img src="/spaces/')[2].partition('"')[0].replace("&amp;", "&")
    assert client.get(f"/spaces/{address}").content.startswith(b"<svg")
    for side, words in {"0": "Give 1 or more.", "5000": "Give 1024 or less.", "x": "Give a whole number."}.items():
        assert words in client.get(f"/spaces/{chain.pk}/?side={side}").content.decode()
    assert_private(f"spaces/{chain.pk}/inspection/")


def test_a_definition_is_looked_at_while_it_is_typed(client: Client, owner: Any) -> None:
    body = {"definition": DEEP, "channels": 3, "side": 32, "classes": 10}
    page = client.post("/spaces/check/", body).content.decode()
    assert "<dt>Networks</dt><dd>1</dd>" in page
    assert "drawing.svg?space=" in page
    small = client.post("/spaces/check/", {**body, "side": 4}).content.decode()
    assert "stride 2 is too large for a map of 1x1" in small.lower()
    assert "malformed" in client.post("/spaces/check/", {**body, "definition": "layers: ["}).content.decode()
    checked = client_of(owner).post(f"{API}spaces/check/", {"definition": CHAIN}, format="json")
    assert checked.json()["size"] == "2"
    assert checked.json()["options"]["definition"] == CHAIN
    wrong = client_of(owner).post(f"{API}spaces/check/", {"definition": {"layers": []}}, format="json")
    assert wrong.json()["errors"][0]["field"] == "definition.layers"
    assert not SearchSpace.objects.exists()


def test_addresses_of_drawings_hold_a_space_or_nothing(client: Client) -> None:
    options = {"kind": "chain", "definition": CHAIN}
    text = spaces.packed(options, 3, 32, 32, 10)
    assert spaces.unpacked(text).to_string(spaces.unpacked(text).default()) == "conv_w16"
    for bad in ("", "xyz", text[:-6], spaces.packed({"kind": "magic"}), spaces.packed({"kind": "chain"}, 3)):
        assert spaces.unpacked(bad) is None
        assert client.get("/spaces/drawing.svg", {"space": bad}).status_code == 404
    noise = {"kind": "chain", "definition": {f"{hash(i)}": f"{hash(str(i))}" for i in range(2_000)}}
    assert spaces.packed(noise) == ""


def test_benchmarks_stand_on_the_page_of_tables(client: Client, tmp_path: Path) -> None:
    client.force_login(make_user(is_staff=True))
    page = client.get("/tables/").content.decode()
    assert f"Put “nasbench_full.tfrecord” or “nasbench_only108.tfrecord” into {tmp_path}/benchmarks and" in page
    refused = client.post("/tables/benchmarks/nats_tss/read/", follow=True).content.decode()
    assert "NATS-Bench topology is not on this machine" in refused
    assert client.post("/tables/benchmarks/nats_tss/magic/").status_code == 404


def test_files_that_are_left_out_are_named_by_page_and_api(owner: Any, client: Client) -> None:
    extra = {f"train/cat/{index}.xml": b"<a/>" for index in range(3)} | {"train/cow/0.heic": b"no image"}
    answer = client.post(f"{API}datasets/", {"name": "pets", "file": upload(zipped(images(**extra)))})
    rows = [
        {"folder": "train/cat", "class_name": "cat", "suffix": ".xml", "count": 3, "reason": "not images"},
        {"folder": "train/cow", "class_name": "cow", "suffix": ".heic", "count": 1, "reason": "not images"},
    ]
    assert answer.json()["left_out"] == rows
    key = answer.json()["id"]
    found = client.get(f"{API}datasets/{key}/inspection/").json()
    assert (found["ignored"], found["left_out"]) == (4, rows)
    page = client.get(f"/datasets/{key}/").content.decode()
    assert "train/cat: 3 .xml, not images" in page
    assert "train/cow: 1 .heic, not images" in page


def test_tables_as_people_bring_them_are_added_and_shown(owner: Any) -> None:
    client = client_of(owner)
    parquet = io.BytesIO()
    pd.DataFrame({"arch": ["a", "b"], "valid": pd.array([90, None], "Int64")}).set_index("arch").to_parquet(parquet)
    files = {
        "indexed.parquet": parquet.getvalue(),
        "table.csv.gz": gzip.compress(b"arch,valid\na,90\nb,\n"),
        "table.jsonl": b'{"arch": "a", "valid": "90%"}\n{"arch": "b"}\n',
    }
    for name, content in files.items():
        made = client.post(f"{API}tables/", {"name": name, "file": SimpleUploadedFile(name, content)})
        assert made.status_code == 201, made.content
        found = client.get(f"{API}tables/{made.json()['id']}/inspection/").json()
        assert [(row["arch"], row["numbers"]) for row in found["rows"]] == [("a", [90.0]), ("b", [None])]
    short = SimpleUploadedFile("short.csv", b"arch,params,valid\na,1,90\nb,91\n")
    refused = client.post(f"{API}tables/", {"name": "short", "file": short})
    assert refused.status_code == 400
    assert refused["Content-Type"] == "application/problem+json"
    assert "row 2 has 2 cells, the first line names 3 columns" in refused.json()["detail"]
