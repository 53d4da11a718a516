"""The vanilla PINN by forward differentiation: derivatives travel through the model with values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from dtpinn.jets import Jet
from dtpinn.operators import Operator
from dtpinn.operators.operator import name_of
from dtpinn.pde import Derivatives
from dtpinn.pde.arguments import Argument, check_argument
from dtpinn.problem.automatic_problem import AutomaticProblem
from dtpinn.problem.jet_plan import JetPlan
from dtpinn.problem.posed import Posed
from dtpinn.problem.problem import Model
from dtpinn.problem.regions import Region

# Bytes in one coordinate of the points that a core takes through the model at once: what one layer
# makes is then still in its cache when the next reads it. At 20,000 nodes that is up to 1.5 times
# as fast as all at once, and twice as much or half is within a tenth of the best.
BLOCK = 8192
# For the points of a region, under None, and for where each map takes them, by its name.
Plans = dict[str | None, JetPlan]
Where = Callable[[Tensor], Tensor]


class ForwardDerivatives(Derivatives):
    """``D`` by what the unknown's jet carries; a function of it is a jet as well.

    Parameters
    ----------
    region : Region
    plans : dict of name to JetPlan
    model : callable
        Of jets.
    where : callable, optional
        To other places than the region's points.
    """

    def __init__(
        self, region: Region, plans: Plans, model: Callable[[Jet], Jet], where: Where | None = None
    ) -> None:
        self.dimension = region.points.shape[1]
        self._region, self._plans, self._model = region, plans, model
        self._plan = plans[None if where is None else name_of(where)]
        places = region.points if where is None else where(region.points).detach()
        points = self._plan.start(region, places)
        x = points[:, : self.dimension]
        self._at = (x,) if region.time is None else (x, points[:, self.dimension])
        self._jet = model(points)
        components = self._jet.stack.unbind()
        self.u = components[0]
        self.state = (self.u, places, *region.at[1:])
        self._elsewhere: dict[int, tuple[Where, ForwardDerivatives]] = {}
        # Keyed by identity; the argument is kept beside its components so that its id stays its.
        self._seen: dict[int, tuple[Argument, Sequence[Tensor]]] = {
            id(self.u): (self.u, components)
        }

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return the operator applied to every field of the argument."""
        check_argument(of, self.u, operator.name)
        if operator.where is not None:
            there = self._there(operator.where)
            return there.apply(replace(operator, where=None), there.u if of is self.u else of)
        return self._plan.read(self._components(of), operator)

    def rate(self, of: Argument, order: int) -> Tensor:
        """Return a derivative in time of every field of the argument."""
        check_argument(of, self.u, "time")
        return self._plan.rate(self._components(of), order)

    def _there(self, where: Where) -> ForwardDerivatives:
        """The same of the model at other places."""
        if id(where) not in self._elsewhere:
            there = ForwardDerivatives(self._region, self._plans, self._model, where)
            self._elsewhere[id(where)] = where, there
        return self._elsewhere[id(where)][1]

    def _components(self, of: Argument) -> Sequence[Tensor]:
        if id(of) not in self._seen:
            assert not isinstance(of, Tensor)  # the unknown was seen first
            result = of(self._jet, *self._at)
            result = result if isinstance(result, Jet) else self._jet.constant(result)
            self._seen[id(of)] = of, result.stack.unbind()
        return self._seen[id(of)][1]


class ForwardProblem(AutomaticProblem):
    """The residuals of an equation with derivatives by one forward pass.

    Made by :func:`vanilla`. Values, first and second derivatives go through the model together, as
    a :class:`~dtpinn.jets.jet.Jet`, so there is no backward pass but training's own. That one is
    not differentiable again.
    """

    def __init__(self, posed: Posed) -> None:
        super().__init__(posed)
        requests = [*posed.requests, *posed.requests_at_start]
        self._plans = {
            region.name: _plans(region, [r.operator for r in requests if r.region == region.name])
            for region in posed.nodal
        }

    def residual_on(self, model: Model, region: Region) -> Tensor:
        """Return the residual on one of the regions of nodal values, differentiable."""

        def in_blocks(points: Jet) -> Jet:
            blocks = torch.split(points.stack, self._block(len(points)), dim=1)
            values = [self._values(model, points.like(block)).stack for block in blocks]
            return points.like(torch.cat(values, dim=1))

        D = ForwardDerivatives(region, self._plans[region.name], in_blocks)
        return region.residual(D.u, D)

    def _block(self, count: int) -> int:
        """How many of so many points to take through the model together."""
        if self.device.type != "cpu":
            return count  # a GPU wants all of them
        return BLOCK // self.dtype.itemsize * torch.get_num_threads()

    def _values(self, model: Model, points: Jet) -> Jet:
        u = self.evaluate(model, points)
        return u if isinstance(u, Jet) else points.constant(u)


def _plans(region: Region, asked: Sequence[Operator]) -> Plans:
    by_map: defaultdict[str | None, list[Operator]] = defaultdict(list, {None: []})
    for operator in asked:
        by_map[None if operator.where is None else name_of(operator.where)].append(operator)
    return {name: JetPlan(region, operators) for name, operators in by_map.items()}
