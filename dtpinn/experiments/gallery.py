"""Domains of every kind: nodes, matrices and a direct solve, with the observed order of each.

The Poisson problem with the Robin condition du/dn + u = g and a known solution, solved directly (no
network) on three clouds of every domain. Errors are relative l2 errors on X of the finest; the
observed order is the slope of the logarithms by least squares, with h taken as N^(-1/d).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dtpinn.experiments.versions import versions
from dtpinn.geometry import (
    Annulus,
    Ball,
    Box,
    ClosedCurve,
    Disk,
    Domain,
    Ellipse,
    Polygon,
    Rectangle,
    Torus,
)
from dtpinn.nodes import Nodes, place_nodes
from dtpinn.output import replacing, save_figure, write_json
from dtpinn.pde import Poisson
from dtpinn.problem import discretize

ORDERS = (2, 3, 4, 5)
COUNTS = {2: (1000, 2500, 6000), 3: (1000, 2200, 5000)}  # nodes of the clouds, by dimension
QUICK = {2: (400, 600, 1000), 3: (400, 600, 1000)}


def flower(t: np.ndarray) -> np.ndarray:
    """Five petals; t in [0, 1)."""
    angle = 2.0 * np.pi * t
    radius = 1.0 + 0.25 * np.cos(5.0 * angle)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def shapes() -> dict[str, Domain]:
    """Name -> domain: smooth and with corners, convex and not, in one piece with and without holes.

    Examples
    --------
    >>> [name for name, domain in shapes().items() if domain.dimension == 3]
    ['ball', 'box', 'torus', 'two balls']
    """
    plate = Rectangle((-1.0, -0.6), (1.0, 0.6))
    return {
        "disk": Disk(),
        "ellipse": Ellipse((1.0, 0.5)),
        "annulus": Annulus(0.4, 1.0),
        "flower": ClosedCurve(flower),
        "L shape": Polygon([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]),
        "plate with holes": plate - Disk(0.3, (-0.5, 0.0)) - Disk(0.2, (0.5, 0.2)),
        "ball": Ball(),
        "box": Box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        "torus": Torus(1.0, 0.45),
        "two balls": Ball() | Ball(0.8, (0.9, 0.0, 0.0)),
    }


def solution(x: Tensor) -> Tensor:
    """A smooth function of any number of coordinates, without symmetry; x is (n, d), (n,)."""
    phase = x @ (0.7 + 0.4 * torch.arange(x.shape[1], dtype=x.dtype, device=x.device))
    return torch.sin(phase + 0.3) * torch.exp(0.3 * x[:, 0])


@dataclass(frozen=True)
class Row:
    """One domain: the finest cloud, what it cost, and errors and observed orders by order."""

    name: str
    dimension: int
    nodes: int
    seconds: dict[str, float]  # of the finest cloud, matrices and solve at order 4
    separation: float
    fill: float
    errors: dict[int, float]
    observed: dict[int, float]


def solve(nodes: Nodes, order: int) -> tuple[float, float, float]:
    """Relative l2 error of the direct solve, and the seconds of its matrices and itself."""
    start = time.perf_counter()
    problem = discretize(Poisson.from_solution(solution, alpha=1.0, beta=1.0), nodes, order=order)
    assembled = time.perf_counter()
    u = problem.solve()
    solved = time.perf_counter()
    exact = solution(torch.from_numpy(nodes.collocation.copy()))
    error = torch.linalg.vector_norm(u - exact) / torch.linalg.vector_norm(exact)
    return float(error), assembled - start, solved - assembled


def measure(name: str, domain: Domain, counts: Sequence[int]) -> tuple[Row, Nodes]:
    """Place, assemble and solve on all clouds; the row of the table, and the coarsest cloud."""
    clouds, placing = [], 0.0
    for count in counts:
        start = time.perf_counter()
        clouds.append(place_nodes(domain, count=count))
        placing = time.perf_counter() - start
    finest, seconds = clouds[-1], {}
    logarithm_of_h = [-math.log(nodes.count) / domain.dimension for nodes in clouds]
    errors, observed = {}, {}
    for order in ORDERS:
        solved = [solve(nodes, order) for nodes in clouds]
        errors[order] = solved[-1][0]
        logarithms = [math.log(error) for error, *_ in solved]
        observed[order] = float(np.polyfit(logarithm_of_h, logarithms, 1)[0])
        if order == 4:
            seconds = {"nodes": placing, "matrices": solved[-1][1], "solve": solved[-1][2]}
    quality = finest.quality(domain)
    row = Row(
        name, domain.dimension, finest.count, seconds, quality.separation, quality.fill, errors,
        observed,
    )  # fmt: skip
    return row, clouds[0]


def run(
    out: Path | None = None,
    *,
    quick: bool = False,
    names: Sequence[str] | None = None,
    report: Callable[[str], None] = print,
) -> list[Row]:
    """Solve on every domain; leave ``gallery.json``, ``gallery.md`` and ``gallery.png`` in `out`.

    Parameters
    ----------
    out : Path, optional
        An existing directory.
    quick : bool
        Small clouds: seconds instead of minutes, and orders that are not yet the asymptotic ones.
    names : sequence of str, optional
        Some of :func:`shapes`, all by default.
    report : callable
        Receives a line of text for each domain.

    Examples
    --------
    >>> (row,) = run(quick=True, names=["disk"], report=lambda line: None)
    >>> row.errors[4] < 1e-3
    True
    """
    chosen = {name: shapes()[name] for name in names or shapes()}
    rows, clouds = [], []
    for name, domain in chosen.items():
        row, coarsest = measure(name, domain, (QUICK if quick else COUNTS)[domain.dimension])
        report(
            f"{name}: {row.nodes} nodes, fill/separation {row.fill / row.separation:.2f}, "
            f"error {row.errors[4]:.1e} at order 4, observed orders "
            + ", ".join(f"{row.observed[order]:.1f}" for order in ORDERS)
        )
        rows.append(row)
        clouds.append(coarsest)
    if out is not None:
        write_json(out / "gallery.json", {"versions": versions(), "rows": list(map(asdict, rows))})
        with replacing(out / "gallery.md", "w") as file:
            file.write(table(rows) + "\n")
        draw(out / "gallery.png", dict(zip(chosen, clouds, strict=True)))
    return rows


def table(rows: Sequence[Row]) -> str:
    """The rows as a table in Markdown."""
    header = ["shape", "N", "nodes, s", "matrices, s", "solve, s", "separation / h", "fill / h"]
    header += ["ratio", "error, p = 4", *(f"order, p = {order}" for order in ORDERS)]
    lines = [
        [
            row.name,
            f"{row.nodes:,}",
            *(f"{seconds:.2f}" for seconds in row.seconds.values()),
            *(f"{q:.2f}" for q in (row.separation, row.fill, row.fill / row.separation)),
            f"{row.errors[4]:.1e}",
            *(f"{row.observed[order]:.1f}" for order in ORDERS),
        ]
        for row in rows
    ]
    rule = ["---"] * len(header)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *lines])


def draw(path: Path, clouds: Mapping[str, Nodes]) -> None:
    """Draw the clouds side by side, five in a row."""
    from matplotlib.figure import Figure

    across = min(5, len(clouds))
    down = -(-len(clouds) // across)
    figure = Figure(figsize=(3.0 * across, 2.8 * down), layout="constrained")
    for place, (name, nodes) in enumerate(clouds.items(), start=1):
        kind = "3d" if nodes.dimension == 3 else None
        axes = figure.add_subplot(down, across, place, projection=kind)
        nodes.plot(ax=axes)
        axes.set_title("", loc="left")  # what the picture of a single cloud says of it
        axes.set_title(f"{name}, N = {nodes.count}", fontsize=10)
        axes.set_axis_off()
        if (legend := axes.get_legend()) is not None:
            legend.remove()
    save_figure(path, figure, dpi=110)
