"""The vocabulary shared by NVIDIA's formats: object classes, camera names and paint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..actor import Category

# View index of the model = place in this tuple.
VIEW_ORDER = (
    "camera_front_wide_120fov",
    "camera_cross_right_120fov",
    "camera_rear_right_70fov",
    "camera_rear_tele_30fov",
    "camera_rear_left_70fov",
    "camera_cross_left_120fov",
    "camera_front_tele_30fov",
)

_WORDS = {
    Category.CAR: ("automobile", "other_vehicle", "vehicle", "car"),
    Category.TRUCK: ("heavy_truck", "bus", "truck", "train_or_tram_car", "trolley_bus", "trailer"),
    Category.PEDESTRIAN: ("person", "pedestrian"),
    Category.CYCLIST: ("rider", "bicycle", "cyclist", "motorcycle"),
    Category.OTHERS: ("unknown",),
}
_CATEGORY = {word: category for category, words in _WORDS.items() for word in words}


def category_of(word: str) -> Category:
    """The class of an object by NVIDIA's word for it, in any case; words they do not list are Others."""
    return _CATEGORY.get(word.lower(), Category.OTHERS)


def word_for(category: Category, source_category: str) -> str:
    """A word that NVIDIA's readers sort into ``category``: the source's own where they would, else the usual one."""
    if source_category and category_of(source_category) == category:
        return source_category
    return _WORDS[category][0]


def canonical_camera_name(name: str) -> str:
    """``camera:front:wide:120fov`` as ``camera_front_wide_120fov``; the "sat" name of the front tele is dropped."""
    name = name.replace(":", "_")
    return "camera_front_tele_30fov" if name == "camera_front_tele_sat_30fov" else name


def rig_camera_name(name: str) -> str:
    """``camera_front_wide_120fov`` as rig files spell it, with colons; other names stay as they are."""
    return name.replace("_", ":") if name.startswith("camera_") else name


def view_rank(name: str) -> tuple[int, str]:
    """Sort key that puts the model's cameras in view order and all others behind them by name."""
    return (VIEW_ORDER.index(name) if name in VIEW_ORDER else len(VIEW_ORDER)), name


def majority_paint(colours: Sequence[str], styles: Sequence[str]) -> tuple[str, str] | None:
    """The most frequent (colour, style) pair of a line, the earlier one of two as frequent; None without any.

    Where the lists differ in length they cannot be paired, and each gives its own most frequent word,
    UNKNOWN if it is empty.
    """
    if not colours and not styles:
        return None
    if len(colours) == len(styles):
        return Counter(zip(colours, styles, strict=True)).most_common(1)[0][0]
    return _most_frequent(colours), _most_frequent(styles)


def _most_frequent(words: Sequence[str]) -> str:
    return Counter(words).most_common(1)[0][0] if words else "UNKNOWN"
