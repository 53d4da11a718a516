"""What a residual may ask, and what it is told when it asks for something else."""

from __future__ import annotations

import copy

import pytest
import torch

import dtpinn

BACKENDS = {"discrete": dtpinn.discretize, "automatic": dtpinn.vanilla}


def make(residual=None, boundary=None, fields=1, initial=None):
    class Example(dtpinn.PDE):
        pass

    Example.fields = fields
    Example.residual = residual or (lambda self, u, D, x: D.laplacian(u))
    Example.boundary = boundary or (lambda self, u, D, x, n: u)
    if initial:
        Example.initial = initial
    return Example()


@pytest.fixture(params=BACKENDS)
def build(request, disk):
    return lambda pde, **options: BACKENDS[request.param](pde, disk(0.1), **options)


WRONG = {
    "another tensor": (lambda self, u, D, x: D.laplacian(2 * u), TypeError, "unknown u itself"),
    "a component": (lambda self, u, D, x: D.laplacian(u[:, None]), TypeError, "afterwards"),
    "a number": (lambda self, u, D, x: D.laplacian(3.0), TypeError, "got another float"),
    "a broadcast": (
        lambda self, u, D, x: D.laplacian(u) - x[:, :1],
        ValueError,
        r"Example\..* returned \(11, 11\).*\(11,\)",
    ),
    "a sum": (lambda self, u, D, x: D.laplacian(u).sum(), ValueError, r"returned \(\)"),
    "nothing": (lambda self, u, D, x: None, ValueError, "NoneType"),
    "a normal inside": (lambda self, u, D, x: D.normal(u), ValueError, "no normal inside"),
    "time when steady": (lambda self, u, D, x: D.time(u), ValueError, "times="),
    "a bad axis": (lambda self, u, D, x: D.partial(u, 2), ValueError, r"in 0\.\.1"),
    "a function that sums": (
        lambda self, u, D, x: D.laplacian(lambda u, x: u.sum()[None]),
        ValueError,
        "one row per point",
    ),
    "missing arguments": (lambda self, u, D, x, t: u, TypeError, r"\(u, D, x\)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_residual_is_told_before_anything_is_assembled(case, build):
    residual, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        build(make(residual))


def test_space_time_calls_with_the_time(build):
    with pytest.raises(TypeError, match="space-time problem calls it with"):
        build(make(), times=[0.0, 1.0])
    with pytest.raises(ValueError, match="increasing"):
        build(make(), times=[1.0, 0.0])


def test_models_and_arguments_are_checked(build):
    problem = build(make())
    with pytest.raises(ValueError, match=r"expected \(\d+,\)"):
        problem.loss(lambda x: x)
    with pytest.raises(TypeError, match="convert one"):
        problem.loss(lambda x: x[:, 0].float())
    column = problem.residuals(lambda x: x[:, :1] ** 2)  # (n, 1) is as good as (n,)
    flat = problem.residuals(lambda x: x[:, 0] ** 2)
    assert torch.equal(column["pde"], flat["pde"])
    with pytest.raises(TypeError, match=r"dtpinn\.PDE"):
        build(lambda u: u)
    with pytest.raises(TypeError, match="float64 or"):
        build(make(), dtype=torch.float16)


def test_conditions_must_cover_the_parts(build):
    pde = make()
    pde.conditions = lambda: {"top": pde.boundary}
    with pytest.raises(ValueError, match=r"\['top'\].*\['circle'\]"):
        build(pde)


def test_unknown_coefficients_get_a_gradient(build):
    pde = dtpinn.Poisson(
        lambda x: x[:, 0],
        boundary=dtpinn.Robin(torch.nn.Parameter(torch.tensor(2.0)), 1.0, lambda x, n: x[:, 1]),
    )
    problem = build(pde)
    assert [name for name, _ in problem.named_parameters()] == ["pde.condition.alpha"]
    problem.loss(lambda x: x[:, 0] ** 3).backward()
    (alpha,) = problem.parameters()
    assert alpha.grad.abs() > 0


def test_a_problem_can_be_copied_and_converted(build):
    problem = build(dtpinn.Poisson.from_solution(lambda x: x[:, 0] ** 2))
    model = dtpinn.MLP(2, width=5, depth=1, seed=0)
    assert torch.equal(copy.deepcopy(problem).loss(model), problem.loss(model))
    single = copy.deepcopy(problem).to(torch.float32)
    assert single.dtype == torch.float32
    assert single.loss(model.to(torch.float32)).dtype == torch.float32


def test_derivatives_under_no_grad(build):
    problem = build(dtpinn.Poisson.from_solution(lambda x: x[:, 0] ** 2))
    model = dtpinn.MLP(2, width=5, depth=1, seed=0)
    with torch.no_grad():
        quiet = problem.loss(model)
    assert torch.equal(quiet, problem.loss(model))
