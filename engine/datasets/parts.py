"""The meaning of folders' names: whether a folder is the part of a data set for training, validation or testing."""

from __future__ import annotations

import re
from collections.abc import Iterable

TRAIN = "train"
VALID = "val"
TEST = "test"
OTHER = "other"
"""The roles of parts. Images of the last role have no labels."""
ROLES = {
    **dict.fromkeys(("train", "training", "trn", "trainval", "trainvalid"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "validate", "validating", "dev", "devel", "development"), VALID),
    **dict.fromkeys(("test", "testing", "tst", "holdout", "eval", "evaluation"), TEST),
    **dict.fromkeys(("pred", "predict", "prediction", "predictions", "unlabeled", "unlabelled"), OTHER),
}
FILLERS = frozenset(
    {"set", "sets", "data", "dataset", "datasets", "split", "splits", "folder", "file", "files", "jpg", "jpeg", "png"}
    | {"image", "images", "img", "imgs", "picture", "pictures", "photo", "photos", "sample", "samples"}
)
"""Words that say nothing about a part."""
SHARES = frozenset({"part", "fold", "batch", "chunk", "shard", "split", "subset", "group", "set"})
"""Names of pieces of a data set that are numbered."""


def roles_of(names: Iterable[str]) -> dict[str, str]:
    """Return the role of each folder that is named as a part.

    The name is a word for a part, with or without fillers and numbers (training_set, TestImages, val2017). Other words
    are allowed if folders of two roles share them (seg_train, seg_test).
    """
    found = {name: read for name in names if (read := _read(name)) is not None}
    roles: dict[tuple[str, ...], set[str]] = {}
    for role, rest in found.values():
        roles.setdefault(rest, set()).add(role)
    return {name: role for name, (role, rest) in found.items() if not rest or len(roles[rest]) > 1}


def repeats(name: str, outer: str) -> bool:
    """Return whether the folder ``name`` only repeats the name of its part ``outer``, or is only fillers (images)."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    return name.casefold() == outer.casefold() or (bool(words) and set(words) <= FILLERS)


def is_share(name: str) -> bool:
    """Return whether a folder is named as a numbered piece of a data set, such as part1 or fold_2."""
    return re.fullmatch(rf"(?:{'|'.join(sorted(SHARES))})[ _-]*(?:\d+|[a-z])", name.casefold()) is not None


def _read(name: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the role that a name states and its other words; None if it states no role, or several."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()
    words = [_without_filler(word) for word in re.findall(r"[^\W\d_]+", apart)]
    stated = {ROLES[word] for word in words if word in ROLES}
    if stated == {TRAIN, VALID}:
        stated = {TRAIN}
    if len(stated) != 1:
        return None
    return stated.pop(), tuple(word for word in words if word not in ROLES and word not in FILLERS)


def _without_filler(word: str) -> str:
    """Return ``train`` for ``trainset``, and so on; other words stay."""
    return next((role for role in ROLES if word.startswith(role) and word[len(role) :] in FILLERS), word)
