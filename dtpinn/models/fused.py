"""The fused perceptron: tanh layers by compiled kernels, which take tiles of points through all.

The door to ``torch.ops.dtpinn.network``, ``network_tangents`` and ``network_jacobian``. Networks
come through it by themselves; it can be used alone, for weights that somebody else keeps.

The kernels compute values and first derivatives, in float64 and float32, on the CPU; results do not
depend on the number of threads. Whatever else is asked is computed by the plain torch expression:
higher derivatives, forward mode, ``torch.func``, ``torch.vmap``, compilers, other devices.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules import module as _hooks

ENABLED = os.environ.get("DTPINN_FUSED", "1") != "0"
"""Whether networks use the kernels; the environment variable ``DTPINN_FUSED=0`` says no to all."""


def tanh_network(
    x: Tensor, parameters: Sequence[Tensor], normalisation: Sequence[Tensor] = ()
) -> Tensor:
    """Return a perceptron's values: affine maps with tanh between them.

    Parameters
    ----------
    x : (n, inputs) Tensor
    parameters : sequence of Tensor
        Weight (out, in) and bias (out,) of the first map, of the second, and so on.
    normalisation : sequence of Tensor, optional
        ``middle``, ``factor`` (inputs,), ``centre``, ``unit`` (m,), as constants: the layers see
        ``(x - middle) * factor`` and make v for the value ``v * unit + centre``.

    Returns
    -------
    (n, m) Tensor, differentiable in x and the parameters as often as one likes.

    Raises
    ------
    TypeError, ValueError
        If a dtype, a device or a shape does not fit; names it.

    Examples
    --------
    >>> x = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    >>> one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    >>> tanh_network(x, [one, zero, one, zero])
    tensor([[0.0000],
            [0.7616]], dtype=torch.float64)
    """
    y: Tensor = torch.ops.dtpinn.network(x, parameters, normalisation)
    return y


def tanh_network_tangents(
    x: Tensor,
    directions: Tensor,
    parameters: Sequence[Tensor],
    normalisation: Sequence[Tensor] = (),
) -> Tensor:
    """Return values and derivatives along some directions, in one pass.

    Parameters
    ----------
    x : (n, inputs) Tensor
    directions : (s, n, inputs) Tensor
        s of them at every point.
    parameters, normalisation
        As for :func:`tanh_network`.

    Returns
    -------
    (1 + s, n, m) Tensor
        The values, then each derivative; differentiable in all three.

    Examples
    --------
    >>> x = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    >>> one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    >>> u, slope = tanh_network_tangents(x, torch.ones_like(x)[None], [one, zero, one, zero])
    >>> slope  # 1 - u^2
    tensor([[1.0000],
            [0.4200]], dtype=torch.float64)
    """
    y: Tensor = torch.ops.dtpinn.network_tangents(x, directions, parameters, normalisation)
    return y


def tanh_network_jacobian(
    x: Tensor,
    parameters: Sequence[Tensor],
    normalisation: Sequence[Tensor] = (),
    directions: Tensor | None = None,
) -> Tensor:
    """Return, for every point, the derivatives of its values in all parameters; a constant.

    Parameters
    ----------
    x : (n, inputs) Tensor
    parameters, normalisation
        As for :func:`tanh_network`.
    directions : (s, n, inputs) Tensor, optional
        Directions whose derivatives have rows as well.

    Returns
    -------
    (n, (1 + s) * m, p) Tensor
        Rows of the m values, then of each derivative's; a column for each number of the
        parameters, in their order.

    Examples
    --------
    >>> x = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    >>> one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    >>> tanh_network_jacobian(x, [one, zero, one, zero])[1]
    tensor([[0.4200, 0.4200, 0.7616, 1.0000]], dtype=torch.float64)
    """
    with torch.no_grad():
        rows: Tensor = torch.ops.dtpinn.network_jacobian(x, directions, parameters, normalisation)
    return rows


def parameters_of(layers: Iterable[nn.Module]) -> list[Tensor] | None:
    """Return weights and biases of layers that are nothing but affine maps.

    None where another module, a parametrisation, a hook or a tensor that is no parameter stands in
    their place, or where torch would compute them in another precision: these must run as they are.

    Examples
    --------
    >>> len(parameters_of([nn.Linear(2, 3), nn.Linear(3, 1)]))
    4
    >>> parameters_of([nn.Linear(2, 3, bias=False)]), parameters_of([nn.Identity()])
    (None, None)
    """
    found: list[Tensor] = []
    for layer in layers:
        if type(layer) is not nn.Linear or "forward" in vars(layer) or is_watched(layer):
            return None
        weight, bias = layer._parameters.get("weight"), layer._parameters.get("bias")
        if weight is None or bias is None:
            return None
        found += [weight, bias]
    return None if torch.is_autocast_enabled("cpu") else found


def applies(x: Tensor) -> bool:
    """Whether the kernels shall be used at these points.

    Not where somebody differentiates in the points: derivatives of these derivatives are wanted
    then, for which the plain expression has its graph ready. Nor where a compiler or
    ``torch.jit.trace`` records what is done.

    Examples
    --------
    >>> x = torch.zeros(3, 2)
    >>> applies(x), applies(x[0]), applies(x.requires_grad_())
    (True, False, False)
    """
    return (
        x.dim() == 2
        and not x.requires_grad
        and x.device.type == "cpu"
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    )


def is_watched(layer: nn.Module) -> bool:
    """Whether a hook wants to see the calls of a module."""
    return bool(
        layer._forward_hooks
        or layer._forward_pre_hooks
        or layer._backward_hooks
        or layer._backward_pre_hooks
        or _hooks._global_forward_hooks
        or _hooks._global_forward_pre_hooks
        or _hooks._global_backward_hooks
        or _hooks._global_backward_pre_hooks
    )
