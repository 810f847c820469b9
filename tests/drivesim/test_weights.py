"""From the words of the command line to a generator."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from drivesim.errors import SourceError
from drivesim.weights import load_generator


@pytest.mark.parametrize("package", ["torch", "diffusers"])
def test_a_missing_package_is_named_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    original = builtins.__import__

    def missing(name: str, *given: Any, **named: Any) -> Any:
        if name == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return original(name, *given, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(SourceError) as error:
        load_generator(tmp_path)
    assert str(error.value) == (
        f"generating needs the package {package}: pip install 'drivesim[model]', or try a dry run with --echo"
    )


def test_attention_and_compiling_become_tuning_and_the_rest_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import models.weights
    from models.tuning import Tuning

    seen: dict[str, Any] = {}

    def load(folder: Path, **options: Any) -> str:
        seen.update(folder=folder, **options)
        return "a generator"

    monkeypatch.setattr(models.weights, "load_generator", load)
    assert load_generator(tmp_path, attention="int8", compile_blocks=True, device="cpu", views=3) == "a generator"  # type: ignore[comparison-overlap]
    assert seen == {"folder": tmp_path, "tuning": Tuning("int8", compile=True), "device": "cpu", "views": 3}
