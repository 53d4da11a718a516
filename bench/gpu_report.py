"""One command for the day a GPU is there: is the op right on it, and how fast.

    python -m bench.gpu_report             # under 8 minutes; --quick: about one
    python -m bench.gpu_report --out DIR
    python -m bench.gpu_report --resume    # goes on with the report that is there

It needs a CUDA build of torch and of dtpinn, and CuPy for two of the rivals:
``pip install -e '.[bench,cupy]'``. Parity with SciPy and CuPy on every shape; the product, its
transpose and its gradient against cuSPARSE and the paper's DLPack round trip; a training step,
eager and as a CUDA graph; a short training against the CPU's. It leaves ``gpu_report.json``, with
every figure, and ``gpu_report.md``, with tables: both are written anew after each measurement, so
that a kill loses no more than one. Nodes and matrices are made before the minutes are counted. What
fails, be it a rival, a method or a whole measurement, is told, and the rest goes on.

Exit status: 0, also where there is no GPU to report on; 1 if anything came out wrong or failed, or
there is a GPU and dtpinn was built without CUDA.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from bench.gpu_machine import machine, no_gpu, no_kernels
from bench.gpu_parity import parity
from bench.gpu_products import copy_bandwidth, products
from bench.gpu_tables import tables, troubles
from bench.gpu_target import GPU, Target
from bench.gpu_training import DTYPES, METHODS, problem_on_host, short_training, steps
from bench.jobs import Job, run_jobs
from bench.operands import stencil_matrix
from bench.shapes import SHAPES
from dtpinn.output import replacing, write_json
from dtpinn.output.files import to_json

MINUTES = 7.0  # of the 8: a job that has begun is not cut short


@dataclass(frozen=True)
class Sizes:
    """What is measured; `counts` and `lengths` (N and n) with the largest value first."""

    counts: tuple[int, ...] = (19_638, 2236, 200_000, 4977, 100_000, 582)
    lengths: tuple[int, ...] = (31, 57)
    steps_up_to: int = 100_000
    training: tuple[int, int] = (2236, 30)  # nodes, epochs
    seconds: float = 0.5  # for each operation on each matrix
    fp64_only: bool = False  # in the parity checks, and int32 only


FULL = Sizes()
QUICK = Sizes(FULL.counts[:2], (31,), training=(582, 5), seconds=0.2, fp64_only=True)


def plan(target: Target, sizes: Sizes) -> Iterator[Job]:
    """All that is to be done: right, then fast, then fast with longer rows."""

    def timed(n: int) -> Iterator[Job]:
        for count in sizes.counts:
            run = partial(products, target, count, n, sizes.seconds)
            yield Job("products", f"N = {count}, n = {n}", run)

    for name in SHAPES:
        yield Job("parity", name, partial(_parity, name, target.device, sizes.fp64_only))
    yield Job("copy", "bandwidth", partial(_one, copy_bandwidth, target))
    yield from timed(sizes.lengths[0])
    for count in sizes.counts:
        if count <= sizes.steps_up_to:
            yield Job("steps", f"N = {count}", partial(_one, steps, target, count, sizes.seconds))
    count, epochs = sizes.training
    run = partial(_one, short_training, target, count, epochs)
    yield Job("training", f"N = {count}, {epochs} epochs", run)
    for n in sizes.lengths[1:]:
        yield from timed(n)


def _parity(name: str, device: str, quick: bool) -> list[dict[str, Any]]:
    return [asdict(check) for check in parity(name, device, quick=quick)]


def _one(measure: Callable[..., dict[str, Any]], *arguments: object) -> list[dict[str, Any]]:
    return [measure(*arguments)]


def write_report(report: dict[str, Any], out: Path) -> str:
    """Leave both files in a directory, and return the tables."""
    write_json(out / "gpu_report.json", report)
    text = tables(report)
    with replacing(out / "gpu_report.md", "w") as file:
        file.write(text + "\n")
    return text


def prepare(sizes: Sizes, progress: Callable[[str], object]) -> None:
    """Make on the host, and keep, what the jobs ask for: nodes, matrices, discrete problems.

    What fails here fails in its job again, and is told there.
    """
    for count in sorted({*sizes.counts, sizes.training[0]}):
        progress(f"prepares  N = {count}")
        with suppress(Exception):
            for n in sizes.lengths:
                stencil_matrix(count, n)
            if count <= sizes.steps_up_to:
                for method, dtype in product(METHODS, DTYPES):
                    problem_on_host(method, dtype, count)


def earlier_report(out: Path, known: dict[str, Any]) -> dict[str, Any] | None:
    """What `--resume` goes on with; None where there is nothing yet.

    Raises ValueError where another machine, another commit or other sizes were measured.
    """
    path = out / "gpu_report.json"
    if not path.exists():
        return None
    report = json.loads(path.read_text())
    now = json.loads(to_json(known))
    different = [key for key in ("sizes", "machine") if report[key] != now[key]]
    if different:
        raise ValueError(
            f"--resume: the report in {out} is of another {' and other '.join(different)} than "
            "this one; give another --out, or leave --resume away to begin anew"
        )
    return report


def make_report(
    target: Target, sizes: Sizes, out: Path, seconds: float, resume: bool = False
) -> int:
    """Measure within a budget, write after each job, print; the exit status."""
    out.mkdir(parents=True, exist_ok=True)  # what cannot be written is told before minutes pass
    progress = partial(print, file=sys.stderr, flush=True)
    known = {"sizes": asdict(sizes), "machine": machine(target.device)}
    before = earlier_report(out, known) if resume else None
    known = {"started": time.strftime("%Y-%m-%d %H:%M:%S"), **known}
    if seconds > 0:
        prepare(sizes, progress)
    report = run_jobs(
        plan(target, sizes), seconds, progress,
        save=lambda so_far: write_report({**known, **so_far}, out), before=before,
    )  # fmt: skip
    report = {**known, **report}
    print(write_report(report, out))
    print(f"\n{out / 'gpu_report.json'} and {out / 'gpu_report.md'}", file=sys.stderr)
    return 1 if troubles(report) else 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "gpu_report", description="Check and time dtpinn's sparse product on a GPU."
    )
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"), help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="about a minute: few sizes, fp64")
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help="what is left then is skipped (%(default)s)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the report that is in --out"
    )
    settings = parser.parse_args(arguments)
    if reason := no_gpu():
        print(f"gpu_report: nothing to report: {reason}")
        return 0
    if reason := no_kernels():
        print(f"gpu_report: {reason}", file=sys.stderr)
        return 1
    warnings.filterwarnings("ignore", "Sparse", UserWarning)  # torch.sparse is in beta state
    sizes = QUICK if settings.quick else FULL
    try:
        return make_report(
            GPU, sizes, settings.out, seconds=60 * settings.minutes, resume=settings.resume
        )
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
