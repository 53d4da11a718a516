"""Section 4.2: the linear Poisson problem (3) on the unit disk with the solution (19).

Deviations from the paper: L-BFGS has a strong-Wolfe line search, where the paper tuned a fixed
step by hand for every method; the nodes are our own (theirs come from another generator); errors
are measured on 21,748 points of our own making.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from dtpinn.experiments.settings import Settings, SettingsError
from dtpinn.experiments.versions import versions
from dtpinn.geometry import Disk
from dtpinn.models import MLP
from dtpinn.nodes import Nodes, place_nodes
from dtpinn.pde import Poisson
from dtpinn.pde.solutions import sine_cosine
from dtpinn.problem import DiscreteProblem, Problem, discretize, vanilla
from dtpinn.training import Result, fit
from dtpinn.training.result import relative_distance

TEST_POINTS = 21748  # as many as the paper's test set
MANY_NODES = 20_000  # above which the direct solve lasts long enough to be announced
TEST_SEED = 1_000_003  # no seed that a run is likely to have


def run(
    settings: Settings,
    out: Path | None = None,
    *,
    resume: bool = False,
    progress: bool | None = None,
    report: Callable[[str], None] = print,
) -> Result:
    """Place nodes, assemble, train, measure; leave everything in `out`.

    Parameters
    ----------
    settings : Settings
    out : Path, optional
        An existing directory, for ``result.json``, ``history.csv``, ``picture.png`` and
        ``checkpoint.pt``, the last of which is also written while training goes on.
    resume : bool
        Go on from the checkpoint in `out`.
    progress : bool, optional
        As for :func:`dtpinn.fit`.
    report : callable
        Receives a line of text for each stage.

    Examples
    --------
    >>> result = run(Settings(nodes=200, epochs=2), report=lambda line: None)
    >>> result.summary()["nodes"]["boundary"] > 30
    True
    """
    seconds: dict[str, float] = {}
    with stage(seconds, "nodes"):
        nodes = place_nodes(Disk(), count=settings.nodes, seed=settings.seed)
    report(f"nodes       {nodes.interior_count} interior, {nodes.boundary_count} boundary, "
           f"{nodes.ghost_count} ghost; {nodes.quality()}; {seconds['nodes']:.2f} s")  # fmt: skip

    with stage(seconds, "assembly"):
        problem = make_problem(settings, nodes)
    report(f"problem     {settings.method}, {settings.dtype}, order {settings.order}; "
           f"{seconds['assembly']:.2f} s")  # fmt: skip

    if nodes.count > MANY_NODES:
        report(f"floor       solving the discrete system of {nodes.count} nodes directly ...")
    with stage(seconds, "direct_solve"):
        floor = direct_error(settings, nodes, problem)
    report(f"floor       {floor:.2e}, the relative l2 error of the discrete solution; "
           f"{seconds['direct_solve']:.2f} s")  # fmt: skip

    model = MLP(2, width=settings.width, depth=settings.depth, dtype=settings.torch_dtype,
                device=settings.device, seed=settings.seed)  # fmt: skip
    result = fit(
        model,
        problem,
        settings.epochs,
        exact=sine_cosine,
        points=fine_points(settings),
        progress=progress,
        checkpoint=None if out is None else out / "checkpoint.pt",
        resume=out / "checkpoint.pt" if resume and out is not None else None,
        details=identity(settings),
    )
    result.floor = floor
    result.details.update(details(settings, nodes, seconds))
    report(closing_lines(result))
    if out is not None:
        result.save(out)
        report(f"files       {out}/: result.json, history.csv, picture.png, checkpoint.pt")
    return result


@contextmanager
def stage(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Time a stage of the preparation; what it finds impossible was asked for in the settings."""
    start = time.perf_counter()
    try:
        yield
    except ValueError as error:
        raise SettingsError(str(error)) from error
    seconds[name] = time.perf_counter() - start


def make_problem(settings: Settings, nodes: Nodes) -> Problem:
    """Return the problem (3), (2) with alpha = beta = 1, by the method asked for."""
    pde = Poisson.from_solution(sine_cosine, alpha=1.0, beta=1.0)
    dtype, device = settings.torch_dtype, settings.device
    if settings.method == "vanilla":
        return vanilla(pde, nodes, dtype=dtype, device=device)
    return discretize(pde, nodes, settings.order, dtype=dtype, device=device)


def direct_error(settings: Settings, nodes: Nodes, problem: Problem) -> float:
    """Return the relative l2 error on X of the discrete solution of this order on these nodes."""
    if not isinstance(problem, DiscreteProblem):
        problem = discretize(problem.pde, nodes, settings.order)
    points = torch.tensor(nodes.collocation, device=problem.device)
    return relative_distance(problem.solve(), sine_cosine(points))


def fine_points(settings: Settings) -> Tensor:
    """Return a fine set of points to measure the error on, the same for every run: (n, 2)."""
    points = place_nodes(Disk(), count=TEST_POINTS, seed=TEST_SEED).collocation
    return torch.tensor(points, dtype=settings.torch_dtype, device=settings.device)


def identity(settings: Settings) -> dict[str, object]:
    """Return what a run must share with the checkpoint that it goes on from."""
    free = {"epochs", "device", "nodes"}  # `nodes` is what was asked; the counts go by that name
    fixed = {name: value for name, value in settings.as_dict().items() if name not in free}
    return {"problem": "poisson", "nodes_asked": settings.nodes, **fixed}


def details(settings: Settings, nodes: Nodes, seconds: dict[str, float]) -> dict[str, object]:
    """Return what else ``result.json`` holds beside the figures of the training."""
    counts = {
        "interior": nodes.interior_count,
        "boundary": nodes.boundary_count,
        "ghost": nodes.ghost_count,
    }
    return {
        "device": settings.device,
        "nodes": counts,
        "test_points": TEST_POINTS,
        "seconds": seconds,
        "versions": versions(),
    }


def closing_lines(result: Result) -> str:
    """Return the outcome in three lines: the error with its floor, the time, why it ended."""
    last, best = result.history[-1], result.history.best
    lines = [
        f"error       {last.error:.2e} relative l2 on {TEST_POINTS} test points"
        + ("" if best is None else f" (lowest {best.error:.2e} at epoch {best.epoch})")
        + f"; the floor is {result.floor:.1e}",
        f"training    {last.seconds:.1f} s, {last.epoch} epochs, {last.evaluations} evaluations, "
        f"{1e3 * last.seconds / last.evaluations:.2f} ms each",
        f"stopped     {result.stop_reason}; loss {last.loss:.2e}",
    ]
    return "\n".join(lines)
