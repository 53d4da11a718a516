"""Known: a function of the points alone, evaluated once per point set instead of once per step."""

from __future__ import annotations

import cmath
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

from dtpinn.pde.differences import hides_its_gradient
from dtpinn.pde.row_gradients import row_gradients

Datum = complex | Sequence[complex]


class Known:
    """A known function, such as a source term, remembered for every point set it has seen.

    A problem evaluates its residual at the same tensors of points in every step of the training,
    so the value is kept for as long as that tensor lives and nobody writes into it. The function
    must depend on nothing that is learnt: the result is a constant for autograd, and a function of
    a Parameter is warned of. At points that themselves require a gradient,
    as inside ``D.laplacian(lambda u, x: k(x) * u)``, it is evaluated and differentiated each time.

    Parameters
    ----------
    function : callable, number or sequence of numbers
        Of the points (n, d) and whatever else it is called with; returns (n,) or (n, fields). A
        number is the same everywhere, a sequence holds one for each field.

    Examples
    --------
    >>> import torch
    >>> calls = []
    >>> f = Known(lambda x: calls.append(1) or x.sum(-1))
    >>> x = torch.ones(3, 2)
    >>> f(x), f(x), len(calls)
    (tensor([2., 2., 2.]), tensor([2., 2., 2.]), 1)
    >>> Known((1.0, 0.0))(x)
    tensor([[1., 0.]])
    """

    def __init__(self, function: Callable[..., Tensor] | Datum) -> None:
        self.function = function if callable(function) else Uniform(function)
        # points -> (other arguments it was called with, what was written by then, the value); keyed
        # by identity.
        self._seen: Any = WeakIdKeyDictionary()
        self._gradient: Known | None = None

    def __call__(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return the value at x (n, d), computed when these tensors are first seen."""
        if x.requires_grad or any(t.requires_grad for t in others):
            result: Tensor = self.function(x, *others)  # somebody differentiates it
            return result
        written = _versions(x, *others)
        with_others, then, value = self._seen.get(x, ((), (), None))
        if value is None or then != written or not _same(with_others, others):
            check_arguments(self.function, f"{self}", "x, normals on the boundary, t", x, *others)
            # Not in inference mode: what is kept must serve the training that comes later.
            with torch.inference_mode(False):
                value = self.function(x, *others)
                value = torch.as_tensor(value, device=x.device)
                self._check(value, x)
                value = value.to(x.dtype.to_complex() if value.is_complex() else x.dtype)
            value = value.detach()
            self._seen[x] = (others, written, value)
        known: Tensor = value
        return known

    @property
    def gradient(self) -> Known:
        """The gradient in space (n, d) of a function to (n,), itself evaluated once per point set.

        By automatic differentiation; or, for a function that has a `gradient` of its own, a method
        with the same arguments, by that.
        """
        if self._gradient is None:
            own = getattr(self.function, "gradient", None)
            self._gradient = Known(self._differentiated if own is None else own)
        return self._gradient

    @property
    def is_differentiated(self) -> bool:
        """Whether somebody has asked for the gradient."""
        return self._gradient is not None

    def _differentiated(self, x: Tensor, *others: Tensor) -> Tensor:
        with torch.enable_grad():
            at = x.detach().requires_grad_()
            value = torch.as_tensor(self.function(at, *others))
            # One number may stand for all points: it has no gradient.
            slopes = row_gradients(value.sum(-1) if value.dim() == 2 else value, at).detach()

        def elsewhere(x: Tensor, *others: Tensor) -> Tensor:
            value = torch.as_tensor(self.function(x, *others))
            return (value.sum(-1) if value.dim() == 2 else value).to(x).expand(len(x))

        if hides_its_gradient(elsewhere, x, slopes, *others):
            raise TypeError(
                f"{self}: it varies in space, and torch does not see how: its gradient, which this "
                "equation needs, would be wrong. Write it with torch functions of x throughout, or "
                "pass an object with the method gradient(x) beside __call__(x). Values known at "
                "nodes only have one as dtpinn.pde.NodalData(points, values)"
            )
        return slopes

    def _check(self, value: Tensor, x: Tensor) -> None:
        if value.dim() and len(value) not in (1, len(x)):
            raise ValueError(
                f"{self} returned shape {tuple(value.shape)} for {len(x)} points: it must answer "
                "for whatever points it is called with. Values known at the nodes only become "
                "such a function by dtpinn.pde.NodalData(points, values)"
            )
        if value.requires_grad:
            warnings.warn(
                f"{self} depends on something that requires a gradient, which it will not get: a "
                "known function is evaluated once. What is to be learnt belongs into the residual, "
                "f = None and the source written in a PDE of your own; what is not, "
                "requires_grad_(False)",
                stacklevel=3,
            )

    def __repr__(self) -> str:
        return f"Known({_name(self.function)})"

    def __getstate__(self) -> dict[str, Any]:
        """Copies and checkpoints keep the function and forget the values."""
        return {"function": self.function}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["function"])  # type: ignore[misc]


class Uniform:
    """A known function that is the same everywhere: a number, or one for each field.

    Parameters
    ----------
    values : number or sequence of numbers

    Raises
    ------
    TypeError, ValueError
        If it is no such thing, or not finite.
    """

    def __init__(self, values: Datum) -> None:
        self._values = _finite_numbers(values)

    def __call__(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return () for a number and (1, fields) for several, which stand for every point."""
        value = torch.tensor(self._values, device=x.device)
        value = value if value.is_complex() else x.new_tensor(self._values)
        return value[None] if value.dim() else value

    def __repr__(self) -> str:
        return f"{self._values}"


def _finite_numbers(given: object) -> complex | list[complex]:
    data: Any = given.tolist() if isinstance(given, (Tensor, np.ndarray)) else given
    several = isinstance(data, (list, tuple)) and len(data) > 0
    numbers = list(data) if several else [data]
    plain = all(isinstance(n, (int, float, complex)) and not isinstance(n, bool) for n in numbers)
    if not plain or isinstance(given, nn.Parameter):
        learnt = "; what is learnt belongs into a residual or a coefficient"
        raise TypeError(
            "expected a function of the points, a number, or a number for each field; got "
            f"{given!r}{learnt * isinstance(given, nn.Parameter)}"
        )
    if not all(cmath.isfinite(n) for n in numbers):
        raise ValueError(f"a known value must be finite, got {given!r}")
    found = [n if isinstance(n, complex) else float(n) for n in numbers]
    return found if several else found[0]


def known(function: Callable[..., Tensor] | Datum | None) -> Known | None:
    """Return a function as one that is evaluated once per point set; None stays None."""
    return function if function is None or isinstance(function, Known) else Known(function)


def check_arguments(
    function: Callable[..., Tensor], name: str, meaning: str, *arguments: Tensor
) -> None:
    """Raise TypeError, with what the arguments mean, unless a function takes as many."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return  # written in C, which does not tell
    try:
        signature.bind(*arguments)
    except TypeError:
        raise TypeError(
            f"{name} takes {signature}, but is called with {len(arguments)} of these: {meaning} "
            "in space-time"
        ) from None


def _name(function: Callable[..., Tensor]) -> str:
    if isinstance(function, Uniform):
        return repr(function)
    name: str = getattr(function, "__name__", type(function).__name__)
    return name


def _versions(*tensors: Tensor) -> tuple[int, ...]:
    """How often each was written into; those made in inference mode do not count."""
    return tuple(0 if t.is_inference() else t._version for t in tensors)


def _same(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> bool:
    return len(a) == len(b) and all(s is t for s, t in zip(a, b, strict=True))
