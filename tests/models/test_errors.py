"""One family of errors, whose sentences survive a border between processes."""

from __future__ import annotations

import pickle

import pytest

import models.errors
from models.errors import CapacityError, CheckpointError, ModelError, ShapeError

KINDS = [CheckpointError, ShapeError, CapacityError]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_a_model_error_and_not_another(kind: type[ModelError]) -> None:
    assert issubclass(kind, ModelError) and issubclass(kind, RuntimeError)
    assert not any(issubclass(kind, other) for other in KINDS if other is not kind)


@pytest.mark.parametrize("kind", [ModelError, *KINDS])
def test_errors_survive_a_process_border(kind: type[ModelError]) -> None:
    back = pickle.loads(pickle.dumps(kind("control: 30 frames are not 4k+1. Use 29 or 33")))
    assert type(back) is kind and str(back) == "control: 30 frames are not 4k+1. Use 29 or 33"


def test_the_tree_of_errors_is_the_one_described() -> None:
    described = [line.split()[1] for line in (models.errors.__doc__ or "").splitlines() if line[:1] in ("├", "└")]
    assert described == [kind.__name__ for kind in KINDS]
