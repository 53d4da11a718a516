"""How a residual answers to the unknown and its derivatives, at a state that is constant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.pde import Operator
from dtpinn.pde.arguments import Argument
from dtpinn.pde.automatic_derivatives import AutomaticDerivatives
from dtpinn.problem.balance.wavenumbers import Wavenumbers
from dtpinn.problem.pointwise import diagonals
from dtpinn.problem.posed import Posed
from dtpinn.problem.regions import Region


@dataclass(frozen=True)
class Part:
    """What a residual depends on by way of one operator.

    Attributes
    ----------
    operator : Operator, int or None
        A number is the order of a derivative in time. None: the unknown's own values.
    slopes : (n, equations, fields) array
        Without their signs.
    """

    operator: Operator | int | None
    slopes: Floats

    def size(self, at: Wavenumbers, dimension: int) -> float:
        """Return what the operator multiplies a wave by."""
        if self.operator is None:
            return 1.0
        if isinstance(self.operator, Operator):
            return at.size(self.operator, dimension)
        return at.time**self.operator


@dataclass(frozen=True)
class Sensitivity:
    """A residual at a constant state, and its slopes there.

    Attributes
    ----------
    values : (n, equations) array
    own : (n, equations, fields) array
        Slopes in the unknown's own values, with their signs.
    parts : list of Part
        Slopes in everything.
    dimension : int
        Of space.
    """

    values: Floats
    own: Floats
    parts: list[Part]
    dimension: int

    def sizes(self, at: Wavenumbers) -> Floats:
        """(equations, fields): how large the residual is for a wave of size 1 in each field."""
        total = sum(part.slopes * part.size(at, self.dimension) for part in self.parts)
        return _rms(np.asarray(total))

    def frequencies(self, at: Wavenumbers) -> Floats:
        """(k,): what second rates make of the rest of an equation for a wave in space."""
        parts = [part for part in self.parts if not isinstance(part.operator, int)]
        rest = _rms(np.asarray(sum(p.slopes * p.size(at, self.dimension) for p in parts)))
        second = sum((_rms(p.slopes) for p in self.parts if p.operator == 2), 0.0 * rest)
        return np.sqrt(rest[second > 0.0] / second[second > 0.0])

    @property
    def rms(self) -> Floats:
        """(equations,) of the residual."""
        return _rms(self.values)

    @property
    def in_time(self) -> bool:
        """Whether it has a rate of change in it."""
        return any(isinstance(part.operator, int) and part.slopes.any() for part in self.parts)

    @property
    def finite(self) -> bool:
        """Whether everything is a number."""
        return bool(
            np.isfinite(self.values).all() and all(np.isfinite(p.slopes).all() for p in self.parts)
        )


@torch.inference_mode(False)
@torch.enable_grad()
def sensitivities(posed: Posed, state: Floats) -> dict[str, Sensitivity]:
    """Return those of all residuals, by name.

    Pointwise, with derivatives of known functions by automatic differentiation: no matrix is
    needed, so the two kinds of problem have the same.

    Parameters
    ----------
    posed : Posed
    state : (fields,) array
        The value of every field, everywhere and always.
    """
    return {r.name: _on(r.sized_as or r, state) for r in posed.everywhere}


def in_tune(at: Wavenumbers, at_state: dict[str, Sensitivity]) -> Wavenumbers:
    """Return a wave in time as fast as equations of second order make it of the one in space.

    What they describe does not grow from one end of the times to the other: it swings.
    """
    found = [f[np.isfinite(f)] for f in (s.frequencies(at) for s in at_state.values())]
    return Wavenumbers(at.space, max(at.time, *(f.max(initial=0.0) for f in found)))


def _on(region: Region, state: Floats) -> Sensitivity:
    u = _constant(state, region.points)
    D = _Recorder(u, region)
    r = region.pointwise(u, D)
    found = _sensitivity(r, u, list(D.answers.values()), D.dimension)
    if region.beyond is not None:  # from here to there a constant changes nothing
        found = replace(found, values=np.zeros_like(found.values), own=np.zeros_like(found.own))
    return found


def _constant(state: Floats, points: Tensor) -> Tensor:
    u = torch.tensor(state, dtype=points.dtype, device=points.device).repeat(len(points), 1)
    return (u[:, 0] if len(state) == 1 else u).contiguous().requires_grad_()


@dataclass(frozen=True)
class _Answer:
    operator: Operator | int
    of: Argument  # kept so that its id stays its own
    value: Tensor  # a leaf
    inner: Floats | None  # (n, components, fields): slopes of a function of the unknown


class _Recorder(AutomaticDerivatives):
    """A ``D`` whose answers are leaves."""

    def __init__(self, u: Tensor, region: Region) -> None:
        # Copies: the residual itself is called with points as training calls it, without a graph.
        x = region.points.detach().clone().requires_grad_()
        t = None if region.time is None else region.time.detach().clone().requires_grad_()
        super().__init__(u, x, region.normals, t)
        self._at = (x,) if t is None else (x, t)
        self.answers: dict[tuple[str, int], _Answer] = {}

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return a spatial operator applied to the state or a function of it."""
        at_state = super().apply
        return self._answer(operator.name, operator, of, lambda: at_state(operator, of))

    def rate(self, of: Argument, order: int) -> Tensor:
        """Return a derivative in time."""
        at_state = super().rate
        return self._answer(f"time {order}", order, of, lambda: at_state(of, order))

    def _answer(
        self, name: str, operator: Operator | int, of: Argument, value: Callable[[], Tensor]
    ) -> Tensor:
        key = name, id(of)
        if key not in self.answers:
            inner, v = None, self._u
            if not isinstance(of, Tensor):
                v = of(self._u, *(p.detach() for p in self._at))
                columns = v[:, None] if v.dim() == 1 else v
                inner = np.stack([diagonals(c, [self._u])[0] for c in columns.unbind(1)], axis=1)
            try:
                leaf = value().detach().clone()
            except (RuntimeError, TypeError):  # a known function that torch cannot differentiate
                leaf = torch.zeros_like(v)
            self.answers[key] = _Answer(operator, of, leaf.requires_grad_(), inner)
        return self.answers[key].value


def _sensitivity(r: Tensor, u: Tensor, answers: list[_Answer], dimension: int) -> Sensitivity:
    equations = r[:, None] if r.dim() == 1 else r
    leaves = [u, *(answer.value for answer in answers)]
    by_equation = [diagonals(column, leaves) for column in equations.unbind(1)]
    own, *outer = (np.stack(slopes, axis=1) for slopes in zip(*by_equation, strict=True))
    parts = [Part(None, np.abs(own))]
    for answer, slopes in zip(answers, outer, strict=True):
        if answer.inner is not None:
            slopes = np.einsum("nec,ncf->nef", np.abs(slopes), np.abs(answer.inner))
        parts.append(Part(answer.operator, np.abs(slopes)))
    values = equations.detach().double().cpu().numpy()
    return Sensitivity(values, own.astype(np.float64), parts, dimension)


def _rms(values: Floats) -> Floats:
    """Over the points, without overflow in float32."""
    return np.asarray(np.sqrt(np.mean(np.square(values, dtype=np.float64), axis=0)))
