"""What a residual may ask, and what it is told when it asks for something else."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch

import dtpinn

BACKENDS = {
    "discrete": dtpinn.discretize,
    "automatic": dtpinn.vanilla,
    "forward": partial(dtpinn.vanilla, mode="forward"),
}


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
        r"Example\..* returned \(101, 101\).*\(101,\)",
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


WRONG_SYSTEMS = {
    "a broadcast": (lambda self, u, D, x: D.laplacian(u)[:, 0] - x[:, :1], r"\(101, 101\)"),
    "shapes that do not fit": (lambda self, u, D, x: u - D.laplacian(u)[:, 0], "must match"),
    "a missing field": (lambda self, u, D, x: D.laplacian(u)[:, 2], r"Example\..* failed on"),
    "a list": (lambda self, u, D, x: [u[:, 0], u[:, 1]], r"torch\.stack"),
}


@pytest.mark.parametrize("case", WRONG_SYSTEMS)
def test_a_wrong_system_is_told_too(case, build):
    residual, message = WRONG_SYSTEMS[case]
    with pytest.raises(ValueError, match=message):
        build(make(residual, fields=2))


def test_the_initial_condition_is_tried_as_well(build):
    times = [0.0, 1.0]
    in_time = {
        "residual": lambda self, u, D, x, t: D.time(u),
        "boundary": lambda self, u, D, x, n, t: u,
    }
    with pytest.raises(ValueError, match=r"returned \(101, 101\)"):
        build(make(**in_time, initial=lambda self, u, D, x: u - x[:, :1]), times=times)
    with pytest.raises(NotImplementedError, match="must define initial"):
        build(make(**in_time), times=times)


def test_making_a_problem_leaves_torchs_generator_alone(build):
    before = torch.get_rng_state()
    build(make())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_device_that_is_not_there_is_told_before_assembly(build):
    if torch.cuda.is_available():
        pytest.skip("a CUDA device is there")
    with pytest.raises(ValueError, match="device 'cuda' cannot be used"):
        build(make(), device="cuda")


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
    with pytest.raises(TypeError, match="convert the model"):
        problem.loss(lambda x: x[:, 0].float())
    column = problem.residuals(lambda x: x[:, :1] ** 2)  # (n, 1) is as good as (n,)
    flat = problem.residuals(lambda x: x[:, 0] ** 2)
    torch.testing.assert_close(column["pde"], flat["pde"])
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
    assert [name for name, _ in problem.named_parameters()] == ["pde.on.0.alpha"]
    problem.loss(lambda x: x[:, 0] ** 3).backward()
    (alpha,) = problem.parameters()
    assert alpha.grad.abs() > 0


def test_a_problem_can_be_copied_and_converted(build):
    problem = build(dtpinn.Poisson.from_solution(lambda x: x[:, 0] ** 2))
    model = dtpinn.MLP(2, width=5, depth=1, seed=0)
    torch.testing.assert_close(copy.deepcopy(problem).loss(model), problem.loss(model))
    single = copy.deepcopy(problem).to(torch.float32)
    assert single.dtype == torch.float32
    assert single.loss(model.to(torch.float32)).dtype == torch.float32


def test_derivatives_under_no_grad(build):
    problem = build(dtpinn.Poisson.from_solution(lambda x: x[:, 0] ** 2))
    model = dtpinn.MLP(2, width=5, depth=1, seed=0)
    with torch.no_grad():
        quiet = problem.loss(model)
    torch.testing.assert_close(quiet, problem.loss(model).detach())


def test_a_loss_in_inference_mode_does_not_spoil_the_training(build):
    problem = build(dtpinn.Poisson(lambda x: x[:, 0] ** 2, dtpinn.Dirichlet(lambda x, n: x[:, 1])))
    seen = []
    problem.pde.f = dtpinn.Known(lambda x: seen.append(1) or x[:, 0] ** 2)
    x = problem.regions[0].points
    with torch.inference_mode():
        assert not problem.pde.f(x).is_inference()
    assert not problem.pde.f(x).is_inference()
    assert len(seen) == 1


def test_derivatives_in_time_under_no_grad(build):
    pde = make(
        lambda self, u, D, x, t: D.time(u) - D.time(lambda u, x, t: t * u) - D.laplacian(u),
        lambda self, u, D, x, n, t: D.time(u),
        initial=lambda self, u, D, x: u,
    )
    problem = build(pde, times=[0.0, 0.5, 1.0])
    model = dtpinn.MLP(3, width=5, depth=1, seed=0)
    with torch.no_grad():
        quiet = problem.loss(model)
    torch.testing.assert_close(quiet, problem.loss(model).detach())
    result = dtpinn.fit(model, problem, epochs=2)
    assert result.history[-1].loss < result.history[0].loss
    assert set(result.history[-1].parts) == {"pde", "boundary", "initial"}


def test_derivatives_in_time_of_a_system_under_no_grad(build):
    pde = make(
        lambda self, u, D, x, t: D.time(u) - D.time(lambda u, x, t: t[:, None] * u),
        lambda self, u, D, x, n, t: D.time(u),
        fields=2,
        initial=lambda self, u, D, x: u,
    )
    problem = build(pde, times=[0.0, 0.5, 1.0])
    model = dtpinn.MLP(3, fields=2, width=5, depth=1, seed=0)
    with torch.no_grad():
        quiet = problem.loss(model)
    torch.testing.assert_close(quiet, problem.loss(model).detach())
