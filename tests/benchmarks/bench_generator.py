"""What a step of the network costs, how near it is to what the machine can do, and what every saving saves.

Regime: random weights, everything in one process. The default is a reduced width on the CPU at which attention is most
of the work; ``--full`` is the released size at 1280x720, 7 views, 29 frames, and wants a GPU of 24 to 80 GB. Times are
medians after one call that is not counted; what is compared is measured in turns; sampled clips are run once. Seconds
are wall time with the device synchronised, or on one thread of a CPU, the default there, this process's CPU time,
which what else is running disturbs less.

The ceiling is a large square matrix multiplication in the same type, and the floor the FLOP of a step at that ceiling.
It is measured again at the end: where it has changed much, something else was running and the numbers are worth
little. FLOP are those of ``models.cost``, a multiply-add counting two. Peak memory is that of preparing a clip and one
step, beside weights, text and control latents: on CUDA what the allocator says, on the CPU the bytes of live tensors,
counted in a pass of its own that is not timed (workspace inside an operator is not seen).

    python tests/benchmarks/bench_generator.py [--device cuda --dtype bf16 --full] [--only step,mixing]

The last line is everything as JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Self, TypeAlias

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch._C._autograd import DeviceType  # noqa: E402
from torch.profiler import ProfilerActivity, profile  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402

from models.attention import attend  # noqa: E402
from models.config import PRESETS, TransformerConfig, ViewMixing  # noqa: E402
from models.cost import ClipShape, activation_bytes, forward_flop  # noqa: E402
from models.errors import ModelError  # noqa: E402
from models.generator import MultiViewGenerator  # noqa: E402
from models.request import GenerationRequest  # noqa: E402
from models.sampling import Sampling  # noqa: E402
from models.shapes import latent_frame_count, pixel_frame_count  # noqa: E402
from models.transformer import Conditioning, MultiViewTransformer  # noqa: E402
from models.tuning import Tuning, tune  # noqa: E402

Work: TypeAlias = Callable[[], object]
Row: TypeAlias = dict[str, float | str]

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
MIXINGS: tuple[ViewMixing, ...] = ("joint", "decomposed", "neighbours")
DISTINCT_TEXTS = 3
"""Of a clip in the official arrangement: the caption, the negative prompt and what stands for no text."""

GROUPS = {
    "attention": ("scaled_dot_product", "flash_attention", "efficient_attention", "cudnn_attention", "softmax"),
    "linear layers": ("::mm", "::addmm", "::bmm", "::linear", "mkldnn"),
    "GELU": ("::gelu",),
    "copies, casts, joins": ("::copy_", "::cat", "::fill_", "::index"),
    "norms, modulation, rotary, gates": (
        "layer_norm", "::mul", "::add", "::sub", "::pow", "::mean", "::sum", "::div", "::rsqrt", "::silu",
    ),
}  # fmt: skip
"""Parts of a step by what their operators are called; the first that fits counts."""


# -- clock and memory ---------------------------------------------------------------------------------


def synchronise(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def now(device: torch.device) -> float:
    """Seconds on the clock, once the device has done its work."""
    synchronise(device)
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    return time.process_time() if alone else time.perf_counter()


def seconds(work: Work, device: torch.device) -> float:
    """Of one call."""
    begin = now(device)
    work()
    return now(device) - begin


def compare(device: torch.device, repeats: int, **works: Work) -> dict[str, float]:
    """Median seconds of each, measured in turns after one call each that is not counted."""
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            times[name].append(seconds(work, device))
    return {name: median(values) for name, values in times.items()}


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of tensors made inside, and remembers the most there were at a time."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._alive: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = {x.untyped_storage()._cdata for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)}
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor) and tensor.untyped_storage()._cdata not in given | self._alive:
                self._count(tensor.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        self._alive.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._alive.discard(key)
        self.now -= size


def peak_bytes(work: Work, device: torch.device) -> int:
    """The most memory one call has at a time beside what was there before."""
    gc.collect()
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        work()
        return int(torch.cuda.max_memory_allocated(device) - before)
    count = LiveBytes()
    with count:
        work()
    return count.peak


# -- what is measured ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A network, a clip and where they run. neighbours: bool [V,V], a ring."""

    config: TransformerConfig
    shape: ClipShape
    device: torch.device
    dtype: torch.dtype
    repeats: int
    piece: int
    steps: int

    @property
    def neighbours(self) -> Tensor:
        """Every view sees the one before and the one after."""
        ring = torch.eye(self.shape.views).roll(1, 0).bool()
        return (ring | ring.T) & ~torch.eye(self.shape.views).bool()

    @property
    def flop(self) -> float:
        """Of a forward pass."""
        return forward_flop(self.config, self.shape, int(self.neighbours.sum()))

    def mixed(self, mixing: ViewMixing) -> Case:
        """The same with another pattern of attention, and without the weights that project text."""
        return replace(self, config=replace(self.config, view_mixing=mixing, text_channels=1))

    def randn(self, *shape: int) -> Tensor:
        """Random numbers in the case's type, on its device."""
        return torch.randn(shape, dtype=self.dtype, device=self.device)


