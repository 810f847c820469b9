"""A number for everything a scene holds, to tell whether two scenes are the same to the last bit."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from scenegraph import Scene


def scene_digest(scene: Scene) -> str:
    """sha256 of a scene, 64 hexadecimal digits, the same in every process.

    Layers, actors and cameras count in their order, every float with all its bits (-0.0 is not 0.0).
    Lights and words of the source count by name, in whatever order they are held.
    """
    return content_digest(scene)


def content_digest(value: Any) -> str:
    """The same of any part of a scene, such as one actor, or of a tuple or mapping of parts."""
    digest = hashlib.sha256()
    for chunk in _chunks(value):
        digest.update(struct.pack("<q", len(chunk)))
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(value: Any) -> Iterator[bytes]:
    """A value as a sequence of byte strings that no other value has."""
    if is_dataclass(value):
        kept = [field for field in fields(value) if field.init]
        yield f"{type(value).__name__} of {len(kept)}".encode()
        for field in kept:
            yield field.name.encode()
            yield from _chunks(getattr(value, field.name))
    elif isinstance(value, Mapping):
        yield f"mapping of {len(value)}".encode()
        for key in sorted(value):
            yield from _chunks(key)
            yield from _chunks(value[key])
    elif isinstance(value, tuple | list):
        yield f"list of {len(value)}".encode()
        for item in value:
            yield from _chunks(item)
    elif isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value)
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        yield f"array {array.dtype.str} {list(value.shape)}".encode()
        yield array.tobytes()
    else:
        yield from _plain(value)


def _plain(value: Any) -> Iterator[bytes]:
    if value is None or isinstance(value, bool | np.bool_):
        yield f"{value}".encode()
    elif isinstance(value, str):
        yield b"text"
        yield str(value).encode()
    elif isinstance(value, int | np.integer):
        yield f"whole {int(value)}".encode()
    elif isinstance(value, float | np.floating):
        yield b"number" + struct.pack("<d", float(value))
    else:
        raise AssertionError(f"a scene holds no {type(value).__name__}")
