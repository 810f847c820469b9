"""Compiled code is kept, and forgotten when anything changes that went into it."""

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import render.compiling


def run(folder):
    """What the compiled function of a little package answers, and whether it came from the disk."""
    script = "from little.outer import f; print(f(1.0), sum(f.stats.cache_hits.values()))"
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    answer, hits = done.stdout.split()
    return float(answer), int(hits)


def write(folder, name, text):
    (folder / "little" / name).write_text(textwrap.dedent(text))


def test_a_change_in_another_file_is_noticed(tmp_path):
    (tmp_path / "little").mkdir()
    shutil.copy(Path(render.compiling.__file__), tmp_path / "little" / "compiling.py")
    write(tmp_path, "__init__.py", "")
    write(tmp_path, "palette.py", "SCALE = 10.0")
    inner = """
        from .compiling import njit
        @njit
        def g(x):
            return x + 1.0
    """
    outer = """
        from .compiling import njit
        from .inner import g
        from .palette import SCALE
        @njit
        def f(x):
            return SCALE * g(x)
    """
    write(tmp_path, "inner.py", inner)
    write(tmp_path, "outer.py", outer)
    assert run(tmp_path) == (20.0, 0)
    assert run(tmp_path) == (20.0, 1)
    write(tmp_path, "inner.py", inner.replace("1.0", "2.0"))
    assert run(tmp_path) == (30.0, 0)
    write(tmp_path, "palette.py", "SCALE = 7.0")
    assert run(tmp_path) == (21.0, 0)
    assert run(tmp_path) == (21.0, 1)


def test_what_is_kept_for_a_class_that_has_moved_is_compiled_again(tmp_path):
    (tmp_path / "little").mkdir()
    shutil.copy(Path(render.compiling.__file__), tmp_path / "little" / "compiling.py")
    write(tmp_path, "__init__.py", "")
    pair = """
        from typing import NamedTuple
        class Pair(NamedTuple):
            a: float
    """
    outer = """
        from .compiling import njit
        from .PLACE import Pair
        @njit
        def g(pair):
            return pair.a + 1.0
        def f(x):
            return g(Pair(x))
        f.stats = g.stats
    """
    write(tmp_path, "one.py", pair)
    write(tmp_path, "outer.py", outer.replace("PLACE", "one"))
    assert run(tmp_path) == (2.0, 0)
    write(tmp_path, "one.py", "")
    write(tmp_path, "two.py", pair)
    write(tmp_path, "outer.py", outer.replace("PLACE", "two"))
    assert run(tmp_path) == (2.0, 0)