def random_network(case: Case) -> MultiViewTransformer:
    """A network made where it runs, in its type from the start; its matrices keep the size of what they multiply."""
    with torch.device("meta"):
        network = MultiViewTransformer(case.config)
    network = network.to(case.dtype).to_empty(device=case.device).eval()
    for name, parameter in network.named_parameters():
        if parameter.ndim == 2:
            parameter.normal_(std=1.0 if "embeddings" in name else parameter.shape[1] ** -0.5)
        else:
            parameter.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
    return network


class Clip:
    """Random inputs of a network, and the two calls of it that are measured."""

    def __init__(self, case: Case, network: MultiViewTransformer) -> None:
        shape, config = case.shape, case.config
        latents = (1, shape.views, config.latent_channels, shape.latent_frames, shape.height, shape.width)
        self.network, self.neighbours = network, case.neighbours
        self.control, self.latents = case.randn(*latents), case.randn(*latents)
        self.text = case.randn(1, shape.views, shape.text_tokens, config.text_width)
        self.rays = case.randn(shape.views, 6, shape.height, shape.width)
        self.timestep = torch.tensor([500.0], device=case.device)
        self.conditioning = self.prepare()

    def prepare(self) -> Conditioning:
        """What is done once per clip."""
        return self.network.prepare(self.control, self.text, rays=self.rays, neighbours=self.neighbours)

    def step(self) -> Tensor:
        """What is done in every pass."""
        velocity: Tensor = self.network(self.latents, self.timestep, self.conditioning)
        return velocity

    def prepare_and_step(self) -> Tensor:
        """Both."""
        velocity: Tensor = self.network(self.latents, self.timestep, self.prepare())
        return velocity


class AverageCodec:
    """Latents that are averages of pixels, so that a clip can be sampled without a codec's weights and time."""

    latent_channels, spatial_factor, temporal_factor = 16, 8, 4
    dtype = torch.float32

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def identity(self) -> dict[str, Any]:
        """Its kind."""
        return {"kind": "average"}

    def encode(self, video: Tensor) -> Tensor:
        """Video [N,3,T,H,W] to latents [N,C,L,h,w]."""
        averages = torch.nn.functional.avg_pool3d(video[:, :, ::4], (1, 8, 8))
        return averages.repeat(1, 6, 1, 1, 1)[:, : self.latent_channels]

    def decode(self, latents: Tensor) -> Tensor:
        """Latents [N,C,L,h,w] to grey video [N,3,T,H,W]."""
        count, _, frames, height, width = latents.shape
        return torch.zeros(count, 3, pixel_frame_count(frames), height * 8, width * 8)

    def working_bytes(self, frames: int, height_px: int, width_px: int) -> int:
        """Peak memory of decoding one video."""
        return 3 * 4 * frames * height_px * width_px

    def to(self, device: torch.device | str) -> Self:
        """Move it to a device, in place."""
        self.device = torch.device(device)
        return self


@dataclass(frozen=True)
class RandomText:
    """Embeddings of nothing in particular."""

    case: Case

    def identity(self) -> dict[str, Any]:
        """Its kind."""
        return {"kind": "random"}

    def encode(self, texts: Any) -> Tensor:
        """Texts [U] to embeddings [U,N,C]."""
        return self.case.randn(len(texts), self.case.shape.text_tokens, self.case.config.text_channels)


# -- the parts of the report --------------------------------------------------------------------------


