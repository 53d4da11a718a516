"""The paper's DT-PINN as published, to measure ours against it.

The same loss as :func:`dtpinn.discretize` computes, in the way of the authors' listings (appendix)
and scripts: a separate product for L and for B, by CuPy and DLPack on a GPU; for the heat equation
a loop over the slices, each with products of its own and two passes through the network, one for
the products and one for u_t by automatic differentiation; ``torch.optim.LBFGS`` with a fixed step.

Deviations: the backward product is the operator's own transpose and not a global, and CuPy runs on
torch's stream (:class:`~dtpinn.reference.CuPyProduct`). On a CPU, for which nothing was published,
the products are torch's with a stored transpose. The step is not halved when a run diverges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from dtpinn.nodes import Nodes
from dtpinn.pde import PDE, Derivatives, Operator
from dtpinn.pde.arguments import Argument, check_argument
from dtpinn.pde.row_gradients import rates
from dtpinn.problem.arrangement import arrange, counted_sides
from dtpinn.problem.matrices import assemble_matrices, key_of
from dtpinn.problem.posed import pose
from dtpinn.problem.problem import Model, Problem, check_device
from dtpinn.problem.regions import Region, boundary_regions, pde_region
from dtpinn.problem.time_slices import TimeSlices, with_time
from dtpinn.reference import CuPyProduct, Product, TorchProduct
from dtpinn.sparse import CSR

# The authors' steps for DT-PINNs in fp64, tuned by hand.
LEARNING_RATES = {"poisson": 0.04, "nonlinear-poisson": 0.01, "heat": 0.4}


class PublishedProblem(Problem):
    """The residuals of a DT-PINN by separate products, slice after slice.

    Made by :func:`published`; equal to those of :func:`dtpinn.discretize` to round-off.
    """

    extended: Tensor

    def __init__(
        self,
        pde: PDE,
        nodes: Nodes,
        order: int,
        times: Tensor | Sequence[float] | None,
        dtype: torch.dtype,
    ) -> None:
        # Every boundary node with one normal and one ghost, and the equation on all of X.
        everywhere = partial(arrange, ghosts="all")
        super().__init__(pose(pde, nodes, times, dtype, "mean", everywhere))
        self.set_weights("equal")
        self.matrices = assemble_matrices(
            nodes, self.regions, self.requests, order, None, {}, sturdy=False
        )
        self.register_buffer("extended", torch.tensor(nodes.extended, dtype=dtype))
        times_of = [None] if self.times is None else torch.split(self.times, 1)
        self._slices = nn.ModuleList(
            nn.ModuleList(
                [
                    pde_region(pde, nodes, np.arange(nodes.count), slices, dtype),
                    *boundary_regions(pde, nodes, counted_sides(nodes, "mean"), slices, dtype),
                ]
            )
            for slices in map(TimeSlices, times_of)
        )
        self._products: dict[str, Product] = {}

    def product(self, region: Region, operator: Operator) -> Product:
        """Return the product of an operator on a region, on the problem's present device."""
        key = key_of(region.name, operator)
        known = self._products.get(key)
        if known is None or known.device != self.device:
            matrix = CSR.from_scipy(self.matrices.by_key[key]).to(self.dtype).to(self.device)
            make = CuPyProduct if self.device.type == "cuda" else TorchProduct
            self._products[key] = known = make(matrix)
        return known

    def residuals(self, model: Model) -> dict[str, Tensor]:
        """Return every residual by name, each (n,) or (n, equations), differentiable."""
        slices = [self._slice(model, regions) for regions in self._slices]  # type: ignore[arg-type]
        names = [region.name for region in self.regions]
        result = {name: _node_major([part[name] for part in slices]) for name in names}
        if (initial := self.posed.initial) is not None:
            result[initial.name] = self.automatic_residual(model, initial)
        return result

    def _slice(self, model: Model, regions: Sequence[Region]) -> dict[str, Tensor]:
        """The residuals at one time."""
        time = regions[0].time
        points = with_time(
            self.extended, None if time is None else time[:1].expand(len(self.extended))
        )
        values = self.evaluate(model, points)
        result = {}
        for region in regions:
            D = SeparateProducts(self, model, region, points, values)
            result[region.name] = region.function(D.u, D, *region.data)
        return result


class SeparateProducts(Derivatives):
    """``D`` on one region at one time: each operator by itself, the time by a pass of its own."""

    def __init__(
        self,
        problem: PublishedProblem,
        model: Model,
        region: Region,
        points: Tensor,
        values: Tensor,
    ) -> None:
        self.dimension = region.points.shape[1]
        self._problem, self._model, self._region = problem, model, region
        self._points, self._values = points, values
        self.u = values[region.which]
        self.state = (self.u, *region.at)

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return one product with the values, or with those of a function of them, on X~."""
        check_argument(of, self.u, operator.name)
        x = self._points[:, : self.dimension]
        at = (x,) if self._region.time is None else (x, self._points[:, -1])
        values = self._values if isinstance(of, Tensor) else of(self._values, *at)
        return self._problem.product(self._region, operator)(values)

    def rate(self, of: Argument, order: int) -> Tensor:
        """Return a derivative in time, by a second pass through the model."""
        check_argument(of, self.u, "time")
        x, time = self._region.points, self._region.time
        assert time is not None  # the dry run has refused D.time in steady problems
        with torch.enable_grad():
            t = time.detach().requires_grad_()
            u = self._problem.evaluate(self._model, with_time(x, t))
            values = u if isinstance(of, Tensor) else of(u, x, t)
            return rates(values, t, order)


def published(
    pde: PDE,
    nodes: Nodes,
    order: int = 4,
    *,
    times: Tensor | Sequence[float] | None = None,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
) -> PublishedProblem:
    """Return the DT-PINN of an equation as the paper's authors compute it.

    Parameters
    ----------
    pde : PDE
    nodes : Nodes
    order : int
    times : (n_times,), optional
        Makes it a space-time problem, evaluated slice by slice.
    dtype : torch.dtype
    device : optional
        On a CUDA device the products are CuPy's.

    Examples
    --------
    >>> import torch, dtpinn
    >>> from dtpinn.experiments.published import published, published_optimizer
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] * x[:, 1])
    >>> model = dtpinn.MLP(2, width=10, depth=1, seed=0)
    >>> optimizer = published_optimizer("poisson")
    >>> result = dtpinn.fit(model, published(pde, nodes), epochs=2, optimizer=optimizer)
    >>> result.evaluations
    40
    """
    check_device(device)
    return PublishedProblem(pde, nodes, order, times, dtype).to(device=device)


def published_optimizer(problem: str) -> Callable[[list[Tensor]], torch.optim.LBFGS]:
    """Return the paper's optimiser for :func:`dtpinn.fit`: torch's L-BFGS with a fixed step.

    Parameters
    ----------
    problem : "poisson", "nonlinear-poisson" or "heat"
    """
    if problem not in LEARNING_RATES:
        raise ValueError(
            f"published_optimizer: expected one of {', '.join(LEARNING_RATES)}, got {problem!r}; "
            "for another problem choose a step yourself: partial(torch.optim.LBFGS, lr=...)"
        )
    return partial(torch.optim.LBFGS, lr=LEARNING_RATES[problem])


def _node_major(slices: Sequence[Tensor]) -> Tensor:
    """Residuals of every slice as those of a space-time problem: all times of a node together."""
    return slices[0] if len(slices) == 1 else torch.stack(list(slices), dim=1).flatten(0, 1)
