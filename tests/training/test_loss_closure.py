"""Training by one product is the training by residuals; what callbacks change is heeded."""

from __future__ import annotations

import numpy as np
import pytest

import dtpinn
from dtpinn.pde.solutions import sine_cosine
from dtpinn.training import loss_closure


class Swinging(dtpinn.PDE):
    wavenumber = 1.0

    def residual(self, u, D, x):
        return D.laplacian(u) + self.wavenumber**2 * u - 1

    def boundary(self, u, D, x, n):
        return u


def train(nodes, pde, optimizer, epochs, callbacks=()):
    problem = dtpinn.discretize(pde, nodes, order=3)
    model = dtpinn.MLP(2, width=8, depth=1, seed=0)
    options = {"epochs": epochs, "optimizer": optimizer, "every": 1, "progress": False}
    return dtpinn.fit(model, problem, callbacks=callbacks, **options)


def both(monkeypatch, run):
    """Results with and without the product, if it was there at all."""
    made = []

    def remembered(problem, model):
        made.append(known(problem, model))
        return made[-1]

    known = loss_closure.affine_residuals
    monkeypatch.setattr(loss_closure, "affine_residuals", remembered)
    with_product = run()
    assert made[0] is not None
    monkeypatch.setattr(loss_closure, "affine_residuals", lambda problem, model: None)
    return with_product, run(), len(made)


@pytest.mark.parametrize(("optimizer", "epochs"), [("lbfgs", 2), ("gauss-newton", 15)])
def test_the_losses_of_the_first_epochs_are_the_same(monkeypatch, nodes, optimizer, epochs):
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    ours, theirs, _ = both(monkeypatch, lambda: train(nodes, pde, optimizer, epochs))
    losses = np.array([[record.loss for record in r.history] for r in (ours, theirs)])
    # Round-off, which 40 iterations of L-BFGS make grow.
    np.testing.assert_allclose(*losses, rtol=1e-7)
    assert ours.history[-1].evaluations == theirs.history[-1].evaluations
    assert losses[0, -1] < 0.1 * losses[0, 0]


@pytest.mark.parametrize("optimizer", ["lbfgs", "gauss-newton"])
def test_an_equation_that_a_callback_changes_is_trained_from_then_on(monkeypatch, nodes, optimizer):
    def run():
        pde = Swinging()

        def change(result):
            pde.wavenumber = 1.0 if result.history[-1].epoch < 3 else 2.0

        return train(nodes, pde, optimizer, 4, [change])

    ours, theirs, made = both(monkeypatch, run)
    losses = np.array([[record.loss for record in r.history] for r in (ours, theirs)])
    np.testing.assert_allclose(*losses, rtol=1e-4)
    assert made == 2  # once more, where it was changed
    unchanged = train(nodes, Swinging(), optimizer, 4)
    assert abs(unchanged.history[-1].loss / losses[0, -1] - 1) > 0.1


def test_a_stochastic_optimiser_is_given_the_problems_own_loss(monkeypatch, nodes):
    def refused(problem, model):
        raise AssertionError("asked for")

    monkeypatch.setattr(loss_closure, "affine_residuals", refused)
    train(nodes, Swinging(), "adam", 2)
