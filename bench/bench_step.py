"""One loss with its gradient: the discrete problem against autograd, in fp64 and fp32.

    pytest bench/bench_step.py --benchmark-group-by=param:count --benchmark-columns=median,min

Network 4 x 50, linear Poisson, order 4. Both problems are as training runs them: the gradient is
taken in the parameters alone. The bare network is the part that no discretisation can save.
"""

from __future__ import annotations

import pytest
import torch

import dtpinn
from dtpinn.pde.solutions import sine_cosine

COUNTS = [582, 2236, 4977, 19638]
DTYPES = {"fp64": torch.float64, "fp32": torch.float32}


class _Bare:
    """The network alone, on as many points as the discrete problem evaluates."""

    def __init__(self, nodes, dtype):
        self.points = torch.tensor(nodes.extended, dtype=dtype)

    def loss(self, model):
        return model(self.points).square().sum()


def make(method, nodes, dtype):
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    if method == "network alone":
        return _Bare(nodes, dtype)
    if method == "vanilla":
        return dtpinn.vanilla(pde, nodes, dtype=dtype, weights="equal")
    return dtpinn.discretize(pde, nodes, order=4, dtype=dtype, weights="equal")


@pytest.fixture(scope="module", params=COUNTS)
def nodes(request):
    return dtpinn.place_nodes(dtpinn.geometry.Disk(), count=request.param)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", ["discrete", "vanilla", "network alone"])
def test_loss_and_gradient(benchmark, method, dtype, nodes):
    problem = make(method, nodes, DTYPES[dtype])
    model = dtpinn.MLP(2, seed=0, normalise=False, dtype=DTYPES[dtype])
    parameters = list(model.parameters())

    def step():
        model.zero_grad(set_to_none=True)
        problem.loss(model).backward(inputs=parameters)

    benchmark.group = f"N = {nodes.count}"
    benchmark.extra_info.update(
        nodes=nodes.count, order=4, device="cpu", threads=torch.get_num_threads()
    )
    benchmark.pedantic(step, rounds=30, warmup_rounds=3)
