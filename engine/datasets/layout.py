"""The one rule that says which folders are parts of a data set and which are classes, in a zip or on this machine.

1. Outer folders that contain only one folder are entered.
2. A folder is a part if its name says so (`engine.datasets.parts`) and it contains folders with images. One part is for
   training. The part for the final report is the one for testing, or else the one for validation. Other parts are not
   used.
3. A folder whose name says that it is a part, but which contains images and no folders, is a class if every other
   folder beside it is a class with an ordinary name (train, bus, car). Two such names are refused.
4. Without parts, the folders are classes. If each of them contains only parts with images (cat/train, cat/test), these
   are the parts of the classes. A class that contains parts and other images is refused.
5. Folders without images of their own that all repeat the same folders are parts with unknown names. They are refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.datasets.parts import FILLERS, OTHER, TEST, TRAIN, VALID, is_share, repeats, roles_of
from engine.errors import DataError

Place = tuple[str, ...]
"""Names of folders from the root down; the empty tuple is the root itself."""
MOST_OUTER = 20
"""The largest number of outer folders that are entered."""
NAMED = 5
"""The largest number of folders that one error names."""


class Tree(Protocol):
    """The interface to the folders below a root."""

    def folders(self, place: Place) -> Collection[str]:
        """Return the names of the visible folders directly in ``place`` that contain images at any depth."""

    def has_images(self, place: Place) -> bool:
        """Return whether image files lie directly in ``place``."""


@dataclass(frozen=True)
class Layout:
    """The folder of each class, for training and for the final report.

    ``train`` is ordered by the folders' names; names of classes are composed (Unicode NFC). ``unused`` gives the
    reason for each part that is not used.
    """

    train: dict[str, Place]
    test: dict[str, Place] = field(default_factory=dict)
    unused: dict[Place, str] = field(default_factory=dict)


def find_layout(tree: Tree) -> Layout:
    """Return where the classes lie, by the rule of this module; DataError says what was seen and what to do."""
    place: Place = ()
    while True:
        names = sorted(tree.folders(place))
        inner = (*place, *names)
        outer = len(names) == 1 and len(place) < MOST_OUTER and not tree.has_images(place)
        if outer and {TRAIN} < set(_parts(tree, inner).values()):
            place = inner
            continue
        if (layout := _of_parts(tree, place, names)) is not None:
            return layout
        if not outer or tree.has_images(inner) or not tree.folders(inner):
            return _of_classes(tree, place, names)
        place = inner


def composed(name: str) -> str:
    """Return a name with composed accents (Unicode NFC), because systems write the same name in two spellings."""
    return unicodedata.normalize("NFC", name)


def _parts(tree: Tree, place: Place) -> dict[str, str]:
    """Return the parts directly in ``place`` with their roles."""
    roles = roles_of(tree.folders(place))
    return {name: role for name, role in roles.items() if tree.folders((*place, name))}


def _of_parts(tree: Tree, place: Place, names: Sequence[str]) -> Layout | None:
    """Return the layout if the folders in ``place`` are parts, and None if they are not."""
    roles = roles_of(names)
    parts = {name: role for name, role in roles.items() if tree.folders((*place, name))}
    if not parts:
        _check_flat(tree, place, names, roles)
        return None
    if set(parts.values()) == {OTHER}:
        return None
    train = _chosen(place, parts, TRAIN)
    if train is None:
        first = next(iter(parts))
        raise DataError(
            f"there is a folder {first}/ but no train/; put the training images into train/<class>/ ({_seen(names)})"
        )
    others = [name for name in names if name not in roles]
    if len(roles) == 1 and _is_class(tree, place, train, others):
        return None
    found = _classes(tree, _inner(tree, (*place, train)))
    unused: dict[Place, str] = {}
    test: dict[str, Place] = {}
    reported = None
    for role in (TEST, VALID):
        name = _chosen(place, parts, role) if reported is None else None
        classes = _classes(tree, _inner(tree, (*place, name))) if name else {}
        if classes:
            reported, test = name, classes
    strange = sorted(set(test) - set(found))
    if strange:
        raise DataError(
            f"the folder {reported}/ has the class '{strange[0]}', which {train}/ lacks; rename or remove it "
            f"({train}/ has {_named(found)})"
        )
    for name in roles:
        if name in (reported, train):
            continue
        if name in parts and reported is not None and _classes(tree, _inner(tree, (*place, name))):
            unused[(*place, name)] = f"not used, because {reported}/ is the part for the final report"
            if parts[name] == TRAIN:
                unused[(*place, name)] = f"not used, because {train}/ is the part for training"
        else:
            unused[(*place, name)] = "not used, because its images are not in class folders"
    return Layout(found, test, unused)


def _check_flat(tree: Tree, place: Place, names: Sequence[str], roles: dict[str, str]) -> None:
    """Refuse parts whose images are not in class folders; one such name among classes is a class (rule 3)."""
    others = [name for name in names if name not in roles and name.casefold() not in FILLERS]
    if not roles or (len(roles) == 1 and others):
        return
    held = "holds" if len(roles) == 1 else "hold"
    raise DataError(
        f"{_named(roles)} {held} images without class folders ({_seen(names)}); put them into train/<class>/, or "
        "put classes of these names into a folder train/"
    )


def _is_class(tree: Tree, place: Place, train: str, others: Sequence[str]) -> bool:
    """Return whether the only part is a class among ``others``; DataError if this is not clear."""
    inside = set(tree.folders((*place, train)))
    beside = [name for name in others if tree.has_images((*place, name))]
    alike = [name for name in others if inside <= set(tree.folders((*place, name)))]
    if tree.has_images((*place, train)) and beside:
        if len(inside) == 1:
            return True
    elif len(alike) < 2:
        return False
    raise DataError(
        f"it is not clear whether {train}/ is a class or the training images: beside it there is "
        f"{_named(beside or alike)}, inside it {_named(inside)}; put all classes into a folder train/"
    )


def _chosen(place: Place, parts: dict[str, str], role: str) -> str | None:
    """Return the part with a role, or None: the one named like the role, else the only one; DataError for several."""
    named = [name for name, its in parts.items() if its == role]
    plain = [name for name in named if name.casefold() == role]
    best = plain or named
    if len(best) > 1:
        raise DataError(
            f"{_named(best)} are all folders for the same part of the data; put their images into one folder {role}/"
        )
    return best[0] if best else None


def _inner(tree: Tree, place: Place) -> Place:
    """Enter the folder in a part that only repeats its name, or has a name like images/."""
    while len(place) < MOST_OUTER and not tree.has_images(place):
        names = list(tree.folders(place))
        if len(names) != 1:
            break
        if not repeats(names[0], place[-1]):
            break
        place = (*place, names[0])
    return place


def _classes(tree: Tree, place: Place) -> dict[str, Place]:
    """Return the class folders of a part; DataError if they are parts themselves or have the same name twice."""
    names = sorted(tree.folders(place))
    parts = _parts(tree, place)
    shares = [name for name in names if is_share(name) and tree.folders((*place, name))]
    for inside in (list(parts) if len(set(parts.values())) > 1 else [], shares if len(shares) == len(names) else []):
        if inside:
            raise DataError(
                f"the folder {'/'.join(place)}/ has {_named(inside)}, which have folders themselves; put all classes "
                f"directly into {'/'.join(place)}/"
            )
    return _by_class((name, (*place, name)) for name in names)


def _by_class(folders: Iterable[tuple[str, Place]]) -> dict[str, Place]:
    classes: dict[str, Place] = {}
    for name, place in folders:
        label = composed(name)
        if label in classes:
            raise DataError(
                f"the class '{label}' has two folders, whose names differ only in how accents are encoded; "
                "put their images into one folder"
            )
        classes[label] = place
    return classes


def _of_classes(tree: Tree, place: Place, names: Sequence[str]) -> Layout:
    """Return the layout of classes without parts, or of classes that have parts inside (rules 4 and 5)."""
    inside = {name: _parts_inside(tree, (*place, name)) for name in names}
    split = [name for name in names if inside[name]]
    if not split:
        _check_mixed(tree, place, names)
        _check_repeated(tree, place, names)
        return Layout(_by_class((name, (*place, name)) for name in names))
    whole = [name for name in names if not inside[name]]
    deep = [name for name in split if any(tree.folders((*place, name, part)) for part in inside[name])]
    if whole or deep:
        example = "/".join((deep or split)[:1] + inside[(deep or split)[0]][:1])
        what = f"{whole[0]}/ has none" if whole else f"these contain folders, such as {example}/"
        raise DataError(
            f"{_named(split)} contain folders for training or testing, but {what}; pack one folder train/<class>/ and, "
            "if there are test images, one folder test/<class>/"
        )
    roles = {name: roles_of(inside[name]) for name in names}
    train: list[tuple[str, Place]] = []
    test: list[tuple[str, Place]] = []
    unused: dict[Place, str] = {}
    wanted = next((role for role in (TEST, VALID) if any(role in its.values() for its in roles.values())), None)
    for name in names:
        outer = (*place, name)
        for part, role in roles[name].items():
            if role == TRAIN and part == _chosen(outer, roles[name], TRAIN):
                train.append((name, (*outer, part)))
            elif role == wanted and part == _chosen(outer, roles[name], wanted):
                test.append((name, (*outer, part)))
            else:
                unused[(*outer, part)] = f"not used, because the images in {wanted}/ are those for the final report"
    lacking = sorted(set(names) - {name for name, _ in train})
    if lacking:
        raise DataError(f"the class '{lacking[0]}' has {_named(inside[lacking[0]])}, but no train/; add it")
    return Layout(_by_class(train), _by_class(test), unused)


def _parts_inside(tree: Tree, place: Place) -> list[str]:
    """Return the folders in a class if it has no other images and all of them are named as parts."""
    if tree.has_images(place):
        return []
    names = sorted(tree.folders(place))
    return names if names and len(roles_of(names)) == len(names) else []


def _check_mixed(tree: Tree, place: Place, names: Sequence[str]) -> None:
    """Refuse classes that contain images or other folders beside parts, so that no test image is trained on."""
    for name in names:
        parts = roles_of(tree.folders((*place, name)))
        if parts:
            raise DataError(
                f"the class '{name}' contains {_named(parts)} beside other images; put the images for training into "
                "train/<class>/ and those for testing into test/<class>/, or rename the folders inside the class"
            )


def _check_repeated(tree: Tree, place: Place, names: Sequence[str]) -> None:
    """Refuse folders that all repeat the same folders: they may be parts, not classes."""
    common: set[str] | None = None
    for name in names:
        inner = (*place, name)
        while not tree.has_images(inner) and len(found := list(tree.folders(inner))) == 1:
            inner = (*inner, *found)
        if tree.has_images(inner):
            return
        common = set(found) if common is None else common & set(found)
        if len(common) < 2 and not (common and all(map(is_share, names))):
            return
    if len(names) > 1 and common:
        raise DataError(
            f"{_named(names)} all contain the folders {_named(common)}, so it is not clear which of them are the "
            "classes; put the classes into train/<class>/ and, if there are test images, test/<class>/"
        )


def _seen(names: Sequence[str]) -> str:
    return f"seen: {_named(names)}"


def _named(names: Iterable[str]) -> str:
    """Return the first few names of folders as text."""
    known = sorted(names)
    more = f" and {len(known) - NAMED:,} more" if len(known) > NAMED else ""
    return ", ".join(f"{name}/" for name in known[:NAMED]) + more
