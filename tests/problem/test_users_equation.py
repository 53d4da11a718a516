"""An equation that is in nobody's list, on a domain with two boundary parts, start to end."""

from __future__ import annotations

import pytest
import torch

import dtpinn
from tests.problem.parity import both

ORDER = 5


class Swirl(dtpinn.PDE):
    """Heat that a swirl carries round a ring which conducts the better the hotter it is."""

    def residual(self, u, D, x):
        conduction = D.laplacian(lambda u, x: u + 0.2 * u**2)
        carried = x[:, 0] * D.partial(u, 1) - x[:, 1] * D.partial(u, 0)
        return conduction - carried - 0.5 * torch.tanh(u)

    def conditions(self):
        return {
            "inner": lambda u, D, x, n: u - x[:, 0],
            "outer": lambda u, D, x, n: D.normal(u) + 2 * u - 1,
        }


@pytest.mark.full
def test_it_trains_on_both_backends_which_agree_in_losses_and_gradients():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Annulus(0.5, 1.0), spacing=0.06)
    pde = Swirl()
    problems = (
        dtpinn.discretize(pde, nodes, ORDER, weights="equal"),
        dtpinn.vanilla(pde, nodes, collocation="all", weights="equal"),
    )
    trained = []
    for problem in problems:
        model = dtpinn.MLP(2, width=20, depth=2, seed=0, normalise=False)
        assert max(both(pde, nodes, None, ORDER, model).values()) < 1e-5
        losses = dtpinn.fit(model, problem, epochs=3).history.column("loss")
        assert losses[-1] < 0.2 * losses[0]
        # Relative to residuals that have become small beside the derivatives in them.
        assert max(both(pde, nodes, None, ORDER, model).values()) < 1e-2
        trained.append(losses)
    ours, theirs = trained
    assert all(abs(a - b) < 1e-3 * b for a, b in zip(ours, theirs, strict=True))
