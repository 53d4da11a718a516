"""The fused network's numbers: those of the plain torch expression, whatever the operands."""

from __future__ import annotations

import pytest
import torch

from dtpinn.models.fused import tanh_network, tanh_network_jacobian, tanh_network_tangents
from tests.models.perceptrons import SHAPES, close, draw, learn, plain_tangents

TOLERANCE = {torch.float64: 1e-13, torch.float32: 2e-5}


def check_values_and_gradients(widths, dtype):
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
            close(ours, theirs, TOLERANCE[dtype])
        if not tangents:
            close(tanh_network(x, parameters, around), results[1][0][0], TOLERANCE[dtype])
            assert tanh_network(x[:0], parameters).shape == (0, widths[-1])


def check_jacobian(widths, dtype=torch.float64):
    for tangents in (0, 1, 2):
        x, along, parameters, around = draw(widths, 19, dtype, tangents)
        rows = tanh_network_jacobian(x, parameters, around, along if tangents else None)
        parameters = learn(*parameters)
        y = plain_tangents(x, along, parameters, around).transpose(0, 1)  # (n, passes, m)
        assert rows.shape == (19, y[0].numel(), sum(p.numel() for p in parameters))
        for i in (0, 7, 18):
            for row, value in zip(rows[i], y[i].flatten(), strict=True):
                gradient = torch.autograd.grad(
                    value, parameters, retain_graph=True, materialize_grads=True
                )
                close(row, torch.cat([g.flatten() for g in gradient]), TOLERANCE[dtype])


def check_threads():
    """Neither other points nor the number of threads change a bit."""
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


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", SHAPES)
def test_values_tangents_and_gradients_are_those_of_torch(name, dtype):
    check_values_and_gradients(SHAPES[name], dtype)


@pytest.mark.parametrize("name", SHAPES)
def test_the_jacobian_of_every_point_is_that_of_torch(name):
    check_jacobian(SHAPES[name])


def test_a_point_does_not_depend_on_others_nor_anything_on_the_number_of_threads():
    check_threads()


def of_all(x, along, parameters, around, gradient):
    """Values and tangents, their gradients for one in them, and the Jacobian."""
    operands = [x, along, *parameters]
    y = tanh_network_tangents(x, along, parameters, around)
    gradients = torch.autograd.grad(y, operands, gradient)
    with torch.no_grad():
        return [y.detach(), *gradients, tanh_network_jacobian(x, parameters, around, along)]


def strided(t):
    """The same numbers, every second of a larger tensor with its dimensions the other way round."""
    wide = torch.full([2 * size for size in reversed(t.shape)], torch.nan, dtype=t.dtype)
    view = wide.permute(*reversed(range(t.dim())))[tuple([slice(1, None, 2)] * t.dim())]
    return view.copy_(t.detach())


def test_strided_operands_are_as_good_as_contiguous_ones():
    x, along, parameters, around = draw(SHAPES["odd"], 21, tangents=2)
    gradient = torch.randn(3, 21, 4)
    wanted = of_all(*learn(x, along), learn(*parameters), around, gradient)
    views = [strided(t).requires_grad_() for t in (x, along, *parameters)]
    assert not any(t.is_contiguous() for t in views)
    found = of_all(*views[:2], views[2:], [strided(t) for t in around], strided(gradient))
    for a, b in zip(found, wanted, strict=True):
        assert torch.equal(a, b)


def test_expanded_operands_are_as_good_as_contiguous_ones():
    def expanded(t):  # one number, point, row or direction for all
        return t[:1].expand_as(t)

    x, along, parameters, around = draw(SHAPES["odd"], 21, tangents=2)
    gradient = torch.randn(1, 1, 1).expand(3, 21, 4)
    views = [expanded(t).detach().requires_grad_() for t in (x, along, *parameters)]
    assert 0 in views[0].stride()
    found = of_all(*views[:2], views[2:], [expanded(t) for t in around], gradient)
    copies = learn(*(t.contiguous() for t in views))
    wanted = of_all(*copies[:2], copies[2:], [expanded(t).clone() for t in around],
                    gradient.contiguous())  # fmt: skip
    for a, b in zip(found, wanted, strict=True):
        assert torch.equal(a, b)


def test_no_points_have_gradients_of_zero():
    x, along, parameters, around = draw([2, 3, 1], 0, tangents=1)
    operands = learn(x, along, *parameters)
    y = tanh_network_tangents(operands[0], operands[1], operands[2:], around)
    assert y.shape == (2, 0, 1)
    for operand, gradient in zip(operands, torch.autograd.grad(y.sum(), operands), strict=True):
        assert torch.equal(gradient, torch.zeros_like(operand))
    assert tanh_network_jacobian(x, parameters, around, along).shape == (0, 2, 13)


@pytest.mark.parametrize("learnt", [[0], [1], [2], [5], [0, 5], [1, 2]])
def test_gradients_of_some_operands_are_those_of_all(learnt):
    """Points alone, directions alone, one weight, one bias: each is a case of the kernels."""
    x, along, parameters, around = draw([3, 7, 2], 40, tangents=1)
    every = learn(x, along, *parameters)
    some = [t.requires_grad_(i in learnt) for i, t in enumerate(learn(x, along, *parameters))]
    gradients = [
        torch.autograd.grad(
            tanh_network_tangents(t[0], t[1], t[2:], around).square().sum(),
            [t[i] for i in learnt],
        )
        for t in (every, some)
    ]
    for a, b in zip(*gradients, strict=True):
        assert torch.equal(a, b)


def test_a_normalisation_that_is_learnt_has_gradients():
    x, along, parameters, around = draw([2, 3, 2], 7, tangents=1)
    results = []
    for function in (tanh_network_tangents, plain_tangents):
        operands = learn(*parameters, *around)
        y = function(x, along, operands[:4], operands[4:])
        weights = torch.linspace(-1, 2, y.numel()).reshape(y.shape)
        results.append(torch.autograd.grad((y * weights).sum(), operands))
    for ours, theirs in zip(*results, strict=True):
        close(ours, theirs, 1e-13)


def test_what_does_not_fit_is_named():
    x, along, parameters, around = draw([2, 3, 1], 4, tangents=1)
    nothing = draw([2, 0], 4)[2]
    for arguments, error, message in [
        ((x[0], parameters), ValueError, r"x must be \(n, inputs\), got shape \[2\]"),
        ((x, parameters[:3]), ValueError, "a weight and a bias for each layer, got 3"),
        ((x[:, :1], parameters), ValueError, r"weight 0 must be \(out, 1\), got shape \[3, 2\]"),
        ((x, [*parameters[:3], torch.zeros(2)]), ValueError, r"bias 1 must be \(1,\)"),
        ((x, nothing), ValueError, r"row for each output, at least one, got shape \[0, 2\]"),
        ((x.float(), parameters), TypeError, r"dtype of x \(Float\), got Double"),
        ((x, parameters, around[:2]), ValueError, "middle, factor, centre and unit, got 2"),
        ((x, parameters, around[::-1]), ValueError, r"normalisation 0 must be \(2,\)"),
    ]:
        with pytest.raises(error, match=message):
            tanh_network(*arguments)
    with pytest.raises(ValueError, match="directions must be"):
        tanh_network_tangents(x, along[:, :2], parameters)