def measure_ceiling(case: Case) -> float:
    """FLOP/s of a matrix multiplication."""
    side = 8192 if case.device.type == "cuda" else 2048
    a, b = case.randn(side, side), case.randn(side, side)
    return 2 * side**3 / compare(case.device, max(9, case.repeats), matmul=lambda: a @ b)["matmul"]


def measure_kernel(case: Case) -> float:
    """FLOP/s of attention alone, at the network's head size and as many tokens as see each other."""
    shape, heads = case.shape, case.config.num_heads
    tokens = shape.tokens(case.config)
    clips, length = (1, tokens) if case.config.view_mixing == "joint" else (shape.views, tokens // shape.views)
    q, k, v = (case.randn(clips, length, heads, case.config.head_size) for _ in range(3))
    spent = compare(case.device, max(5, case.repeats), attention=lambda: attend(q, k, v))["attention"]
    return 4 * clips * length**2 * case.config.hidden_size / spent


def measure_step(case: Case, clip: Clip, ceiling: float) -> dict[str, float]:
    """A step as the product runs it."""
    tune(clip.network, Tuning(piece=case.piece))
    spent = compare(case.device, case.repeats, step=clip.step)["step"]
    return judged(case, clip, spent, ceiling)


def judged(case: Case, clip: Clip, spent: float, ceiling: float) -> dict[str, float]:
    """The seconds of a step beside what they could be, and its memory."""
    return {
        "seconds": spent,
        "flop": case.flop,
        "flops": case.flop / spent,
        "share_of_ceiling": case.flop / spent / ceiling,
        "floor_seconds": case.flop / ceiling,
        "peak_bytes": peak_bytes(clip.prepare_and_step, case.device),
        "estimated_bytes": activation_bytes(
            case.config, case.shape, case.dtype.itemsize, case.piece, int(case.neighbours.sum())
        ),
        "weight_bytes": sum(p.numel() * p.element_size() for p in clip.network.parameters()),
    }


def measure_savings(case: Case, clip: Clip) -> list[Row]:
    """Savings that change nothing but rounding, each with and without."""
    device, network = case.device, clip.network
    texts = case.randn(1, case.shape.text_tokens, case.config.text_channels)
    every = 2 * case.shape.views

    def stepping(piece: int | None) -> Work:
        def work() -> None:
            tune(network, Tuning(piece=piece))
            clip.step()

        return work

    def project(count: int) -> Work:
        return lambda: [network.project_text(texts) for _ in range(count)]

    tune(network, Tuning(piece=case.piece))
    clip_time = compare(device, case.repeats, once=clip.step, always=clip.prepare_and_step)
    text_time = compare(device, case.repeats, once=project(DISTINCT_TEXTS), always=project(every))
    piece_time = compare(device, case.repeats, pieces=stepping(case.piece), whole=stepping(None))
    peaks = []
    for piece in (case.piece, None):
        tune(network, Tuning(piece=piece))
        peaks.append(peak_bytes(clip.prepare_and_step, device))
    return [
        row("step, conditioning prepared once per clip", clip_time["once"], clip_time["always"], "s"),
        row(f"text, {DISTINCT_TEXTS} distinct projected, not {every}", text_time["once"], text_time["always"], "s"),
        row(f"step in pieces of {case.piece} tokens", piece_time["pieces"], piece_time["whole"], "s"),
        row("peak memory in pieces", peaks[0] / 1e9, peaks[1] / 1e9, "GB"),
        row("hints as needed, not stacked (arithmetic)", hint_bytes(case) / 1e9, stacked_bytes(case) / 1e9, "GB"),
    ]


def row(what: str, having: float, lacking: float, unit: str, change: float = 0.0) -> Row:
    """A saving; change: relative L2 of what comes out."""
    return {"what": what, "with": having, "without": lacking, "unit": unit, "change": change}


def hint_bytes(case: Case) -> int:
    """Of the one hint that is alive; the network has no other way, so the stack beside it is computed."""
    return case.shape.tokens(case.config) * case.config.hidden_size * case.dtype.itemsize


def stacked_bytes(case: Case) -> int:
    """Of all hints at a time."""
    return hint_bytes(case) * len(case.config.control_places)


def measure_sampling(case: Case, network: MultiViewTransformer, threshold: float) -> list[Row]:
    """Whole clips of one frame: with and without guidance, and the lossy switches with what they change."""
    tune(network, Tuning())
    full = Sampling(steps=case.steps)
    variants = {
        "no unconditional pass at guidance 0": replace(full, guidance=0.0),
        "lossy: guidance in the first half": replace(full, guidance_span=(0.0, 0.49)),
        f"lossy: step cache at {threshold:g}": replace(full, cache_threshold=threshold),
    }
    sample_clip(case, network, replace(full, steps=1))
    reference, lacking = sample_clip(case, network, full)
    rows = []
    for name, sampling in variants.items():
        latents, having = sample_clip(case, network, sampling)
        change = 0.0 if sampling.guidance == 0 else relative(latents, reference)
        rows.append(row(f"{name}, {case.steps} steps", having, lacking, "s", change))
    return rows


def sample_clip(case: Case, network: MultiViewTransformer, sampling: Sampling) -> tuple[Tensor, float]:
    """Final latents [V,C,1,h,w] of a clip of one frame, and the seconds of sampling alone."""
    shape, rays = case.shape, None
    if case.config.view_identity == "rays":
        rays = np.ones((shape.views, 6, shape.height, shape.width), np.float32)
    request = GenerationRequest(
        np.zeros((shape.views, 1, shape.height * 8, shape.width * 8, 3), np.uint8),
        tuple(f"camera {view}" for view in range(shape.views)),
        rays=rays,
        neighbours=case.neighbours.numpy(),
        sampling=sampling,
    )
    moments: list[float] = []

    def progress(what: str, done: int, total: int) -> None:
        if what in ("Sampling", "Decoding"):
            moments.append(now(case.device))

    torch.manual_seed(0)
    generator = MultiViewGenerator(network, AverageCodec(case.device), RandomText(case))
    _, latents = generator.generate_with_latents(request, progress)
    return latents, moments[sampling.steps] - moments[0]


def measure_int8(case: Case, clip: Clip) -> list[Row]:
    """8-bit attention; on the CPU it is written out in torch, so that only the change means something there."""
    exact = clip.step()
    try:
        tune(clip.network, Tuning(attention="int8"))
    except ModelError as error:
        print(f"8-bit attention left out: {error}")
        return []
    change = relative(clip.step(), exact)
    spent = seconds(clip.step, case.device)
    tune(clip.network, Tuning(piece=case.piece))
    note = "lossy: 8-bit attention" + (" (emulated)" if case.device.type == "cpu" else "")
    return [row(note, spent, seconds(clip.step, case.device), "s", change)]


def relative(changed: Tensor, reference: Tensor) -> float:
    """Relative L2 distance."""
    return float((changed - reference).norm() / reference.norm())


def measure_compiled(case: Case, clip: Clip) -> list[Row]:
    """Compiled blocks against plain ones. They stay compiled, so this comes last."""
    plain = compare(case.device, case.repeats, plain=clip.step)["plain"]
    tune(clip.network, Tuning(piece=case.piece, compile=True))
    return [row("torch.compile", compare(case.device, case.repeats, it=clip.step)["it"], plain, "s")]


def measure_mixings(case: Case, ceiling: float) -> list[dict[str, Any]]:
    """The three patterns at one shape."""
    cases = {mixing: case.mixed(mixing) for mixing in MIXINGS}
    clips = {mixing: Clip(other, random_network(other)) for mixing, other in cases.items()}
    for clip in clips.values():
        tune(clip.network, Tuning(piece=case.piece))
    spent = compare(case.device, case.repeats, **{mixing: clip.step for mixing, clip in clips.items()})
    return [{"what": mixing} | judged(cases[mixing], clips[mixing], spent[mixing], ceiling) for mixing in MIXINGS]


def measure_breakdown(case: Case, clip: Clip) -> dict[str, float]:
    """Seconds of a step per group of operators, from one profiled step."""
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (case.device.type == "cuda")
    with profile(activities=activities, acc_events=True) as profiler:
        clip.step()
        synchronise(case.device)
    spent = dict.fromkeys((*GROUPS, "other"), 0.0)
    for event in profiler.key_averages():
        if event.device_type != DeviceType.CPU:
            continue  # a kernel, already counted with the operator that started it
        name = next((group for group, parts in GROUPS.items() if any(part in event.key for part in parts)), "other")
        on_gpu = case.device.type == "cuda"
        spent[name] += (event.self_device_time_total if on_gpu else event.self_cpu_time_total) / 1e6
    return spent


# -- print --------------------------------------------------------------------------------------------


def describe(case: Case) -> str:
    """The regime, before anything is measured."""
    config, shape = case.config, case.shape
    where = processor() if case.device.type == "cpu" else torch.cuda.get_device_name(case.device)
    tokens, blocks = shape.tokens(config), f"{config.num_blocks}+{len(config.control_places)}"
    return (
        f"machine   {where}, {torch.get_num_threads()} CPU threads, torch {torch.__version__}, {case.dtype}\n"
        f"network   D={config.hidden_size}, {config.num_heads} heads, {blocks} blocks, {config.view_mixing}, "
        f"random weights\n"
        f"clip      {shape.views} views, {pixel_frame_count(shape.latent_frames)} frames, "
        f"{shape.width * 8}x{shape.height * 8}: {tokens} tokens, {shape.text_tokens} of text per view\n"
        f"work      {case.flop / 1e12:.4g} TFLOP per forward, {attention_share(case):.0%} of it attention"
    )


def attention_share(case: Case) -> float:
    """Part of a forward pass's FLOP that is attention among video tokens: what grows with the square of a picture."""
    taller = replace(case, shape=replace(case.shape, height=2 * case.shape.height))
    return (taller.flop - 2 * case.flop) / 2 / case.flop


def processor() -> str:
    """What the CPU calls itself."""
    table = Path("/proc/cpuinfo")
    lines = table.read_text().splitlines() if table.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def print_step(step: dict[str, float], kernel: float) -> None:
    """The step against what it could be."""
    print(f"\nkernel    {kernel / 1e12:.4g} TFLOP/s of attention alone, at this length and head size")
    print(f"step      {step['seconds']:.3f} s, floor {step['floor_seconds']:.3f} s")
    print(f"reached   {step['flops'] / 1e12:.4g} TFLOP/s, {step['share_of_ceiling']:.0%} of the ceiling")
    print(
        f"memory    {step['peak_bytes'] / 1e9:.3f} GB at most (estimated {step['estimated_bytes'] / 1e9:.3f}), "
        f"and {step['weight_bytes'] / 1e9:.3f} GB of weights"
    )


def print_savings(rows: list[Row]) -> None:
    """Each saving with and without."""
    print(f"\n{'saving':<58}{'with':>9}{'without':>9}{'':>4}{'ratio':>7}{'change':>8}")
    for entry in rows:
        ratio = float(entry["with"]) / float(entry["without"])
        change = f"{entry['change']:8.4f}" if entry["change"] else f"{'-':>8}"
        print(f"{entry['what']:<58}{entry['with']:9.3f}{entry['without']:9.3f} {entry['unit']:<3}{ratio:7.2f}{change}")
    print("change: relative L2 of what comes out; with random weights it says nothing about pictures")


def print_mixings(rows: list[dict[str, Any]]) -> None:
    """The patterns side by side, FLOP and time also as a part of the first one's."""
    print(
        f"\n{'pattern':<12}{'TFLOP':>9}{'seconds':>9}{'FLOP':>7}{'time':>7}{'ceiling':>9}{'peak GB':>9}{'estimate':>9}"
    )
    first = rows[0]
    for entry in rows:
        print(
            f"{entry['what']:<12}{entry['flop'] / 1e12:9.4g}{entry['seconds']:9.3f}"
            f"{entry['flop'] / first['flop']:7.2f}{entry['seconds'] / first['seconds']:7.2f}"
            f"{entry['share_of_ceiling']:9.0%}{entry['peak_bytes'] / 1e9:9.3f}{entry['estimated_bytes'] / 1e9:9.3f}"
        )


def print_breakdown(spent: dict[str, float]) -> None:
    """Where the time of a step goes."""
    print(f"\n{'part of a step, profiled':<36}{'seconds':>9}{'share':>7}")
    for name, value in spent.items():
        print(f"{name:<36}{value:9.3f}{value / sum(spent.values()):7.0%}")


# -- options ------------------------------------------------------------------------------------------

SECTIONS = ("step", "savings", "sampling", "int8", "mixing", "breakdown")


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="fp32")
    parser.add_argument("--preset", choices=tuple(PRESETS), help="the width of a known network; without, a reduced one")
    parser.add_argument("--width", type=int, help="D")
    parser.add_argument("--heads", type=int)
    parser.add_argument("--blocks", type=int)
    parser.add_argument("--interval", type=int, help="base blocks per control block")
    parser.add_argument("--mixing", choices=MIXINGS)
    parser.add_argument("--views", type=int, default=7)
    parser.add_argument("--frames", type=int, help="4k+1")
    parser.add_argument("--size", help="WIDTHxHEIGHT in pixels, multiples of 16")
    parser.add_argument("--text-tokens", type=int, help="per view")
    parser.add_argument("--piece", type=int, help="tokens of an MLP at a time")
    parser.add_argument("--steps", type=int, default=8, help="of the clips of one frame that are sampled")
    parser.add_argument("--cache-threshold", type=float, default=0.1)
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--full", action="store_true", help="the released size at 720p, 29 frames, 512 of text")
    parser.add_argument("--compile", action="store_true", help="measure torch.compile too")
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"some of {', '.join(SECTIONS)}")
    return parser.parse_args()


