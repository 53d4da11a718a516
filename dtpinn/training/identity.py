"""What a problem is, as plain data: so that no run goes on with a checkpoint of another one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.models import MLP
from dtpinn.problem import DiscreteProblem, Problem

# Entries that a checkpoint may lack, and what one without them was made with: it was written before
# there was a choice. Any other that it lacks tells nothing, and is not compared.
_ABSENT: dict[str, Any] = {"options": {}, "operators": []}
# Between processors the last digits differ, between problems the first ones.
_SAME = {"torch.float64": 1e-6, "torch.float32": 1e-2}


def identity(problem: Problem) -> dict[str, Any]:
    """Return what defines a problem, by name, with its unknown coefficients as they are.

    Nodes and times are told by a digest. Functions cannot be compared, so equation, data, matrices
    and weights are told by what they make of a fixed smooth function: the parts of its loss.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    dict
        Plain data, for :func:`differences`.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> pde = dtpinn.Poisson(None, dtpinn.Dirichlet())
    >>> fourth, fifth = (identity(dtpinn.discretize(pde, nodes, order=p)) for p in (4, 5))
    >>> next(differences(fourth, fifth))
    ("the problem's order", 4, 5)
    """
    nodes = problem.nodes
    told: dict[str, Any] = {
        "kind": type(problem).__name__,
        "equation": type(problem.pde).__name__,
        "dtype": str(problem.dtype),
    }
    if isinstance(problem, DiscreteProblem):
        told["order"] = problem.order
        told["options"] = {key: str(value) for key, value in sorted(problem.options.items())}
        told["operators"] = sorted(map(str, problem.own_matrices))
    told["nodes"] = f"{nodes!r}, digest {_digest(nodes.extended, nodes.spacing)}"
    told["times"] = None if problem.times is None else _told_times(problem.times)
    return {**told, "of a test function": _of_a_test_function(problem)}


def differences(
    saved: dict[str, Any], present: dict[str, Any], by_values: bool = True
) -> Iterator[tuple[str, Any, Any]]:
    """Yield what differs between two identities: its name, and both.

    The parts of the loss of the test function, unless not `by_values`, where all else is the same:
    of another order, or on other nodes, they differ as well.
    """
    last = "of a test function"
    told = {name: saved.get(name, _ABSENT.get(name, value)) for name, value in present.items()}
    for name, value in present.items():
        if name != last and told[name] != value:
            yield f"the problem's {name}", told[name], value
            by_values = False
    if not by_values:
        return
    before, now = told[last], present[last]
    if list(before) != list(now):
        yield "the residuals", list(before), list(now)
    for name in [key for key in before if key in now]:  # in their order, whatever the hashes
        if not _close(before[name], now[name], _SAME[present["dtype"]]):
            yield f"the residual {name!r} of a test function", before[name], now[name]


@contextmanager
def with_coefficients(problem: Problem, state: dict[str, Tensor]) -> Iterator[None]:
    """While open, a problem has the coefficients of a checkpoint, and the weights of its own."""
    _ = problem.weights  # they are taken once, when they are first needed: before, therefore
    pde = problem.pde
    before = {name: value.clone() for name, value in pde.state_dict().items()}
    pde.load_state_dict(state)
    try:
        yield
    finally:
        pde.load_state_dict(before)


def _close(a: float | None, b: float | None, tolerance: float) -> bool:
    if a is None or b is None:  # not finite
        return a == b
    return abs(a - b) <= tolerance * max(abs(a), abs(b))


def _digest(points: Floats, spacing: float) -> str:
    """Of points to the sixth digit of the spacing, which rounding leaves alone."""
    step = 10.0 ** (math.floor(math.log10(spacing)) - 6)
    return hashlib.sha256(np.round(points / step).astype(np.int64).tobytes()).hexdigest()[:8]


def _told_times(times: Tensor) -> str:
    digest = _digest(times.numpy(), float(times.diff().min()))
    return f"{len(times)} from {times[0]:g} to {times[-1]:g}, digest {digest}"


def _of_a_test_function(problem: Problem) -> dict[str, float | None]:
    """The parts of the loss of a smooth function, whatever the units of the domain are."""
    with torch.random.fork_rng(devices=[]):  # a residual that draws numbers draws the same ones
        torch.manual_seed(0)
        parts = problem.loss_parts(problem.residuals(_test_function(problem)))
    values = {name: float(part.detach()) for name, part in parts.items()}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _test_function(problem: Problem) -> Callable[[Tensor], Tensor]:
    dtype, device = problem.dtype, problem.device
    corners = np.array([np.min(problem.nodes.extended, 0), np.max(problem.nodes.extended, 0)])
    first, last = torch.tensor(corners, dtype=dtype, device=device)
    if problem.times is not None:
        ends = problem.times[[0, -1]].to(device, dtype)
        first, last = torch.cat([first, ends[:1]]), torch.cat([last, ends[1:]])
    network = MLP(
        len(first),
        width=5,
        depth=2,
        fields=problem.pde.field_count,
        dtype=dtype,
        device=device,
        seed=0,
    )
    return lambda points: 1.0 + network((points - first) / (last - first))
