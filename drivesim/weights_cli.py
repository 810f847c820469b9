"""``drivesim weights``: what a weights file holds, and weights in the form that loads safely and fast."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .generate_options import DeviceOption, TextCacheOption

if TYPE_CHECKING:
    from models.checkpoint import WeightsInfo


class Precision(StrEnum):
    """Number formats of weights."""

    BF16 = "bf16"
    FP32 = "fp32"


app = typer.Typer(
    name="weights",
    help="Inspect and convert weights of the generator.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AllowPickleOption = Annotated[
    bool,
    typer.Option("--allow-pickle", help="Run the code that the file may hold. Only if you trust where it comes from."),
]


@app.command()
def convert(
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", help="A .pt or .safetensors file, or a folder (distributed checkpoints too)."),
    ],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="The folder to write, such as WEIGHTS/transformer: config.json and model.safetensors."
        ),
    ],
    allow_pickle: AllowPickleOption = False,
    dtype: Annotated[Precision | None, typer.Option("--dtype", help="Of the weights; by default as stored.")] = None,
) -> None:
    """Write weights as a folder that loads without risk."""
    _require_torch()
    import torch

    from models.checkpoint import load_transformer, require_empty, save_transformer

    from . import console

    require_empty(out)
    dtypes = {None: None, Precision.BF16: torch.bfloat16, Precision.FP32: torch.float32}
    with console.working(f"Reading {source}"):
        model = load_transformer(source, dtypes[dtype], allow_pickle=allow_pickle)
    with console.working(f"Writing {out}"):
        save_transformer(model, out)
    parameters = list(model.parameters())
    names = sorted({_short(parameter.dtype) for parameter in parameters})
    count = sum(parameter.numel() for parameter in parameters)
    console.out.print(f"{out}: {len(parameters)} tensors of {count:,} parameters, {', '.join(names)}")


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A weights file or folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    allow_pickle: AllowPickleOption = False,
) -> None:
    """Say what a weights file holds."""
    _require_torch()
    import json

    from models.checkpoint import describe_weights

    from . import console

    with console.working(f"Reading {path}"):
        info = describe_weights(path, allow_pickle)
    if as_json:
        console.out.print(json.dumps(_as_dict(info), indent=2))
        return
    console.out.print(f"{path}: {info.holds}{_variant(info)}")
    for name, value in _facts(info):
        console.out.print(f"  {name}: {value}")
    if info.config is not None:
        rows = [[name, str(value)] for name, value in info.config.to_dict().items()]
        console.table("Configuration", ["field", "value"], rows)


@app.command()
def embed(
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="Folder of weights with a text_encoder.")],
    prompts: Annotated[Path, typer.Argument(metavar="FILE", help="Text file with one prompt per line.")],
    text_cache: TextCacheOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Embed prompts once, so that generating needs no text encoder."""
    _require_torch()
    from models.captions import DEFAULT_NEGATIVE_PROMPT, PLACEHOLDER
    from models.parallel import launcher_device
    from models.text import ReasonEncoder
    from models.text_cache import CachedText

    from . import console
    from .errors import SourceError

    try:
        lines = [line.strip() for line in prompts.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{prompts}: cannot be read as text: {error}") from error
    wanted = [line for line in dict.fromkeys(lines) if line]
    encoder = ReasonEncoder(weights / "text_encoder", launcher_device(device))
    cache = CachedText(text_cache or weights / "text_cache", encoder)
    texts = [DEFAULT_NEGATIVE_PROMPT, PLACEHOLDER, *wanted]
    with console.progress(f"Embedding {len(texts)} texts", len(texts)) as advance:
        for text in texts:
            cache.fill([text], release=False)
            advance()
    cache.release()
    console.out.print(f"{cache.folder}: holds {len(wanted)} prompts, the default negative prompt and the placeholder")


def _require_torch() -> None:
    try:
        import safetensors  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        from .errors import DriveSimError

        raise DriveSimError(f"weights need {error.name}. Install it with: pip install 'drivesim[model]'") from error


def _variant(info: WeightsInfo) -> str:
    if info.config is None:
        return ""
    mixing, identity = info.config.view_mixing, info.config.view_identity
    preset = f", preset {info.preset}" if info.preset else ""
    return f", mixing {mixing}, views by {identity}{preset}"


def _facts(info: WeightsInfo) -> list[tuple[str, str]]:
    dtypes = ", ".join(f"{name} ({count})" for name, count in sorted(info.dtypes.items())) or "none"
    facts = [
        ("format", info.form),
        ("tensors", f"{info.tensors:,}"),
        ("parameters", f"{info.parameters:,}"),
        ("dtypes", dtypes),
        ("ignored", _ignored(info.ignored)),
        ("digest", info.digest),
    ]
    if info.fault is not None:
        facts.append(("cannot be loaded", info.fault))
    return facts


def _ignored(names: tuple[str, ...]) -> str:
    if not names:
        return "nothing"
    return f"{len(names)} name{'s' if len(names) > 1 else ''}, such as {names[0]}"


def _as_dict(info: WeightsInfo) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(info) | {"path": str(info.path)}


def _short(dtype: object) -> str:
    return str(dtype).removeprefix("torch.")
