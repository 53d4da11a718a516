"""The exact Jacobian of residuals in the weights of a model's last layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from dtpinn.jets import Jet
from dtpinn.problem.automatic_problem import AutomaticProblem
from dtpinn.problem.forward_problem import ForwardProblem
from dtpinn.problem.regions import Region
from dtpinn.problem.time_slices import with_time

# Points at which a model is asked whether it is linear in the layer, and to what fraction.
_FEW, _BENDS = 5, 1e-9


class LastLayer:
    """Residuals as functions of the last linear layer of a model, all other weights held.

    Forward mode carries the derivatives that a residual takes through the network as one stack. The
    last layer multiplies every component of it by the same weights W, so a residual's gradient in W
    is ``sum_k delta_k h_k``: h_k what comes into the layer, delta_k the residual's slope in what
    comes out. One backward pass, from the residual to there, gives the delta of every point.

    Parameters
    ----------
    problem : AutomaticProblem
    model : nn.Module
        Its value is linear in the last ``nn.Linear`` that a call goes through.

    Attributes
    ----------
    parameters : list of Tensor
        Weight and, if there is one, bias.

    Raises
    ------
    ValueError
        If the problem is not in forward mode, or the model has no such layer.
    """

    def __init__(self, problem: AutomaticProblem, model: nn.Module) -> None:
        if not isinstance(problem, ForwardProblem):
            raise ValueError(
                "last-layer: the derivatives of this equation or network cannot be carried forward "
                "(of third or higher order, or by a function without a rule); train it with "
                'optimizer="gauss-newton"'
            )
        self._problem, self._model = problem, model
        self._layer = _last_linear(problem, model)
        bias = self._layer.bias
        self.parameters: list[Tensor] = [self._layer.weight, *([] if bias is None else [bias])]
        self._check_linear()

    @torch.enable_grad()
    def jacobian(self) -> dict[str, Tensor]:
        """Return that of every residual by name, (rows, size of the parameters)."""
        rows = {region.name: self._of_region(region) for region in self._problem.posed.nodal}
        return {**rows, **self._of_data()}

    def _of_region(self, region: Region) -> Tensor:
        with self._watched() as calls:
            r = self._problem.residual_on(self._model, region)
        return self._rows(region, r, calls)

    def _of_data(self) -> dict[str, Tensor]:
        found = {}
        for region in self._problem.posed.data:
            if region.differentiates:
                raise ValueError(
                    f"last-layer: the derivatives in {region.name!r} are not carried forward; "
                    'train with optimizer="gauss-newton"'
                )
            with self._watched() as calls:
                u = self._problem.evaluate(self._model, with_time(region.points, region.time))
                r = region.residual(u, None)
            found[region.name] = self._rows(region, r, calls)
        return found

    def _rows(self, region: Region, r: Tensor, calls: list[tuple[Tensor, Tensor]]) -> Tensor:
        """One row for each entry of a residual, in its order."""
        outputs = [out for _, out in calls]
        columns = r.reshape(len(r), -1).unbind(1)
        by_equation = []
        for column in columns:
            slopes = torch.autograd.grad(
                column.sum(), outputs, retain_graph=True, materialize_grads=True
            )
            parts = [
                self._outer(slope, into) for slope, (into, _) in zip(slopes, calls, strict=True)
            ]
            rows = torch.cat(parts)  # blocks of points, and once more for each other place
            points = len(region.points)
            rows = rows.reshape(-1, points, rows.shape[1]).sum(0)
            if region.summing is not None:  # over the region, at every time
                rows = rows.reshape(len(region.summing), -1, rows.shape[1]).sum(0)
            by_equation.append(rows)
        return torch.stack(by_equation, dim=1).flatten(0, 1)

    def _outer(self, slope: Tensor, into: Tensor) -> Tensor:
        """(n, size) of the parameters, from slopes (k, n, out) or (n, out) and inputs alike."""
        if slope.dim() == 2:  # of values alone
            slope, into = slope[None], into[None]
        weight = torch.einsum("kno,kni->noi", slope, into).flatten(1)
        return weight if len(self.parameters) == 1 else torch.cat([weight, slope[0]], dim=1)

    @contextmanager
    def _watched(self) -> Iterator[list[tuple[Tensor, Tensor]]]:
        """Note what goes into the layer and comes out of it, as stacks, at every call."""
        calls: list[tuple[Tensor, Tensor]] = []

        def note(_: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
            stacks = [v.stack if isinstance(v, Jet) else v for v in (given[0], out)]
            calls.append((stacks[0].detach(), stacks[1]))

        hook = self._layer.register_forward_hook(note)
        try:
            yield calls
        finally:
            hook.remove()

    @torch.no_grad()
    def _check_linear(self) -> None:
        """Refuse a model that is not linear in the layer."""
        x = self._problem.points[:_FEW]
        kept = [p.clone() for p in self.parameters]
        values = []
        for times in (0.0, 1.0, 2.0):
            for p, before in zip(self.parameters, kept, strict=True):
                p.copy_(times * before)
            values.append(self._problem.evaluate(self._model, x))
        for p, before in zip(self.parameters, kept, strict=True):
            p.copy_(before)
        bend = float((values[2] - 2.0 * values[1] + values[0]).abs().max())
        if bend > _BENDS * float(torch.stack(values).abs().max()):
            raise ValueError(
                f"last-layer: {type(self._model).__name__} is not linear in its last layer; train "
                'it with optimizer="gauss-newton"'
            )


def _last_linear(problem: AutomaticProblem, model: nn.Module) -> nn.Linear:
    """The linear layer that a call of the model goes through last."""
    seen: list[nn.Linear] = []
    layers = [m for m in model.modules() if isinstance(m, nn.Linear) and m.weight.requires_grad]
    hooks = [m.register_forward_hook(lambda layer, *_: seen.append(layer)) for m in layers]
    try:
        with torch.no_grad():
            problem.evaluate(model, problem.points[:_FEW])
    finally:
        for hook in hooks:
            hook.remove()
    if not seen:
        raise ValueError(
            f"last-layer: {type(model).__name__} has no torch.nn.Linear that is trained; train it "
            'with optimizer="gauss-newton"'
        )
    return seen[-1]
