"""Before anybody is timed: they all compute the same loss, with the same gradient."""

from __future__ import annotations

import pytest
import torch

from bench.contestants import CONTESTANTS, DTYPES, EQUATIONS, Case, reference

pytestmark = pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning")

COUNT, SLICES = 200, 3
# Sums of some hundred squares, to round-off; their terms cancel to a tenth.
TOLERANCE = {"fp64": 1e-11, "fp32": 1e-4}


@pytest.mark.parametrize(
    ("contestant", "equation"),
    [(c, equation) for c in CONTESTANTS for equation in c.equations],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_contestant_computes_the_loss_and_the_gradient(contestant, equation):
    if reason := contestant.unavailable():
        pytest.skip(reason)
    case = Case.of(equation, COUNT, SLICES)
    exact, model = (case.model(d, 8, 2) for d in (torch.float64, DTYPES[contestant.dtype]))
    wanted = reference(case, exact, contestant.same_as)
    loss = contestant.loss(case, model)()
    tolerance = TOLERANCE[contestant.dtype]
    assert loss.item() == pytest.approx(wanted.item(), rel=tolerance)
    gradients = [
        torch.cat([g.flatten() for g in torch.autograd.grad(value, list(network.parameters()))])
        for value, network in ((loss, model), (wanted, exact))
    ]
    assert (gradients[0] - gradients[1]).norm() < 10 * tolerance * gradients[1].norm()


@pytest.mark.parametrize("equation", EQUATIONS)
def test_the_discrete_loss_is_that_of_automatic_differentiation_to_the_truncation_error(equation):
    case = Case.of(equation, COUNT, SLICES)
    model = case.model(torch.float64, 8, 2)
    discrete, exact = (reference(case, model, same_as).item() for same_as in ("discrete", "all"))
    assert discrete == pytest.approx(exact, rel=1e-4)
    assert discrete != exact


def test_a_step_is_the_gradient_in_every_parameter():
    case = Case.of("poisson", COUNT)
    gradients = CONTESTANTS[0].step(case)()
    assert [g.shape for g in gradients] == [p.shape for p in case.model(torch.float64).parameters()]
