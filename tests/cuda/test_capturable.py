"""A training step needs nothing of the host, so that a CUDA graph can hold it.

Shown on torch's "meta" device, which has no numbers to wait for (no_host.py): loss and gradient of
every kind of problem. What is done once, before a graph is captured, is free.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.nodes import ordering
from dtpinn.problem.curve import CurveProduct
from tests.cuda.no_host import DEVICE, HostNeeded, no_host
from tests.cuda.problems import PROBLEMS, disk_in_two_parts, small_network


@pytest.fixture(scope="module")
def nodes():
    return disk_in_two_parts()


def step_on_device(problem):
    """Loss and gradient of a problem as a function, once more than the known functions need."""
    assert problem.weights  # numbers, taken once, before the first step
    problem = problem.to(DEVICE)
    model = small_network(problem, device=DEVICE)
    parameters = [*model.parameters(), *problem.pde.parameters()]
    problem.loss(model)
    return lambda: torch.autograd.grad(problem.loss(model), parameters)


def assert_capturable(problem):
    step = step_on_device(problem)
    with no_host():
        gradient = step()
    assert {g.device for g in gradient} == {DEVICE}


@pytest.mark.parametrize("make", [dtpinn.discretize, dtpinn.vanilla], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_step_is_capturable(name, make, nodes):
    pde, times = PROBLEMS[name]
    assert_capturable(make(pde(), nodes, times=times))


def test_a_step_in_single_precision_is_capturable(nodes):
    pde, times = PROBLEMS["space-time"]
    assert_capturable(
        dtpinn.discretize(pde().to(torch.float32), nodes, times=times, dtype=torch.float32)
    )


@pytest.mark.parametrize("name", ["space-time", "two fields, learnt coefficient"])
def test_a_step_on_a_scattered_cloud_is_capturable(name, nodes, monkeypatch, rng):
    monkeypatch.setattr(ordering, "FAR", 1)  # a small cloud counts as scattered
    pde, times = PROBLEMS[name]
    interior = rng.permutation(nodes.interior)
    parts = np.array(nodes.parts)[nodes.part]
    cloud = dtpinn.Nodes.from_points(interior, nodes.boundary, nodes.normals, parts=parts)
    problem = dtpinn.discretize(pde(), cloud, times=times)
    assert isinstance(problem.stacked, CurveProduct)
    assert_capturable(problem)


@pytest.mark.parametrize("learnt", [False, True], ids=["constant", "learnt"])
def test_a_product_with_its_derivatives_is_capturable(learnt):
    A = dtpinn.CSR.from_dense(torch.eye(4))
    values = A.values.clone().requires_grad_(learnt)
    A = dtpinn.CSR(A.crow, A.col, values, A.shape).to(DEVICE)
    x = torch.empty(4, 3, device=DEVICE, requires_grad=True)
    with no_host():
        (first,) = torch.autograd.grad(A.T(A(x)).square().sum(), x, create_graph=True)
        torch.autograd.grad(first.square().sum(), [x, A.values][: 1 + learnt])


# -- and the proof notices what it should: a residual of every kind that needs the host -----------

NEEDY = {
    "a number": lambda u, x: u * u.abs().max().item(),
    "a condition": lambda u, x: u if (u > 0).all() else -u,
    "a comparison": lambda u, x: u if torch.equal(u, u) else -u,
    "nonzero": lambda u, x: u * len(u.nonzero()),
    "a mask": lambda u, x: u + u[u > 0].sum(),
    "a list": lambda u, x: u * u.detach().tolist()[0],
    "to NumPy": lambda u, x: u + float(u.detach().numpy().max()),
    "to the host": lambda u, x: u * u.cpu().max(),
    "a constant": lambda u, x: u * torch.tensor([2.0], device=u.device),
    "a new constant": lambda u, x: u * u.new_tensor(2.0),
    "from NumPy": lambda u, x: u * torch.as_tensor(np.ones(1), device=u.device),
    "from the host": lambda u, x: u * torch.ones(1).to(u.device),
    "an index": lambda u, x: u + u[[0, 1]].sum(),
    "an index of the host": lambda u, x: u + u[torch.tensor([0, 1])].sum(),
}


class Needy(dtpinn.PDE):
    """Needs nothing until a test lets it."""

    def need(self, u, x):
        return u

    def residual(self, u, D, x):
        return D.laplacian(u) - self.need(u, x)

    def boundary(self, u, D, x, n):
        return u


@pytest.mark.parametrize("need", NEEDY)
def test_a_residual_that_needs_the_host_is_noticed(need, nodes):
    problem = dtpinn.discretize(Needy(), nodes)
    step = step_on_device(problem)
    problem.pde.need = NEEDY[need]
    # Either by the modes or by torch, which finds no data on this device.
    refused = (HostNeeded, NotImplementedError, TypeError)
    with pytest.raises(refused, match=r"host|meta|device"), no_host():
        step()


class _BackwardNeeds(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u):
        return u.clone()

    @staticmethod
    def backward(ctx, g):
        return g * g.max().item()


def test_a_backward_pass_that_needs_the_host_is_noticed(nodes):
    problem = dtpinn.discretize(Needy(), nodes)
    step = step_on_device(problem)
    problem.pde.need = lambda u, x: _BackwardNeeds.apply(u)
    with pytest.raises(HostNeeded, match="local_scalar_dense"), no_host():
        step()


@pytest.mark.parametrize(
    "free",
    [
        lambda x: x * torch.tensor(2.0),
        lambda x: x[torch.arange(2, device=DEVICE)],
        lambda x: x.masked_fill(x > 0, 1.0),
        lambda x: x.new_full((3,), 2.0),
        lambda x: torch.ones(3).sum().item(),
    ],
)
def test_what_needs_no_host_passes(free):
    with no_host():
        free(torch.empty(3, device=DEVICE))
