"""The parameters of a model seen as one vector, which is how quasi-Newton methods see them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class FlatParameters:
    """Several parameters of one dtype and device, read and written as a vector of length n.

    Parameters
    ----------
    params : sequence of Tensor
        Leaf tensors; they stay where they are, and their order is that of the vector.

    Raises
    ------
    TypeError, ValueError
        If there are none, if one is complex, or if their dtypes or devices differ.

    Examples
    --------
    >>> import torch
    >>> flat = FlatParameters([torch.zeros(2, 2), torch.zeros(1)])
    >>> flat.write(torch.arange(5.0))
    >>> flat.params[0]
    tensor([[0., 1.],
            [2., 3.]])
    >>> flat.read()
    tensor([0., 1., 2., 3., 4.])
    """

    def __init__(self, params: Sequence[Tensor]) -> None:
        self.params = list(params)
        _check(self.params)
        first = self.params[0]
        self.size = sum(p.numel() for p in self.params)
        self.dtype, self.device = first.dtype, first.device
        # One buffer seen twice, flat and in the parameters' shapes, so that writing is one copy
        # and one call for all parameters.
        self._buffer = torch.empty(self.size, dtype=self.dtype, device=self.device)
        pieces = torch.split(self._buffer, [p.numel() for p in self.params])
        self._pieces = [v.view(p.shape) for v, p in zip(pieces, self.params, strict=True)]

    @property
    def moved(self) -> bool:
        """Whether the parameters' dtype or device changed since this was made."""
        first = self.params[0]
        return first.dtype != self.dtype or first.device != self.device

    @torch.no_grad()
    def read(self) -> Tensor:
        """The parameters (n,), a copy."""
        torch._foreach_copy_(self._pieces, self.params)
        return self._buffer.clone()

    def read_gradient(self) -> Tensor:
        """The gradients (n,), a copy; zeros for a parameter that has none.

        Raises
        ------
        ValueError
            If no parameter has a gradient.
        """
        gradients = [p.grad for p in self.params]
        if all(g is None for g in gradients):
            raise ValueError(
                "the closure left no gradient on any parameter: expected it to call "
                "loss.backward() on a loss that depends on the optimizer's parameters"
            )
        return torch.cat(
            [
                (torch.zeros_like(p) if g is None else g).reshape(-1)
                for g, p in zip(gradients, self.params, strict=True)
            ]
        )

    def write(self, vector: Tensor) -> None:
        """Set the parameters to a vector (n,)."""
        self._buffer.copy_(vector)
        self._copy_out()

    def write_sum(self, point: Tensor, direction: Tensor, t: float) -> None:
        """Set the parameters to ``point + t * direction``, both (n,)."""
        torch.add(point, direction, alpha=t, out=self._buffer)
        self._copy_out()

    def _copy_out(self) -> None:
        with torch.no_grad():
            torch._foreach_copy_(self.params, self._pieces)


def _check(params: Sequence[Tensor]) -> None:
    if not params:
        raise ValueError("the optimizer got no parameters; give it model.parameters()")
    for number, p in enumerate(params):
        if not p.is_floating_point():
            raise TypeError(
                f"parameter {number} is {p.dtype}: expected real floating point; a complex unknown "
                "can be written as two real ones"
            )
        if p.dtype != params[0].dtype or p.device != params[0].device:
            raise ValueError(
                f"parameter {number} is {p.dtype} on {p.device} but parameter 0 is "
                f"{params[0].dtype} on {params[0].device}: expected one dtype and one device; "
                "move the model with model.to(...) first"
            )
