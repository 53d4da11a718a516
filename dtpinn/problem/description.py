"""What a discrete problem consists of, to be read before hours are spent on training it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from dtpinn.output import format_table
from dtpinn.problem.curve import CurveProduct
from dtpinn.problem.discrete_system import DiscreteSystem
from dtpinn.problem.posed import Posed
from dtpinn.problem.problem import Problem
from dtpinn.problem.products import Products


@dataclass(frozen=True)
class OperatorDescription:
    """One operator on one region.

    `condition_median` and `condition_max` are of the stencils' linear systems, estimated; None
    for a matrix that was given. They do not depend on the spacing: 1e4 to 1e9 is usual, and far
    more than that points at a stencil of badly placed nodes.
    """

    region: str
    operator: str
    shape: tuple[int, int]
    nonzeros: int
    condition_median: float | None
    condition_max: float | None


@dataclass(frozen=True)
class Description:
    """Operators, nonzeros, conditioning and memory of a discrete problem; ``print`` it."""

    nodes: str
    order: int
    dtype: str
    times: int
    operators: tuple[OperatorDescription, ...]
    products: str
    nonzeros: int
    memory_bytes: int
    weights: str

    @property
    def megabytes(self) -> float:
        """Memory in MiB."""
        return self.memory_bytes / 2**20

    def __str__(self) -> str:
        header = ["region", "operator", "shape", "nonzeros", "per row", "condition", "worst"]
        rows = [
            [
                o.region,
                o.operator,
                f"{o.shape[0]} x {o.shape[1]}",
                o.nonzeros,
                f"{o.nonzeros / max(o.shape[0], 1):.0f}",
                "given" if o.condition_median is None else f"{o.condition_median:.0e}",
                "" if o.condition_max is None else f"{o.condition_max:.0e}",
            ]
            for o in self.operators
        ]
        times = f", {self.times} times" if self.times > 1 else ""
        head = f"{self.nodes}\norder {self.order}, {self.dtype}{times}"
        foot = f"{self.products}, {self.nonzeros} nonzeros a step; {self.megabytes:.1f} MiB"
        told = f"weights in the loss: {self.weights}"
        return f"{head}\n\n{format_table(rows, header)}\n\n{foot}\n{told}"


def describe(problem: Problem, system: DiscreteSystem, products: Products) -> Description:
    """Collect the figures; nothing costly that assembly has not computed already."""
    posed, operators = problem.posed, []
    for request in posed.requests:
        matrix = system.matrices.of(request.region, request.operator)
        condition = system.matrices.condition.get(request.region)
        operators.append(
            OperatorDescription(
                request.region,
                request.operator.name + " of a function" * request.of_function,
                matrix.shape,
                matrix.nnz,
                None if condition is None else float(np.median(condition)),
                None if condition is None else float(np.max(condition)),
            )
        )
    matrices, count = system.matrices.by_key.values(), len(products.all)
    along = any(isinstance(product, CurveProduct) for product in products.all)
    return Description(
        nodes=f"{posed.nodes!r}\n{_told_arrangement(posed)}",
        order=system.order,
        dtype=str(problem.dtype).removeprefix("torch."),
        times=posed.slices.count,
        operators=tuple(operators),
        products=f"{count} product{'s' * (count != 1)}"
        + " along a curve, as the nodes are scattered in memory" * along,
        nonzeros=sum(o.nonzeros for o in operators),
        weights=told_weights(problem),
        memory_bytes=sum(t.numel() * t.element_size() for t in _tensors(problem))
        + sum(m.data.nbytes + m.indices.nbytes + m.indptr.nbytes for m in matrices),
    )


def _told_arrangement(posed: Posed) -> str:
    """Say where what holds."""
    equation, *conditions = posed.regions
    sides = sum(len(region.rows) for region in conditions)
    data = sum(len(region.points) for region in posed.data)
    return (
        f"the equation at {len(equation.rows)} of {posed.nodes.count} nodes, conditions on "
        f"{sides} sides of {posed.nodes.boundary_count} boundary nodes"
        + f"; {data} data"
        * bool(data)
    )


def told_weights(problem: Problem) -> str:
    """Return the weights of the loss as text, "and" between the equations of a residual."""

    def numbers(weight: float | tuple[float, ...]) -> str:
        each = weight if isinstance(weight, tuple) else (weight,)
        return " and ".join(f"{w:.1e}" for w in each)

    return ", ".join(f"{name} {numbers(weight)}" for name, weight in problem.weights.items())


def _tensors(problem: Problem) -> Iterator[Tensor]:
    yield from problem.buffers()
    yield from problem.parameters()
