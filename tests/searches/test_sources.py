"""Adding and deleting spaces, data sets and tables: nothing half-created, and refused while in use."""

from __future__ import annotations

import io
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from PIL import Image

from engine.errors import ConfigError, DataError
from searches.models import Dataset, SearchSpace, Table, Training
from searches.selectors.table_contents import inspected
from searches.services import sources
from searches.services.errors import ActionRefused
from tests.searches.factories import make_candidates, make_search, make_user

CHAIN = {"name": "two", "layers": [{"name": "a", "options": {"conv": {"block": "conv", "width": [16, 8]}}}]}
SHORT = b"arch,accuracy\na,1\nb\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    settings.NASWEB_HOME = tmp_path
    return tmp_path


def png(shade: int = 0, size: tuple[int, int] = (8, 8)) -> bytes:
    data = io.BytesIO()
    Image.new("L", size, shade).save(data, "PNG")
    return data.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def images(**extra: bytes) -> dict[str, bytes]:
    files = {f"train/{name}/{i}.png": png(i * 10) for name in ("cat", "dog") for i in range(3)}
    return {**files, "test/cat/0.png": png(7), **extra}


def linked() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        link = zipfile.ZipInfo("train/cat/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return data.getvalue()


def upload(content: bytes, name: str = "images.zip") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def files_below(home: Path) -> list[str]:
    return sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())


BAD_ZIPS = {
    "no zip": (b"hello", "cannot be read as a zip"),
    "a path outside": (zipped({"../evil/train/cat/0.png": png()}), "outside"),
    "an absolute path": (zipped({"/etc/cat/0.png": png()}), "outside"),
    "a link": (linked(), "link"),
    "no images": (zipped({"readme.txt": b"hi"}), "no images"),
    "one class": (zipped({"train/cat/0.png": png(), "train/cat/1.png": png(1)}), "two classes"),
    "a broken image": (zipped(images(**{"train/cat/9.png": b"no image"})), "9.png"),
    "too many pixels": (zipped(images(**{"train/cat/9.png": png(0, (10_000, 8_000))})), "pixels"),
}


@pytest.mark.django_db
def test_a_zip_becomes_a_data_set(home: Path) -> None:
    row = sources.add_dataset(make_user(), "pets", upload(zipped(images())))
    assert (row.channels, row.height, row.width) == (1, 8, 8)
    assert row.class_names == ["cat", "dog"]
    assert row.class_counts == {"cat": 3, "dog": 3}
    assert (row.train_count, row.test_count) == (6, 1)
    assert len(row.content_hash) == 64
    assert (row.folder / "train" / "cat" / "0.png").read_bytes() == png()
    assert all(name.startswith(f"datasets/{row.pk}/") for name in files_below(home))


@pytest.mark.django_db
@pytest.mark.parametrize("kind", BAD_ZIPS)
def test_a_bad_zip_leaves_nothing_behind(home: Path, kind: str) -> None:
    content, words = BAD_ZIPS[kind]
    with pytest.raises(DataError, match=words):
        sources.add_dataset(make_user(), "bad", upload(content))
    assert not Dataset.objects.exists()
    assert files_below(home) == []


@pytest.mark.django_db
def test_a_row_that_cannot_be_written_leaves_no_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any, **_fields: Any) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(Dataset, "save", refuse)
    with pytest.raises(DatabaseError):
        sources.add_dataset(make_user(), "pets", upload(zipped(images())))
    assert files_below(home) == []


@pytest.mark.django_db
def test_uploads_above_the_limit_are_refused(home: Path, settings: Any) -> None:
    settings.NASWEB_MAX_UPLOAD_MB = 1
    for add in (sources.add_dataset, sources.add_table):
        with pytest.raises(DataError, match="the limit is 1 MB"):
            add(make_user(), "big", upload(b"0" * 1_000_001))
    assert files_below(home) == []


