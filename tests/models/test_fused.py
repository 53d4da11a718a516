"""The fused network against the plain torch expression, and its tanh against correct rounding."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd import forward_ad, gradcheck, gradgradcheck

import dtpinn
from dtpinn.models import MLP
from dtpinn.models.fused import (
    parameters_of,
    tanh_network,
    tanh_network_jacobian,
    tanh_network_tangents,
)

# Of every remainder of the kernels' blocks there is one: of outputs, inputs and points.
SHAPES = {
    "the paper's": [2, 50, 50, 50, 50, 1],
    "Gauss-Newton's": [2, 64, 1],
    "no hidden layer": [3, 2],
    "narrow": [1, 1, 2, 3, 2],
    "odd": [3, 7, 13, 5, 4],
    "wide": [5, 301, 11, 3],
}


def draw(widths, n, dtype=torch.float64, tangents=0, seed=0):
    """Points, directions, parameters and normalisation of a network."""
    g = torch.Generator().manual_seed(seed)

    def normal(*size):
        return torch.randn(*size, generator=g, dtype=torch.float64).to(dtype)

    parameters = []
    for a, b in pairwise(widths):
        parameters += [normal(b, a) / a**0.5, normal(b)]
    around = [normal(widths[0]), normal(widths[0]), normal(widths[-1]), normal(widths[-1])]
    return normal(n, widths[0]), normal(tangents, n, widths[0]), parameters, around


def plain(x, parameters, normalisation=()):
    """As anybody would write it with torch."""
    if normalisation:
        x = (x - normalisation[0]) * normalisation[1]
    for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        x = torch.tanh(nn.functional.linear(x, weight, bias))
    x = nn.functional.linear(x, parameters[-2], parameters[-1])
    return x * normalisation[3] + normalisation[2] if normalisation else x


def plain_tangents(x, directions, parameters, normalisation=()):
    def one(direction):
        return torch.func.jvp(lambda x: plain(x, parameters, normalisation), (x,), (direction,))[1]

    return torch.stack([plain(x, parameters, normalisation), *map(one, directions)])


def learn(*tensors):
    return [t.detach().clone().requires_grad_() for t in tensors]


def close(a, b, tolerance):
    """Relative to the size of the whole: single entries may cancel."""
    assert a.shape == b.shape
    assert float((a - b).norm()) <= tolerance * float(b.norm().clamp_min(1e-30))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("name", SHAPES)
def test_values_tangents_and_gradients_are_those_of_torch(name, dtype):
    tolerance = {torch.float64: 1e-13, torch.float32: 2e-5}[dtype]
    widths = SHAPES[name]
    for n, tangents in ((1, 0), (131, 1), (300, 0), (70, 2)):
        x, along, parameters, around = draw(widths, n, dtype, tangents)
        results = []
        for function in (tanh_network_tangents, plain_tangents):
            operands = learn(x, along, *parameters)
            y = function(operands[0], operands[1], operands[2:], around)
            weights = torch.linspace(-1, 2, y.numel(), dtype=dtype).reshape(y.shape)
            gradients = torch.autograd.grad((y * weights).sum(), operands, materialize_grads=True)
            results.append((y.detach(), *gradients))
        for ours, theirs in zip(*results, strict=True):
            close(ours, theirs, tolerance)
        if not tangents:
            close(tanh_network(x, parameters, around), results[1][0][0], tolerance)
            assert tanh_network(x[:0], parameters).shape == (0, widths[-1])


@pytest.mark.parametrize("name", SHAPES)
def test_the_jacobian_of_every_point_is_that_of_torch(name):
    widths = SHAPES[name]
    for tangents in (0, 1, 2):
        x, along, parameters, around = draw(widths, 19, tangents=tangents)
        rows = tanh_network_jacobian(x, parameters, around, along if tangents else None)
        parameters = learn(*parameters)
        y = plain_tangents(x, along, parameters, around).transpose(0, 1)  # (n, passes, m)
        assert rows.shape == (19, y[0].numel(), sum(p.numel() for p in parameters))
        for i in (0, 7, 18):
            for row, value in zip(rows[i], y[i].flatten(), strict=True):
                gradient = torch.autograd.grad(value, parameters, retain_graph=True)
                close(row, torch.cat([g.flatten() for g in gradient]), 1e-13)


def test_a_point_does_not_depend_on_others_nor_anything_on_the_number_of_threads():
    x, along, parameters, around = draw(SHAPES["odd"], 1000, tangents=1)
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3, 7):
            torch.set_num_threads(threads)
            operands = learn(x, along, *parameters)
            y = tanh_network_tangents(operands[0], operands[1], operands[2:], around)
            gradients = torch.autograd.grad(y.square().sum(), operands)
            rows = tanh_network_jacobian(x, parameters, around, along)
            results.append([y, *gradients, rows])
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))
    values = tanh_network(x, parameters, around)
    assert torch.equal(values, results[0][0][0])
    for some in (slice(3, 4), slice(5, 90), torch.randperm(1000)):
        assert torch.equal(tanh_network(x[some], parameters, around), values[some])


# -- tanh ---------------------------------------------------------------------------------------


def tanh_of(x):
    """Our tanh: a network of one neuron whose affine maps are the identity."""
    one, zero = torch.ones(1, 1, dtype=x.dtype), torch.zeros(1, dtype=x.dtype)
    return tanh_network(x[:, None], [one, zero, one, zero])[:, 0]


def arguments(dtype):
    """Dense where tanh is curved, log-spaced down to the smallest numbers, and around its seams."""
    info = np.finfo(dtype)
    dense = np.concatenate([np.linspace(0.0, 2.0, 2001), np.linspace(2.0, 24.0, 701)])
    small = np.logspace(np.log10(info.smallest_subnormal) + 0.5, 1.4, 801)
    seams = np.arange(1, 60)[:, None] * (np.log(2) / 2) + np.linspace(-1, 1, 7) * 1e-3
    near = np.nextafter(np.arange(1, 60) * (np.log(2) / 2), 0)
    ends = [info.smallest_subnormal, info.tiny, info.max, 9.01, 19.06, 20.0, 1e4]
    return np.concatenate([dense, small, seams.ravel(), near, ends]).astype(dtype)


def errors_of_tanh(dtype):
    """In units in the last place."""
    x = arguments(dtype)
    ours = tanh_of(torch.from_numpy(x)).numpy()
    assert np.array_equal(tanh_of(torch.from_numpy(-x)).numpy(), -ours)
    assert np.all(np.abs(ours) <= 1)
    if dtype is np.float32:
        exact, rest = np.tanh(x.astype(np.float64)), np.zeros(len(x))
    else:  # two doubles that add up to tanh
        with mpmath.workprec(120):
            numbers = [mpmath.tanh(mpmath.mpf(float(v))) for v in x]
            exact = np.array([float(v) for v in numbers])
            rest = np.array([float(v - float(v)) for v in numbers])
    unit = np.spacing(exact.astype(dtype)).astype(np.float64)
    return np.abs((ours.astype(np.float64) - exact) - rest) / unit


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_tanh_is_right_to_two_units_in_the_last_place(dtype):
    errors = errors_of_tanh(dtype)
    assert errors.max() <= 2.0, (arguments(dtype)[errors.argmax()], errors.max())


def test_tanh_at_infinity_of_nan_and_of_zero():
    for dtype in (torch.float64, torch.float32):
        x = torch.tensor([torch.inf, -torch.inf, torch.nan, 0.0, -0.0, 1e30], dtype=dtype)
        x = torch.cat([x, torch.zeros(40, dtype=dtype)])  # and nothing spills into its neighbours
        torch.testing.assert_close(tanh_of(x), torch.tanh(x), rtol=0, atol=0, equal_nan=True)


# -- everything that torch can do with an expression --------------------------------------------


@pytest.fixture
def small():
    x, along, parameters, around = draw([2, 3, 4, 2], 5, tangents=1)
    return learn(x, along, *parameters), around


def values_of(around):
    return lambda x, *parameters: tanh_network(x, parameters, around)


def tangents_of(around):
    return lambda x, along, *parameters: tanh_network_tangents(x, along, parameters, around)


def test_gradcheck_of_first_and_second_order_and_in_forward_mode(small):
    operands, around = small
    f, g = values_of(around), tangents_of(around)
    without = [operands[0], *operands[2:]]
    assert gradcheck(f, without, check_forward_ad=True)
    assert gradgradcheck(f, without, check_fwd_over_rev=True)
    assert gradcheck(g, operands, check_forward_ad=True)
    assert gradgradcheck(g, operands)


def test_third_derivatives(small):
    operands, around = small
    x, parameters = operands[0], operands[2:]

    def thrice(function):
        y = function(x, parameters, around)
        for _ in range(3):
            (y,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
        return torch.autograd.grad(y.sum(), parameters, allow_unused=True)

    for ours, theirs in zip(thrice(tanh_network), thrice(plain), strict=True):
        if theirs is not None:
            close(ours, theirs, 1e-12)


def test_torch_func_and_vmap(small):
    operands, around = small
    x, parameters = operands[0].detach(), [p.detach() for p in operands[2:]]
    f = values_of(around)
    weights = parameters[0]

    def of_weight(function):
        return lambda w: function(x, [w, *parameters[1:]], around)

    for transform in (
        lambda h: torch.func.jacrev(h)(weights),
        lambda h: torch.func.jacfwd(h)(weights),
        lambda h: torch.func.hessian(lambda w: h(w).square().sum())(weights),
        lambda h: torch.func.grad(lambda w: h(w).square().sum())(weights),
        lambda h: torch.func.vmap(h)(torch.stack([weights, 2 * weights])),
        lambda h: torch.func.vjp(h, weights)[1](torch.ones(5, 2))[0],
    ):
        close(transform(of_weight(tanh_network)), transform(of_weight(plain)), 1e-12)
    single = torch.func.vmap(lambda p: f(p[None], *parameters)[0])(x)
    close(single, plain(x, parameters, around), 1e-13)
    points = torch.stack([x, x + 1])
    close(torch.func.vmap(lambda x: f(x, *parameters))(points)[1], f(x + 1, *parameters), 1e-13)


def test_a_batch_of_gradients_at_once(small):
    operands, around = small
    y = tangents_of(around)(*operands)
    seeds = torch.randn(3, *y.shape)
    batch = torch.autograd.grad(y, operands, seeds, is_grads_batched=True, retain_graph=True)
    for i, seed in enumerate(seeds):
        for rows, one in zip(batch, torch.autograd.grad(y, operands, seed, retain_graph=True),
                             strict=True):  # fmt: skip
            close(rows[i], one, 1e-13)


def test_forward_mode_has_a_graph(small):
    operands, around = small
    with forward_ad.dual_level():
        x = forward_ad.make_dual(operands[0], operands[1][0])
        y, slope = forward_ad.unpack_dual(values_of(around)(x, *operands[2:]))
    both = tangents_of(around)(*operands)
    close(torch.stack([y, slope]).detach(), both.detach(), 1e-13)
    gradients = [
        torch.autograd.grad(s.square().sum(), operands[2:], materialize_grads=True)
        for s in (slope, both[1])
    ]
    for a, b in zip(*gradients, strict=True):
        close(a, b, 1e-12)


@pytest.mark.parametrize(
    "op",
    [
        "network_tangents",
        pytest.param("network", marks=pytest.mark.full),
        pytest.param("network_jacobian", marks=pytest.mark.full),
    ],
)
def test_opcheck(op, small):
    operands, around = small
    x, along, *parameters = operands
    if op == "network_jacobian":
        x, along, parameters = x.detach(), along.detach(), [p.detach() for p in parameters]
    middle = {"network": [], "network_tangents": [along], "network_jacobian": [along]}[op]
    torch.library.opcheck(getattr(torch.ops.dtpinn, op).default, (x, *middle, parameters, around))


def test_compiled_to_one_graph():
    model = MLP(2, width=6, depth=2, seed=0)
    x = torch.rand(9, 2)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), model(x))
    ours = torch.autograd.grad(compiled(x).square().sum(), list(model.parameters()))
    theirs = torch.autograd.grad(model(x).square().sum(), list(model.parameters()))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.full
def test_compiled_autograd(small):
    operands, around = small

    def gradients():
        y = tangents_of(around)(*operands)
        return torch.autograd.grad(y.square().sum(), operands)

    expected = gradients()
    with torch._dynamo.compiled_autograd._enable(torch.compile(backend="eager")):
        found = gradients()
    for a, b in zip(found, expected, strict=True):
        close(a, b, 1e-12)


def test_tensors_without_data_and_of_other_dtypes(small):
    operands, around = small
    x, along, *parameters = (t.detach() for t in operands)
    f = tangents_of([t.to("meta") for t in around])
    assert f(*(t.to("meta") for t in (x, along, *parameters))).shape == (2, 5, 2)
    half = [t.to(torch.bfloat16) for t in (x, *parameters, *around)]
    assert tanh_network(half[0], half[1:-4], half[-4:]).dtype == torch.bfloat16
    with torch.inference_mode():
        close(values_of(around)(x, *parameters), plain(x, parameters, around), 1e-13)


def test_a_parameter_that_was_changed_before_the_backward_pass_is_refused(small):
    operands, around = small
    y = tangents_of(around)(*operands)
    with torch.no_grad():
        operands[-2].add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_graph_is_freed_and_only_what_is_wanted_is_computed(small):
    operands, around = small
    y = values_of(around)(operands[0].detach(), *operands[2:])
    y.sum().backward(inputs=[operands[2]])
    assert operands[2].grad is not None
    assert operands[3].grad is None
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()


def test_what_does_not_fit_is_named():
    x, along, parameters, around = draw([2, 3, 1], 4, tangents=1)
    for arguments, error, message in [
        ((x[0], parameters), ValueError, r"x must be \(n, inputs\), got shape \[2\]"),
        ((x, parameters[:3]), ValueError, "a weight and a bias for each layer, got 3"),
        ((x[:, :1], parameters), ValueError, r"weight 0 must be \(out, 1\), got shape \[3, 2\]"),
        ((x, [*parameters[:3], torch.zeros(2)]), ValueError, r"bias 1 must be \(1,\)"),
        ((x.float(), parameters), TypeError, r"dtype of x \(Float\), got Double"),
        ((x, parameters, around[:2]), ValueError, "middle, factor, centre and unit, got 2"),
        ((x, parameters, around[::-1]), ValueError, r"normalisation 0 must be \(2,\)"),
    ]:
        with pytest.raises(error, match=message):
            tanh_network(*arguments)
    with pytest.raises(ValueError, match="directions must be"):
        tanh_network_tangents(x, along[:, :2], parameters)


# -- by itself in networks -------------------------------------------------------------------------


def uses_kernels(model, x):
    y = model(x)
    seen, waiting = set(), [y.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [n for n, _ in node.next_functions]
    return any(node.name() == "NetworkBackward" for node in seen)


def test_networks_use_it_where_it_applies_and_are_equal_where_not():
    x = torch.rand(20, 2)
    model = MLP(2, width=6, depth=2, seed=0)
    model.normalisation.set(x.amin(0), x.amax(0), centre=torch.ones(1), unit=2 * torch.ones(1))
    assert uses_kernels(model, x)
    assert uses_kernels(copy.deepcopy(model).float(), x.float())
    off = copy.deepcopy(model)
    off.fused = False
    assert not uses_kernels(off, x)
    torch.testing.assert_close(off(x), model(x), rtol=1e-13, atol=1e-13)
    assert not uses_kernels(model, x.clone().requires_grad_())
    assert not uses_kernels(MLP(2, width=6, depth=2, activation="sin"), x)

    hooked = copy.deepcopy(model)
    hooked.layers[1].register_forward_hook(lambda layer, given, result: 2 * result)
    weighted = copy.deepcopy(model)
    nn.utils.parametrizations.weight_norm(weighted.layers[0])
    other = copy.deepcopy(model)
    other.layers[0] = nn.Linear(2, 6, bias=False)

    class Doubled(MLP):
        def values(self, x):
            return 2 * super().values(x)

    for changed in (hooked, weighted, other):
        assert not uses_kernels(changed, x)
    doubled = Doubled(2, width=6, depth=2, seed=0, normalise=False)
    single = MLP(2, width=6, depth=2, seed=0, normalise=False)
    torch.testing.assert_close(doubled(x), 2 * single(x))
    assert parameters_of(model.layers)[0] is model.layers[0].weight


@pytest.mark.parametrize("capability", ["default", "avx2"])
def test_other_instruction_sets_and_the_variable_that_turns_it_off(capability):
    """The kernels of lesser processors, in a process where networks must not use them."""
    if dtpinn._C.instruction_set() == {"default": "baseline"}.get(capability, capability):
        pytest.skip("what the tests above ran with")
    code = """
import numpy as np
from tests.models.test_fused import *
torch.set_default_dtype(torch.float64)
assert not uses_kernels(MLP(2), torch.rand(3, 2))
for name in ("the paper's", "odd"):
    for dtype in (torch.float64, torch.float32):
        test_values_tangents_and_gradients_are_those_of_torch(name, dtype)
for dtype in (np.float64, np.float32):
    assert errors_of_tanh(dtype).max() <= 2.0
print(dtpinn._C.instruction_set())
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        env={**os.environ, "ATEN_CPU_CAPABILITY": capability, "DTPINN_FUSED": "0"},
    )  # fmt: skip
    assert run.stdout.strip() in ("baseline", capability), run.stderr[-2000:]
