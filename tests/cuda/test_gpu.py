"""What only a GPU can tell: the kernels' results there, streams, devices, graphs, memory, waiting.

Without one, or with a dtpinn built without CUDA, everything here skips. The kernels themselves are
executed on the CPU by the other tests of this folder.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.autograd.forward_ad import dual_level, make_dual, unpack_dual
from torch.func import hessian, jacrev, jvp, vmap
from torch.testing import assert_close

import dtpinn
from bench.gpu_parity import parity
from bench.gpu_target import GPU, captured
from bench.gpu_training import AGREE, Step, same_gradient, short_training
from bench.operands import stencil_matrix
from bench.race import race
from bench.shapes import SHAPES, drawn
from tests.cuda.problems import PROBLEMS, disk_in_two_parts, small_network

# "gpu" alone skips without a device (tests/conftest.py).
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        dtpinn._C.build_info()["cuda"] is None,
        reason="dtpinn was built without CUDA (DTPINN_CUDA=1 pip install -e .)",
    ),
]


@pytest.fixture
def A():
    return dtpinn.CSR.from_scipy(stencil_matrix(2236, 31)).to("cuda")


@pytest.fixture
def small():
    return dtpinn.CSR.from_scipy(drawn(np.arange(12), 9)).to("cuda")


def vector(A, *more, seed=0, **options):
    generator = torch.Generator("cuda").manual_seed(seed)
    return torch.randn(A.shape[1], *more, device="cuda", generator=generator, **options)


# -- results --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHAPES)
def test_products_and_gradients_agree_with_scipy_and_cupy(name):
    assert [check for check in parity(name, "cuda") if not check.passed] == []


def test_derivatives_of_first_and_second_order(small):
    def product(values, x):
        return dtpinn.CSR(small.crow, small.col, values, small.shape) @ x

    def transposed(values, y):
        return dtpinn.CSR(small.crow, small.col, values, small.shape).T @ y

    values = small.values.clone().requires_grad_()
    for f, n in ((product, 9), (transposed, 12)):
        for shape in ((n,), (n, 3), (2, n, 2)):
            x = torch.randn(shape, device="cuda", requires_grad=True)
            assert gradcheck(f, (values, x), check_forward_ad=True, check_batched_grad=True)
            assert gradgradcheck(f, (values, x), check_fwd_over_rev=True)


def test_forward_mode(small):
    x, dx = vector(small), vector(small, seed=1)
    with dual_level():
        y, dy = unpack_dual(small @ make_dual(x, dx))
    assert torch.equal(y, small @ x)
    assert torch.equal(dy, small @ dx)
    y, dy = jvp(lambda x: small(x).sin(), (x,), (dx,))
    assert_close(dy, (small @ x).cos() * (small @ dx))


def test_vmap_and_derivatives_by_torch_func(small):
    dense = small.to_dense()
    batch = torch.randn(5, 9, device="cuda")
    assert_close(vmap(small)(batch), batch @ dense.T)
    assert_close(vmap(jacrev(small))(batch), dense.expand(5, -1, -1))
    f = lambda x: small(x).exp().sum()  # noqa: E731
    g = lambda x: (dense @ x).exp().sum()  # noqa: E731
    assert_close(vmap(hessian(f))(batch), vmap(hessian(g))(batch))


# -- streams, devices, errors ---------------------------------------------------------------------


def test_a_product_runs_on_the_current_stream(A):
    """x is written on the side stream after a long spin; a product elsewhere would read zeros."""
    x, wanted = torch.zeros_like(vector(A)), A @ vector(A)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        torch.cuda._sleep(200_000_000)
        x.copy_(vector(A))
        y = A @ x
    side.synchronize()
    assert torch.equal(y, wanted)


def test_a_product_does_not_wait_for_other_streams(A):
    x = vector(A)
    wanted = A @ x
    busy, free = torch.cuda.Stream(), torch.cuda.Stream()
    with torch.cuda.stream(free):
        A @ x  # the stream has its memory now; to allocate some might wait
    torch.cuda.synchronize()
    with torch.cuda.stream(busy):
        torch.cuda._sleep(1_000_000_000)
        done = torch.cuda.Event()
        done.record()
    with torch.cuda.stream(free):
        y = A @ x
    free.synchronize()
    assert not done.query()
    assert torch.equal(y, wanted)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
def test_a_matrix_on_another_device_than_the_current_one(A):
    B = A.to("cuda:1")
    x = vector(A).to("cuda:1").requires_grad_()
    with torch.cuda.device(0):
        y = B @ x
        y.sum().backward()
    assert y.device == x.grad.device == torch.device("cuda:1")
    assert torch.equal(y.cpu(), (A @ x.detach().to("cuda:0")).cpu())
    assert torch.cuda.current_device() == 0


def test_operands_elsewhere_are_refused_and_named(A):
    with pytest.raises(ValueError, match=r"x is on cpu where the matrix is on cuda:0; move one"):
        A @ torch.randn(A.shape[1])
    with pytest.raises(ValueError, match=r"x is on cuda:0 where the matrix is on cpu; move one"):
        A.to("cpu") @ vector(A)
    with pytest.raises(ValueError, match=r"values is on cuda:0 and the indices on cpu; move one"):
        dtpinn.CSR(A.crow.cpu(), A.col.cpu(), A.values, A.shape)
    crow, col = (torch.tensor(t, device="cuda") for t in ([0, 1], [2]))
    with pytest.raises(ValueError, match=r"lie in \[0, 2\)"):
        dtpinn.CSR(crow, col, torch.ones(1, device="cuda"), (1, 2))
    assert torch.isfinite(A @ vector(A)).all()  # the device is none the worse


# -- what the host does meanwhile -----------------------------------------------------------------


def step(A, x):
    """Products of both directions and their gradients in the operand and in learnt values."""
    values = A.values.clone().requires_grad_()
    learnt = dtpinn.CSR(A.crow, A.col, values, A.shape)

    def once():
        loss = A.T(A(x)).square().sum() + learnt.T(learnt(x)).square().sum()
        return torch.autograd.grad(loss, [x, values])

    return once


@pytest.mark.parametrize("columns", [(), (25,)], ids=str)
def test_products_and_gradients_do_not_wait_for_the_device(A, columns):
    once = step(A, vector(A, *columns, requires_grad=True))
    once()
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        once()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("columns", [(), (1,), (25,)], ids=str)
def test_only_the_output_is_allocated(A, columns):
    x = vector(A, *columns)
    g = torch.randn(A.shape[0], *columns, device="cuda")
    learnt = dtpinn.CSR(A.crow, A.col, A.values.clone().requires_grad_(), A.shape)
    for product in (lambda: A(x), lambda: A.T(g), lambda: learnt.T(g)):
        product()
        torch.cuda.synchronize()
        before = torch.cuda.memory_stats()
        result = product()
        after = torch.cuda.memory_stats()
        keys = "allocation.all.allocated", "allocated_bytes.all.allocated"
        made, size = (after[key] - before[key] for key in keys)
        assert made == 1
        assert size < result.numel() * result.element_size() + 512  # torch rounds up to 512 bytes


def test_a_matrix_made_on_the_device_stays_there(tmp_path):
    """Its indices are checked and its transpose is built without a visit to the host."""
    made = dtpinn.CSR.from_scipy(stencil_matrix(19_638, 31)).to("cuda")
    parts = made.crow, made.col, made.values, made.shape
    dtpinn.CSR(*parts)
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        seen = made.col.cpu()  # so that copies are known to be recorded
        A = dtpinn.CSR(*parts)
        torch.cuda.synchronize()
    profile.export_chrome_trace(str(tmp_path / "trace.json"))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    copies = [e for e in events if e["name"].startswith(("Memcpy DtoH", "Memcpy HtoD"))]
    size = sum(e["args"]["bytes"] for e in copies) - seen.numel() * seen.element_size()
    assert 0 <= size < 4096  # the verdict, and no array
    for name in ("crow_t", "col_t", "perm", "values_t"):
        assert torch.equal(getattr(A, name), getattr(made, name))


# -- graphs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [(), (25,)], ids=str)
def test_a_product_in_a_graph_sees_changed_inputs(A, columns):
    x = vector(A, *columns, requires_grad=True)
    once = step(A, x)
    replay = captured(once)
    replay()
    with torch.no_grad():
        x.copy_(vector(A, *columns, seed=1))
    for replayed, wanted in zip(replay(), once(), strict=True):
        assert torch.equal(replayed, wanted)


@pytest.mark.parametrize("dtype", AGREE)
@pytest.mark.parametrize("method", ["DT-PINN", "vanilla"])
def test_a_training_step_in_a_graph_has_the_eager_gradient(method, dtype):
    once = Step(method, dtype, 582, "cuda")
    assert same_gradient(once, captured(once), AGREE[dtype])["passed"]


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_kind_of_problem_can_be_captured(name):
    make, times = PROBLEMS[name]
    problem = dtpinn.discretize(make(), disk_in_two_parts(), times=times, device="cuda")
    model = small_network(problem, seed=0, device="cuda")
    parameters = [*model.parameters(), *problem.pde.parameters()]

    def once():
        return torch.autograd.grad(problem.loss(model), parameters)

    replay = captured(once)
    with torch.no_grad():
        for parameter in parameters:
            parameter.mul_(1.1)
    for replayed, wanted in zip(replay(), once(), strict=True):
        assert_close(replayed, wanted, rtol=1e-10, atol=1e-10)


# -- training, and the report's own tools ---------------------------------------------------------


def test_a_short_training_starts_as_on_the_cpu_and_gets_as_far():
    entry = short_training(GPU, 582, 10)
    assert entry["first_loss"]["passed"]
    errors = [run["error"] for run in entry["runs"].values()]
    assert len(errors) == 2
    assert max(errors) < 10 * min(errors)


def test_the_timer_measures_the_device_and_not_the_launch():
    """A copy of 64 MiB takes tens of microseconds at least, and a launch does not depend on it."""
    there = torch.empty(2**23, device="cuda", dtype=torch.float64)
    few = torch.empty(8, device="cuda", dtype=torch.float64)
    source, little = torch.ones_like(there), torch.ones_like(few)
    calls = {"large": lambda: there.copy_(source), "tiny": lambda: few.copy_(little)}
    timings = race(GPU.timer, calls, seconds=0.2)
    assert timings["large"].queued.median > 5 * timings["tiny"].queued.median
    assert timings["tiny"].queued.median < timings["tiny"].single.median