def case_of(asked: argparse.Namespace) -> Case:
    """What to measure: a preset or the reduced width, and what was asked to be different."""
    full = asked.full or asked.preset is not None
    config = PRESETS[asked.preset or "cosmos-2b-joint"]
    if not full:
        config = replace(config, hidden_size=512, num_heads=4, num_blocks=2, control_interval=1)
    wanted = {
        "hidden_size": asked.width, "num_heads": asked.heads, "num_blocks": asked.blocks,
        "control_interval": asked.interval, "view_mixing": asked.mixing,
    }  # fmt: skip
    config = replace(config, **{name: value for name, value in wanted.items() if value is not None})
    width, height = map(int, (asked.size or ("1280x720" if asked.full else "320x192")).split("x"))
    frames = latent_frame_count(asked.frames or (29 if asked.full else 9))
    text_tokens = asked.text_tokens or (512 if asked.full else 64)
    shape = ClipShape(asked.views, frames, height // 8, width // 8, text_tokens)
    piece = asked.piece or min(16384, shape.tokens(config) // 7)
    return Case(config, shape, torch.device(asked.device), DTYPES[asked.dtype], asked.repeats, piece, asked.steps)


def report(asked: argparse.Namespace, case: Case, ceiling: float) -> dict[str, Any]:
    """Measure and print part after part."""
    wanted, result = asked.only.split(","), dict[str, Any]()
    clip = Clip(case, random_network(case))
    if "step" in wanted:
        result |= {"kernel_flops": measure_kernel(case), "step": measure_step(case, clip, ceiling)}
        print_step(result["step"], result["kernel_flops"])
    if "breakdown" in wanted:
        result["breakdown"] = measure_breakdown(case, clip)
        print_breakdown(result["breakdown"])
    savings: list[Row] = measure_savings(case, clip) if "savings" in wanted else []
    savings += measure_sampling(case, clip.network, asked.cache_threshold) if "sampling" in wanted else []
    savings += measure_int8(case, clip) if "int8" in wanted else []
    savings += measure_compiled(case, clip) if asked.compile else []
    if savings:
        result["savings"] = savings
        print_savings(savings)
    del clip
    if "mixing" in wanted:
        result["mixing"] = measure_mixings(case, ceiling)
        print_mixings(result["mixing"])
    return result


@torch.inference_mode()
def main() -> None:
    """Print the regime, the tables, then everything as one line of JSON."""
    asked = options()
    case = case_of(asked)
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    print(describe(case), flush=True)
    ceiling = measure_ceiling(case)
    print(f"ceiling   {ceiling / 1e12:.4g} TFLOP/s of matrix multiplication", flush=True)
    result = report(asked, case, ceiling)
    after = measure_ceiling(case)
    print(f"\nceiling   {after / 1e12:.4g} TFLOP/s at the end{', DISTURBED' if abs(after / ceiling - 1) > 0.1 else ''}")
    regime = {"device": asked.device, "dtype": asked.dtype, "torch": torch.__version__, "shape": asdict(case.shape)}
    print(json.dumps(regime | {"ceiling_flops": ceiling, "ceiling_flops_after": after} | result))


if __name__ == "__main__":
    main()
