"""Where the tests find recorded logs and golden results, and small builders used all over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _folder(*parts: str) -> Path:
    shared = Path(os.environ.get("DRIVESIM_SHARED", ROOT.parent / "shared"))
    folder = shared.joinpath(*parts)
    if not folder.is_dir():
        refuse = pytest.fail if os.environ.get("DRIVESIM_REQUIRE_SHARED") == "1" else pytest.skip
        refuse(f"no folder {'/'.join(('shared', *parts))}; set DRIVESIM_SHARED to where it is")
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    return _folder()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    return _folder("data")


@pytest.fixture(scope="session")
def golden_render() -> Path:
    return _folder("golden", "render")


@pytest.fixture(scope="session")
def av2_log(shared_data: Path) -> Path:
    return shared_data / "av2_sensor" / "7fab2350-7eaf-3b7e-a39d-6937a4c1bede"
