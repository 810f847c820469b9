"""The package as a whole: what it exports, what it imports, and how it refuses to run with somebody else's parts."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import drivesim
from drivesim.paths import configs_folder
from scenegraph.formats.clipgt import write_clipgt
from scenegraph.roads import crossing_scene

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ["drivesim", "models", "render", "scenegraph"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _python(code: str, folder: Path = ROOT, expect: int = 0) -> str:
    """What a fresh interpreter that was started in ``folder`` prints, its complaints included."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == expect, done.stderr
    return done.stdout + done.stderr


def test_the_version_is_that_of_the_project_file() -> None:
    assert drivesim.__version__ == PROJECT["project"]["version"]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_exists(name: str) -> None:
    package = importlib.import_module(name)
    public = getattr(package, "__all__", [])
    assert len(set(public)) == len(public)
    assert [missing for missing in public if not hasattr(package, missing)] == []


def test_packages_import_each_other_in_one_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0


def test_the_command_line_loads_nothing_heavy() -> None:
    heavy = ["torch", "diffusers", "transformers", "trimesh", "numba", "cv2", "av", "ray", "nuscenes"]
    code = f"import drivesim.cli, sys; print([name for name in {heavy} if name in sys.modules])"
    assert _python(code).strip() == "[]"


def test_importing_the_package_loads_no_array_library() -> None:
    assert _python("import drivesim, sys; print('numpy' in sys.modules, 'pydantic' in sys.modules)") == "False False\n"


def test_everything_but_the_models_imports_without_what_is_optional() -> None:
    code = """
import importlib, pkgutil, sys
for absent in ["torch", "diffusers", "transformers", "accelerate", "safetensors", "nuscenes", "ray", "rerun"]:
    sys.modules[absent] = None
names = ["models"]
for package in map(importlib.import_module, ["scenegraph", "render", "drivesim"]):
    names += [package.__name__, *(m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + "."))]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""
    assert int(_python(code)) > len(PACKAGES)


# -- somebody else's package under one of our names ----------------------------------------------------


@pytest.mark.parametrize("name", ["models", "render", "scenegraph"])
def test_a_foreign_package_of_the_same_name_is_named_and_not_imported(tmp_path: Path, name: str) -> None:
    intruder = tmp_path / name / "__init__.py"
    intruder.parent.mkdir()
    intruder.write_text("print('imported')")
    said = _python("import drivesim", folder=tmp_path, expect=1)
    assert said.splitlines()[-1] == (
        f"ImportError: drivesim needs its own package {name!r} in {ROOT}, but Python finds {intruder} first. "
        f"Run from another folder, or rename that one"
    )
    assert "imported\n" not in said


def test_a_foreign_module_of_the_same_name_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "render.py").write_text("print('imported')")
    said = _python("import drivesim", folder=tmp_path, expect=1)
    assert f"but Python finds {tmp_path / 'render.py'} first" in said
    assert "imported\n" not in said


def test_a_folder_of_the_same_name_without_code_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "weights.txt").write_text("x")
    assert _python("import drivesim, models; print(models.__file__)", folder=tmp_path) == f"{ROOT}/models/__init__.py\n"


# -- what is shipped -----------------------------------------------------------------------------------


def test_configs_are_found_in_a_clone_and_shipped_in_the_wheel() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert configs_folder() == ROOT / "configs"
    assert wheel["force-include"] == {"configs": "drivesim/configs"}
    assert sorted(wheel["packages"]) == PACKAGES


def test_every_dependency_is_pinned_and_torch_is_optional() -> None:
    pinned = {
        line.partition("==")[0].replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    extras = PROJECT["project"]["optional-dependencies"]
    core = {_name(requirement) for requirement in PROJECT["project"]["dependencies"]}
    everything = core.union(*({_name(r) for r in extras[e]} for e in ("model", "nuscenes", "ray", "dev")))
    assert sorted(everything - pinned) == []
    assert not core & {"torch", "diffusers", "transformers", "opencv-python"}


def _name(requirement: str) -> str:
    """``ray[default]>=2.40`` -> ``ray``."""
    end = next((i for i, c in enumerate(requirement) if c in "[<>=~! ;"), len(requirement))
    return requirement[:end]


def test_the_public_surface_is_what_the_readme_promises() -> None:
    assert sorted(drivesim.__all__) == [
        "DriveSimError",
        "FrameRange",
        "GenerationSettings",
        "Prompts",
        "Sampling",
        "__version__",
        "control_videos",
        "generate_clip",
        "load_generator",
        "load_rig",
        "load_scene",
        "scene_job",
        "write_preview",
    ]
    assert dir(drivesim) == sorted(drivesim.__all__)
    with pytest.raises(AttributeError, match=r"^module 'drivesim' has no attribute 'nothing'$"):
        drivesim.nothing  # noqa: B018


def test_the_readme_lists_every_module_and_no_other() -> None:
    tree = (ROOT / "README.md").read_text().split("## How it is built")[1].split("```")[1]
    listed: set[str] = set()
    folders: list[tuple[int, str]] = []
    for line in tree.splitlines():
        entry, indent = line[:22].strip(), len(line) - len(line.lstrip())
        if entry.endswith("/"):
            folders = [(depth, name) for depth, name in folders if depth < indent] + [(indent, entry)]
        elif entry and not entry.endswith(".md"):
            names = [word.strip() for word in line.strip().split("  ")[0].split(",")]
            listed |= {"".join(name for _, name in folders) + name for name in names if name}
    found = {
        path.relative_to(ROOT).with_suffix("").as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if path.stem != "__init__"
    }
    assert listed == found


def test_the_rig_and_the_python_lines_of_the_readme_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (ROOT / "README.md").read_text()
    rig = tmp_path / "rig.yaml"
    rig.write_text(readme.split("### A rig of your own")[1].split("```yaml\n")[1].split("```")[0])
    assert drivesim.load_rig(rig).names == ("front",)
    write_clipgt(crossing_scene(3.0), tmp_path / "LOG")
    code = readme.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    exec(code.replace("seconds=2.9", "seconds=0.2"), {})
    assert len(list((tmp_path / "OUT").rglob("*.mp4"))) == 7


def test_the_lines_of_the_readme_that_generate_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tiny_models import write_tiny_weights

    code = (ROOT / "README.md").read_text().split("```python\n")[2].split("```")[0]
    write_clipgt(
        crossing_scene(3.0).with_rig(drivesim.load_rig(configs_folder() / "rigs" / "nuscenes-6.yaml")), tmp_path / "LOG"
    )
    write_tiny_weights(tmp_path / "WEIGHTS", ["A rainy street at dusk."])
    monkeypatch.chdir(tmp_path)
    exec(code.replace("seed=7", "seed=7, sampling=drivesim.Sampling(steps=1)"), {})
    assert len(list((tmp_path / "OUT").rglob("*.mp4"))) == 6 + 2
