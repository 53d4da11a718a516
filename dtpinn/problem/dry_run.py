"""One run of every residual on a few dummies: which operators it needs, and whether shapes fit.

What goes wrong in a residual goes wrong here, before any matrix is assembled, with the name of the
function and both shapes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from dtpinn.pde import PDE, Derivatives, Operator
from dtpinn.pde.arguments import Argument, check_argument, check_pointwise
from dtpinn.pde.differences import hides_its_gradient
from dtpinn.pde.flux import Flux
from dtpinn.problem.regions import INITIAL, Region

# A number of rows that is no dimension and no number of fields, so that none is mistaken for it.
ROWS = 101
WITH_VELOCITY = "torch.stack([u - u_0(x), D.time(u) - v_0(x)], dim=1)"
COMPLEX = (
    "unknowns are real numbers: a complex one is two fields, its real and its imaginary part. "
    "dtpinn.Complex(pde) makes them of an equation in complex arithmetic; the model has fields = 2"
)


@dataclass(frozen=True)
class Request:
    """An operator that a residual asked for on its region."""

    region: str
    operator: Operator
    of_function: bool  # of a function of the unknown, so not part of the common product


class _Recorder(Derivatives):
    """A ``D`` that notes what it is asked and answers with numbers of the right shape."""

    def __init__(self, region: Region, u: Tensor, data: Sequence[Tensor]) -> None:
        self.dimension = region.points.shape[1]
        self._region, self._u = region, u
        at = (data[0], data[-1]) if region.time is not None else (data[0],)
        self._at = at  # x, and t in space-time: what a function of the unknown is called with
        self._data = data
        self.state = (u, *at)
        self.requests: list[Request] = []

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        check_argument(of, self._u, operator.name)
        if operator.along_normal and not self._region.on_boundary:
            raise ValueError(
                "D.normal: there is no normal inside the domain; use it in boundary(), or "
                "D.gradient in residual()"
            )
        self._region.asks_space = True
        self._region.highest = max(self._region.highest, operator.order)
        of_function = of is not self._u
        request = Request(self._region.name, operator, of_function)
        if request not in self.requests:
            self._check_name(request)
            self.requests.append(request)
        return torch.ones_like(self._values(of, operator.name))

    def _check_name(self, request: Request) -> None:
        """Matrices go by name, so places of the same name must be the same places."""
        for other in self.requests:
            if other.operator.name == request.operator.name and other.operator != request.operator:
                raise ValueError(
                    f"D.at: two maps have the same name in {request.operator.name!r}; give each "
                    "a name of its own, def other_side(x): ..., and make it once"
                )

    def rate(self, of: Argument, order: int) -> Tensor:
        check_argument(of, self._u, "time")
        if self._region.time is None:
            raise ValueError("D.time: the problem is steady; pass times=... to make it space-time")
        if self._region.name == INITIAL and order > 1:
            raise ValueError(
                "D.time(u, 2) in initial(): the second rate follows from the equation; give u and "
                f"the first rate, {WITH_VELOCITY}"
            )
        self._region.time_order = max(self._region.time_order, order)
        self._region.rates_of_functions |= of is not self._u
        return torch.ones_like(self._values(of, "time"))

    def _of_flux(self, of: Callable[..., Tensor]) -> Flux:
        check_call(of, "u", "D", "x", *["t"] * (len(self._at) > 1))
        flux = super()._of_flux(of)
        self._check_flux(of, flux)
        return flux

    def _check_flux(self, of: Callable[..., Tensor], flux: Flux) -> None:
        """Refuse one that is not pointwise, and one whose dependence on x torch does not see."""

        def elsewhere(u: Tensor, data: Sequence[Tensor]) -> Tensor:
            return Derivatives._of_flux(_Recorder(self._region, u, data), of).values.detach()

        n = len(self._u)
        some = torch.tensor([n // 2, n // 8, 3 * n // 4], device=self._u.device)
        among = flux.values.detach()[some]
        alone = elsewhere(self._u[some], [part[some] for part in self._data])
        size = among.abs().max() * torch.finfo(among.dtype).eps ** 0.5
        if alone.shape != among.shape or bool(((alone - among).abs() > size).any()):
            raise ValueError(
                f"{label(of)}: a flux must be pointwise, but it has other values among other "
                "points; take means, sums, flips and sorts along the first dimension out of it"
            )

        def component(x: Tensor, k: int) -> Tensor:
            return elsewhere(self._u, [x, *self._data[1:]]).reshape(n, -1)[:, k]

        for k in range(flux.values[0].numel()):
            if hides_its_gradient(partial(component, k=k), self._at[0], flux.explicit_slopes(k)):
                raise TypeError(
                    f"{label(of)}: it depends on x in a way that torch does not see, so that its "
                    "derivative would be wrong; write it with torch functions of x throughout"
                )

    def _values(self, of: Argument, name: str) -> Tensor:
        if isinstance(of, Tensor):
            return of
        check_call(of, "u", "x", *["t"] * (len(self._at) > 1))
        values = of(self._u, *self._at)
        if not isinstance(values, Tensor) or len(values) != len(self._u):
            got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise ValueError(
                f"D.{name}: the function must return one row per point: {len(self._u)} rows for "
                f"u of shape {tuple(self._u.shape)}, got {got}"
            )
        check_pointwise(of, values, self._u, self._at, name)
        return values


def dry_run(pde: PDE, regions: Sequence[Region]) -> tuple[Request, ...]:
    """Return what the residuals ask for, in order; regions learn how many equations they hold.

    Raises
    ------
    TypeError
        If a residual cannot be called with its arguments, or takes the derivative of something
        else than the unknown or a function of it.
    ValueError
        If it returns a wrong shape; names the function and both shapes.
    """
    requests: list[Request] = []
    for region in regions:
        data = [_dummy_rows(tensor) for tensor in region.data]
        u = dummy_unknown(data[0], pde.field_count)
        if region.name == INITIAL:
            check_initial(pde.initial)
        else:
            in_time = region.time is not None
            check_call(
                region.function, "u", "D", "x", *["n"] * region.on_boundary, *["t"] * in_time
            )
        recorder = _Recorder(region, u, data)
        result = _checked_run(region.function, u, recorder, *data)
        region.fields, region.equations = pde.field_count, result.numel() // len(result)
        requests += recorder.requests
    return tuple(requests)


def _dummy_rows(tensor: Tensor) -> Tensor:
    """The first rows, repeated if there are too few."""
    return tensor[torch.arange(ROWS, device=tensor.device) % len(tensor)]


def dummy_unknown(x: Tensor, fields: int) -> Tensor:
    """Values like an unknown's; not random, for that would move torch's generator."""
    shape = (len(x),) if fields == 1 else (len(x), fields)
    count = len(x) * fields
    return torch.linspace(0.5, 1.5, count, dtype=x.dtype, device=x.device).reshape(shape)


def _checked_run(function: Callable[..., Any], u: Tensor, *arguments: Any) -> Tensor:
    """Run a residual; what torch says of shapes is told with its name and what it was given."""
    try:
        result = function(u, *arguments)
    except (RuntimeError, IndexError) as error:
        if isinstance(error, NotImplementedError):
            raise
        given = ", ".join(str(tuple(a.shape)) for a in (u, *arguments) if isinstance(a, Tensor))
        hint = ""
        if "must match the size of tensor" in str(error) and "dimension 0" in str(error):
            hint = (
                ". A residual must take any points: values known at the nodes only become a "
                "function of them by dtpinn.pde.NodalData(points, values)"
            )
        if "real scalar outputs" in str(error):
            hint = f". {COMPLEX}"
        raise ValueError(
            f"{label(function)} failed on {ROWS} dummy points, with u and points of shapes "
            f"{given}: {error}{hint}"
        ) from error
    check_result(function, result, u)
    checked: Tensor = result
    return checked


def check_initial(function: Callable[..., Any]) -> None:
    """Raise TypeError unless an initial condition takes u, D and x."""
    try:
        inspect.signature(function).bind("u", "D", "x")
    except TypeError as error:
        raise TypeError(
            f"{label(function)}{inspect.signature(function)}: it is called with (u, D, x): "
            f"{error}. Write `def initial(self, u, D, x): ...`, whether it uses D or not; with an "
            f"initial velocity it returns {WITH_VELOCITY}"
        ) from None


def check_call(function: Callable[..., Any], *names: str) -> None:
    """Raise TypeError unless the function takes these arguments."""
    target = getattr(function, "forward", function)
    try:
        inspect.signature(target).bind(*names)
    except TypeError as error:
        kind = "a space-time" if "t" in names else "a steady"
        raise TypeError(
            f"{label(function)}{inspect.signature(target)}: {kind} problem calls it with "
            f"({', '.join(names)}): {error}. Space-time problems are made with times=..."
        ) from None


def check_result(function: Callable[..., Any], result: object, u: Tensor) -> None:
    """Raise ValueError unless a residual has one row per point."""
    rows = len(u)
    if isinstance(result, Tensor) and result.is_complex():
        raise TypeError(
            f"{label(function)} returned {result.dtype}; {COMPLEX}, with a real equation for each"
        )
    shape = tuple(result.shape) if isinstance(result, Tensor) else ()
    if len(shape) in (1, 2) and shape[0] == rows and shape != (rows, rows):
        return
    hint = ""
    if shape == (rows, rows):
        hint = "; a (n,) and a (n, 1) together broadcast to (n, n)"
    if isinstance(result, (tuple, list)):
        hint = "; join several equations with torch.stack([...], dim=1)"
    got = shape if isinstance(result, Tensor) else type(result).__name__
    raise ValueError(
        f"{label(function)} returned {got} where one row per point was expected: ({rows},) or "
        f"({rows}, equations), for u of shape {tuple(u.shape)}{hint}"
    )


def label(function: Callable[..., Any]) -> str:
    """Return the name of a residual, for messages."""
    function = getattr(function, "func", function)  # of a functools.partial
    name: str = getattr(function, "__qualname__", type(function).__name__)
    owner = getattr(function, "__self__", None)
    return f"{type(owner).__name__}.{name.split('.')[-1]}" if owner is not None else name
