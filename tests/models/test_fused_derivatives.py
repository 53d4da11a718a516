"""Everything that torch can do with an expression, done with the fused network."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import forward_ad, gradcheck, gradgradcheck

from dtpinn.models import MLP
from dtpinn.models.fused import tanh_network, tanh_network_jacobian, tanh_network_tangents
from tests.models.perceptrons import close, draw, learn, plain


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


@pytest.mark.parametrize("what", ["points", "directions", "a weight", "the unit of the values"])
def test_vmap_of_the_jacobian(what, small):
    """Also where the batch is in something that only the seeds of the backward pass see."""
    operands, around = small
    x, along, *parameters = (t.detach() for t in operands)

    def rows(t):
        with_it = {"points": 0, "directions": 1, "a weight": 2}
        now = [x, along, *parameters, *around]
        now[with_it.get(what, -1)] = t
        return tanh_network_jacobian(now[0], now[2:-4], now[-4:], now[1])

    t = {"points": x, "directions": along, "a weight": parameters[0]}.get(what, around[-1])
    batch = torch.stack([t, 1 - 2 * t, t.square()])
    for found, one in zip(torch.func.vmap(rows)(batch), batch, strict=True):
        close(found, rows(one), 1e-13)


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


def check_op(op, small, **options):
    operands, around = small
    x, along, *parameters = operands
    if op == "network_jacobian":
        x, along, parameters = x.detach(), along.detach(), [p.detach() for p in parameters]
    middle = {"network": [], "network_tangents": [along], "network_jacobian": [along]}[op]
    function = getattr(torch.ops.dtpinn, op).default
    torch.library.opcheck(function, (x, *middle, parameters, around), **options)


OPS = ["network", "network_tangents", "network_jacobian"]


@pytest.mark.parametrize("op", OPS)
def test_opcheck(op, small):
    tests = ("test_schema", "test_autograd_registration", "test_faketensor")
    check_op(op, small, test_utils=tests)


@pytest.mark.full
@pytest.mark.parametrize("op", OPS)
def test_opcheck_with_compiled_derivatives(op, small):
    check_op(op, small)


def test_compiled_to_one_graph():
    model = MLP(2, width=6, depth=2, seed=0)
    x = torch.rand(9, 2)
    torch.compiler.reset()  # what other tests have compiled of the same code counts towards a limit
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), model(x))
    ours = torch.autograd.grad(compiled(x).square().sum(), list(model.parameters()))
    theirs = torch.autograd.grad(model(x).square().sum(), list(model.parameters()))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.full
def test_compiled_autograd_of_one_network_after_another():
    """Torch binds a name once for ever: to what is the same in all calls that come by it."""

    def gradients(operands, around):
        y = tangents_of(around)(*operands)
        return torch.autograd.grad(y.square().sum(), operands)

    # The second has as many tensors, but more parameters among them.
    for widths, normalised in (
        ([2, 3, 4, 2], True),
        ([2, 3, 3, 3, 3, 2], False),
        ([2, 4, 5, 2], True),
    ):
        x, along, parameters, around = draw(widths, 5, tangents=1)
        operands, around = learn(x, along, *parameters), around if normalised else ()
        expected = gradients(operands, around)
        with torch._dynamo.compiled_autograd._enable(torch.compile(backend="eager")):
            found = gradients(operands, around)
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


@pytest.mark.parametrize("which", range(4))
def test_a_normalisation_that_was_changed_before_the_backward_pass_is_refused(which, small):
    operands, around = small
    y = tangents_of(around)(*operands)
    around[which].mul_(2.0)
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
