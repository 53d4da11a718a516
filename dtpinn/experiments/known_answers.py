"""Problems with loads whose answers are known: one number each, read off a direct solve.

Beside the gallery's manufactured solutions these have what real problems have: data that come by
part, corners where conditions meet, solutions that are singular there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.geometry import Disk, Domain, Polygon, Rectangle
from dtpinn.nodes import place_nodes
from dtpinn.output import replacing
from dtpinn.pde import (
    PDE,
    BoundaryCondition,
    Derivatives,
    Dirichlet,
    LinearElasticity,
    Neumann,
    Poisson,
    Traction,
    Young,
)
from dtpinn.problem import discretize

ORDERS = (2, 3, 4, 5)
COUNT, QUICK = 4000, 1000
PLATE = Young(1.0, 0.3, plane="stress")


@dataclass(frozen=True)
class KnownAnswer:
    """A domain, an equation, and a number of its solution.

    `read` takes points (n, 2) and values (n,) or (n, fields) and finds the number; `answer` is what
    it should be, by `source`.
    """

    domain: Domain
    equation: Callable[[], PDE]
    read: Callable[[Floats, Floats], float]
    answer: float
    source: str


class Symmetry(BoundaryCondition):
    """A plane of symmetry of an elastic body: no displacement across it, no force along it."""

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the displacement along the normal and the force along the plane, (n, 2)."""
        force = torch.einsum("nij,nj->ni", PLATE.stress(u, D), n)
        along = force - (force * n).sum(1, keepdim=True) * n
        return along + (u * n).sum(1, keepdim=True) * n


def problems() -> dict[str, KnownAnswer]:
    """Name -> problem.

    Examples
    --------
    >>> list(problems())
    ['torsion of an L', 'flow past a cylinder', 'plate with a hole']
    """
    corner = [(0, 0), (1, 0), (1, -1), (-1, -1), (-1, 1), (0, 1)]
    channel = Rectangle((-2, 0), (2, 2)) - Disk(1.0)
    quarter = Rectangle((0, 0), (2, 2)) - Disk(1.0)
    return {
        "torsion of an L": KnownAnswer(
            Polygon(corner),
            lambda: Poisson(lambda x: -torch.ones(len(x), dtype=x.dtype), Dirichlet()),
            lambda x, u: float(u.max()),
            0.1494124,
            "largest u, by particular solutions",
        ),
        "flow past a cylinder": KnownAnswer(
            channel,
            _flow,
            lambda x, u: float(u[_nearest(x, (1.0, 0.0))]),
            2.0,
            "potential where the stream comes together, x (1 + 1 / r**2)",
        ),
        "plate with a hole": KnownAnswer(
            quarter,
            _plate,
            lambda x, u: float(u[_nearest(x, (1.0, 0.0)), 0]),
            3.0,
            "displacement of the hole's edge along the pull, Kirsch 1898",
        ),
    }


def measure(problem: KnownAnswer, count: int) -> tuple[int, list[float]]:
    """N, and the number that each of the orders finds."""
    nodes = place_nodes(problem.domain, count=count)
    solutions = [discretize(problem.equation(), nodes, order=p).solve().numpy() for p in ORDERS]
    return nodes.count, [problem.read(nodes.collocation, u) for u in solutions]


def run(
    out: Path | None = None,
    *,
    quick: bool = False,
    names: Sequence[str] | None = None,
) -> str:
    """Solve all of them, or some; return the table, and leave it as ``answers.md`` in `out`.

    Examples
    --------
    >>> print(run(quick=True, names=["flow past a cylinder"]).splitlines()[0])
    | problem | N | p = 2 | p = 3 | p = 4 | p = 5 | known | what |
    """
    header = ["problem", "N", *(f"p = {order}" for order in ORDERS), "known", "what"]
    lines = [header, ["---"] * len(header)]
    for name in names or problems():
        problem = problems()[name]
        count, found = measure(problem, QUICK if quick else COUNT)
        numbers = [f"{value:.5g}" for value in found]
        lines.append([name, f"{count:,}", *numbers, f"{problem.answer:.7g}", problem.source])
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    if out is not None:
        with replacing(out / "answers.md", "w") as file:
            file.write(table + "\n")
    return table


def _flow() -> Poisson:
    """Upper half: what comes in and leaves as the exact flow does, and two walls."""

    def potential(x: Tensor, n: Tensor) -> Tensor:
        return x[:, 0] * (1 + 1 / (x**2).sum(1))

    def across(x: Tensor, n: Tensor) -> Tensor:
        a, b = x.T
        velocity = torch.stack([b**2 - a**2, -2 * a * b], dim=1) / (x**2).sum(1)[:, None] ** 2
        return n[:, 0] + (velocity * n).sum(1)

    sides = {"left": Dirichlet(potential), "right": Neumann(across), "top": Neumann(across)}
    return Poisson(None, sides | {"bottom": Neumann(), "circle": Neumann()})


def _plate() -> LinearElasticity:
    """A quarter, pulled by Kirsch's stress on its two outer sides; E = 1, a pull of 1 along x."""

    def stress(x: Tensor, n: Tensor) -> Tensor:
        q, a = 1 / (x**2).sum(1), torch.atan2(x[:, 1], x[:, 0])
        c, s = torch.cos(4 * a), torch.sin(4 * a)
        xx = 1 - q * (1.5 * torch.cos(2 * a) + c) + 1.5 * q**2 * c
        yy = -q * (0.5 * torch.cos(2 * a) - c) - 1.5 * q**2 * c
        xy = -q * (0.5 * torch.sin(2 * a) + s) + 1.5 * q**2 * s
        return torch.stack([xx * n[:, 0] + xy * n[:, 1], xy * n[:, 0] + yy * n[:, 1]], dim=1)

    sides: dict[str, BoundaryCondition] = dict.fromkeys(("right", "top"), Traction(PLATE, stress))
    sides |= dict.fromkeys(("left", "bottom"), Symmetry())
    return LinearElasticity(None, sides | {"circle": Traction(PLATE)}, material=PLATE)


def _nearest(x: Floats, place: tuple[float, float]) -> int:
    return int(np.argmin(np.hypot(*(x - np.array(place)).T)))
