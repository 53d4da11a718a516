"""Jet: values with derivatives, which torch functions carry along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from dtpinn.jets.taylor import Layout

Rule = TypeVar("Rule", bound=Callable[..., Any])

# What torch functions do to a jet, by the name of the function, which is that of the method too.
RULES: dict[str, Callable[..., Any]] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule under the names of torch functions, methods or operators."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return register


# What a jet answers as its value would.
_FACTS = {
    "shape", "dtype", "device", "ndim", "requires_grad", "is_cuda", "layout", "dim", "size",
    "numel", "len", "is_floating_point",
}  # fmt: skip


class Jet(Tensor):
    """A tensor that carries derivatives in the points along with its values.

    For whoever computes with it, it is a tensor of the shape of its values. torch functions of it
    are jets again, by the rules of differentiation; one that has no rule is refused by name. It has
    no data of its own, so that nothing can compute with the values and lose the derivatives.

    Parameters
    ----------
    stack : (layout.size, n, ...) Tensor
        The values, their first derivatives, and their second ones; part of the graph of training.
    layout : Layout

    Examples
    --------
    >>> from dtpinn.jets import Jet
    >>> x = Jet(torch.tensor([[3.0], [1.0], [0.0]]), Layout(1, (((0, 0, 1.0),),)))
    >>> (x**2 * torch.exp(0 * x) - 1).stack.flatten()
    tensor([8., 6., 2.])
    >>> torch.cumsum(x, 0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    NotImplementedError: mode="forward" does not know what torch's cumsum does to derivatives; ...
    """

    stack: Tensor
    carries: Layout  # `layout` is a tensor's own

    @staticmethod
    def __new__(cls, stack: Tensor, layout: Layout) -> Jet:
        """Make a tensor of the values' shape without their data."""
        # It requires a gradient, for whoever asks whether somebody differentiates (Known does).
        made: Jet = Tensor._make_wrapper_subclass(
            cls, stack.shape[1:], dtype=stack.dtype, device=stack.device, requires_grad=True
        )
        made.stack, made.carries = stack, layout
        return made

    def __init__(self, stack: Tensor, layout: Layout) -> None:
        super().__init__()

    def like(self, stack: Tensor) -> Jet:
        """Return a jet with the same layout and other components."""
        return Jet(stack, self.carries)

    def constant(self, value: Tensor | float) -> Jet:
        """Return a jet with the same layout that does not depend on the points."""
        value = torch.as_tensor(value, dtype=self.dtype, device=self.device)
        zeros = value.new_zeros(self.carries.size - 1, *value.shape)
        return self.like(torch.cat([value[None], zeros]))

    @property
    def value(self) -> Tensor:
        """The values, as a plain tensor."""
        return self.stack[0]

    def __repr__(self) -> str:  # type: ignore[override]
        return f"Jet(shape={tuple(self.stack.shape[1:])}, {self.carries})"

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Apply a function's rule."""
        name = _name(func)
        if name in _FACTS:
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **(kwargs or {}))
        if name not in RULES:
            raise unknown(name)
        return RULES[name](*args, **(kwargs or {}))

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Refuse what has found its way around the rules."""
        raise unknown(str(func))


def _name(func: Any) -> str:
    """The name of a function, a method, an operator without its underscores, or a property."""
    name: str = func.__self__.__name__ if func.__name__ == "__get__" else func.__name__
    return name.strip("_") if name.startswith("__") else name  # but add_, in place, is not add


def unknown(what: str) -> NotImplementedError:
    """Return the error for a function without a rule."""
    return NotImplementedError(
        f'mode="forward" does not know what torch\'s {what} does to derivatives; it knows '
        f'{", ".join(sorted(RULES))}. mode="reverse" knows them all'
    )
