"""Weights that make all residuals decay at one rate, for the model as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

# Random combinations of the rows; the trace is known to about a fifth then.
_PROBES = 8


def equal_rates(
    parts: Callable[[], Mapping[str, Tensor]], parameters: Sequence[Tensor]
) -> dict[str, float]:
    """Return multiples of the weights, by name of the residual, that give all the same mean rate.

    Under gradient flow a residual r_i with the Jacobian J_i decays, on average over its rows, at
    the rate tr(J_i J_i') / n_i times its weight, the trace of its block of the neural tangent
    kernel (Wang, Yu and Perdikaris, J. Comput. Phys. 449, 2022). The traces are estimated by
    Hutchinson's random signs, one backward pass each. Gradients of the loss would tell less: they
    vanish where it is stationary.

    Parameters
    ----------
    parts : callable
        () -> residuals by name, each weighted as it is, with their graph.
    parameters : sequence of Tensor
        Of the model.

    Examples
    --------
    >>> w = torch.ones(2, requires_grad=True)
    >>> equal_rates(lambda: {"steep": 10.0 * w[:1], "flat": w[1:]}, [w])
    {'steep': 0.505, 'flat': 50.5}
    """
    generator = torch.Generator().manual_seed(0)
    rates = {}
    with torch.enable_grad():
        for name, r in parts().items():
            flat, total = r.reshape(-1), 0.0
            for _ in range(_PROBES):
                signs = 2.0 * torch.randint(0, 2, (len(flat),), generator=generator) - 1.0
                gradients = torch.autograd.grad(
                    (flat * signs.to(flat)).sum(), list(parameters), retain_graph=True,
                    allow_unused=True,
                )  # fmt: skip
                total += sum(float(g.double().square().sum()) for g in gradients if g is not None)
            rates[name] = total / (_PROBES * len(flat))
    known = [rate for rate in rates.values() if rate > 0.0]
    mean = sum(known) / max(len(known), 1)
    return {name: mean / rate if rate > 0.0 else 1.0 for name, rate in rates.items()}