@pytest.mark.django_db
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_is_kept_with_its_columns(home: Path, suffix: str) -> None:
    frame = pd.DataFrame({"arch": ["8:8:8:8:8", "16:8:8:8:8"], "accuracy": [0.5, 0.75], "note": ["a", "b"]})
    data = io.BytesIO()
    frame.to_csv(data, index=False) if suffix == "csv" else frame.to_parquet(data)
    row = sources.add_table(make_user(), "accuracies", upload(data.getvalue(), f"my table.{suffix}"))
    assert row.columns == [
        {"name": "arch", "type": "text"},
        {"name": "accuracy", "type": "number"},
        {"name": "note", "type": "text"},
    ]
    assert row.rows == 2
    assert row.path.read_bytes() == data.getvalue()
    assert files_below(home) == [f"tables/{row.filename}"]
    long = sources.add_table(make_user(), "long", upload(data.getvalue(), f"{'表' * 200}.{suffix}"))
    assert (long.rows, long.path.suffix) == (2, f".{suffix}")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"name,accuracy\na,1\n", "needs a column 'arch'"),
        (b"arch,accuracy\n", "no rows"),
        (b"arch,accuracy\na,1\na,2\n", "twice"),
        (SHORT, "row 2 has 1 cell"),
        (b"PAR1 but no parquet", "cannot be read"),
    ],
)
def test_a_bad_table_leaves_nothing_behind(home: Path, content: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        sources.add_table(make_user(), "bad", upload(content, "bad.csv"))
    assert not Table.objects.exists()
    assert files_below(home) == []


@pytest.mark.django_db
def test_a_table_that_was_added_before_stays_readable(home: Path) -> None:
    row = sources.add_table(make_user(), "old", upload(b"arch,accuracy\na,1\nb,2\n", "old.csv"))
    row.path.write_bytes(SHORT)
    found = inspected(row)
    assert (found["row_count"], found["rows"][1]) == (2, {"arch": "b", "numbers": [None]})


@pytest.mark.django_db
def test_a_chain_is_saved_once() -> None:
    owner = make_user()
    row = sources.save_space(owner, "first", CHAIN)
    again = sources.save_space(
        owner, "second", "name: two\nlayers: [{name: a, options: {conv: {block: conv, width: [16, 8]}}}]"
    )
    assert again.pk == row.pk
    assert SearchSpace.objects.get().name == "second"
    assert (row.kind, row.depth, row.size) == ("chain", 1, "2")
    layers = [{"name": f"l{i}", "options": {"c": {"block": "conv", "width": list(range(1, 13))}}} for i in range(100)]
    large = sources.save_space(owner, "large", {"name": "large", "layers": layers})
    large.clean_fields()  # PostgreSQL refuses values that are longer than the column
    assert large.size == str(12**100)
    assert sources.save_space(make_user(), "another owner's", CHAIN).pk != row.pk


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("definition", "path"),
    [
        ("layers: [", "definition"),
        ("[1, 2]", "definition"),
        ({"name": "none"}, "definition.layers"),
        ({**CHAIN, "colour": "red"}, "definition.colour"),
        ({**CHAIN, "name": "a\0b"}, "definition"),
        ({**CHAIN, "\ud800": 1}, "definition"),
        (
            {"name": "x", "layers": [{"name": "a", "options": {"q": {"block": "quantum"}}}]},
            "definition.layers.0.options.q",
        ),
    ],
)
def test_a_bad_chain_names_its_field(definition: Any, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        sources.save_space(make_user(), "bad", definition)
    assert next(error.path for error in caught.value.errors).startswith(path)
    assert not SearchSpace.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_deleting_is_refused_while_a_search_uses_it(home: Path) -> None:
    owner = make_user()
    dataset = sources.add_dataset(owner, "pets", upload(zipped(images())))
    table = sources.add_table(owner, "table", upload(b"arch,accuracy\na,1\n", "t.csv"))
    space = sources.save_space(owner, "chain", CHAIN)
    search = make_search(owner, name="busy", space=space, dataset=dataset, table=table)
    deletions = ((sources.delete_dataset, dataset), (sources.delete_table, table), (sources.delete_space, space))
    for delete, row in deletions:
        with pytest.raises(ActionRefused, match=rf"{search.pk} \(busy\)"):
            delete(row)
    assert len(files_below(home)) > 7
    search.delete()
    for delete, row in deletions:
        delete(row)
    assert files_below(home) == []
    assert not any(model.objects.exists() for model in (Dataset, Table, SearchSpace))


@pytest.mark.django_db
def test_a_data_set_names_the_searches_whose_networks_were_trained_on_it() -> None:
    owner = make_user()
    dataset, others = (sources.add_dataset(owner, name, upload(zipped(images()))) for name in ("pets", "others"))
    first, second = (make_search(owner, name=name) for name in ("one", "two"))
    for search in (first, second):
        candidates = make_candidates(search, [{"score": 1.0}, {"score": 2.0}])
        for row in candidates:
            Training.objects.create(candidate=row, config={}, config_hash="x", dataset=dataset, data_info={}, epochs=1)
    told = f"'pets' is used by full trainings of search {first.pk} (one), {second.pk} (two); delete those first."
    with pytest.raises(ActionRefused, match=re.escape(told)):
        sources.delete_dataset(dataset)
    sources.delete_dataset(others)


def test_the_web_process_needs_no_torch() -> None:
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
        "import django; django.setup(); import searches.urls; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
