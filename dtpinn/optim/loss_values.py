"""What a closure returns, checked, and brought to the host without needless waiting."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def checked_loss(loss: Any) -> Any:
    """The loss a closure returned, unchanged, once it is known to be one number.

    Raises
    ------
    TypeError, ValueError
        If the closure returned nothing, or more than one number.

    Examples
    --------
    >>> checked_loss(torch.ones(3))
    Traceback (most recent call last):
        ...
    ValueError: the closure returned the shape (3,), expected a scalar loss; reduce it with .mean()
    """
    if loss is None:
        raise TypeError("the closure returned None, expected it to return the loss")
    if isinstance(loss, Tensor) and loss.numel() != 1:
        raise ValueError(
            f"the closure returned the shape {tuple(loss.shape)}, expected a scalar loss; "
            "reduce it with .mean()"
        )
    return loss


def floats(*scalars: Any) -> list[float]:
    """Scalars as numbers on the host, with one wait for the device instead of one each.

    Parameters
    ----------
    *scalars : float or Tensor of one element
        At least the last one is a tensor.

    Examples
    --------
    >>> floats(0.5, torch.tensor([2.0]))
    [0.5, 2.0]
    """
    like = scalars[-1]
    if like.device.type == "cpu":  # nothing to wait for
        return [float(s.item() if isinstance(s, Tensor) else s) for s in scalars]
    tensors = [torch.as_tensor(s, device=like.device).detach().reshape(()) for s in scalars]
    # The loss may be wider than the parameters (fp64 sums of fp32 residuals): keep its digits.
    dtype = torch.promote_types(tensors[0].dtype, like.dtype)
    numbers: list[float] = torch.stack([t.to(dtype) for t in tensors]).tolist()
    return numbers
