"""Every network: shapes, initial weights, derivatives, copies, and what it refuses."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
import torch
from torch import nn

from dtpinn.models import NETWORKS


@pytest.fixture(params=NETWORKS)
def make(request):
    return NETWORKS[request.param]


@pytest.mark.parametrize(("fields", "shape"), [(1, ()), (3, (3,))])
def test_shapes_of_a_cloud_of_one_point_and_of_none(make, fields, shape):
    model = make(2, width=4, depth=1, fields=fields, seed=0)
    x = torch.rand(6, 2, dtype=torch.float64)
    assert model(x).shape == (6, *shape)
    assert model(x[0]).shape == shape
    assert model(x[:0]).shape == (0, *shape)


def test_both_precisions_start_from_the_same_function(make):
    wide, narrow = make(2, seed=1), make(2, seed=1, dtype=torch.float32)
    for a, b in zip(wide.parameters(), narrow.parameters(), strict=True):
        assert a.dtype == torch.float64
        assert b.dtype == torch.float32
        assert torch.equal(a, b.double())


def test_a_seed_leaves_torchs_generator_alone_and_no_seed_uses_it(make):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    make(2, seed=7)
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(0)
    a = make(2, width=3)
    b = make(2, width=3)
    torch.manual_seed(0)
    c = make(2, width=3)
    assert torch.equal(a.layers[0].weight, c.layers[0].weight)
    assert not torch.equal(a.layers[0].weight, b.layers[0].weight)


def test_vmap_of_functional_call_gives_the_jacobian_in_the_parameters(make):
    model = make(2, width=5, depth=2, seed=0)
    params = dict(model.named_parameters())
    x = torch.rand(4, 2, dtype=torch.float64)

    def value(params, point):
        return torch.func.functional_call(model, params, (point,))

    rows = torch.func.vmap(torch.func.grad(value), in_dims=(None, 0))(params, x)
    for i in range(4):
        expected = torch.autograd.grad(model(x)[i], list(params.values()))
        for name, g in zip(params, expected, strict=True):
            torch.testing.assert_close(rows[name][i], g)


def test_second_derivatives_in_space(make):
    model = make(2, width=5, depth=2, seed=0)
    x = torch.rand(3, 2, dtype=torch.float64)
    hessian = torch.func.vmap(torch.func.hessian(model))(x)
    assert hessian.shape == (3, 2, 2)
    torch.testing.assert_close(hessian, hessian.mT)
    assert torch.autograd.gradgradcheck(model, x.requires_grad_())


def test_compiles_to_one_graph(make):
    torch.compiler.reset()  # what other tests have compiled of the same code counts towards a limit
    model = make(2, width=5, depth=2, seed=0)
    x = torch.rand(3, 2, dtype=torch.float64)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), model(x))


def test_rebuilt_from_a_checkpoint_that_holds_no_code(make):
    model = make(3, width=6, depth=2, fields=2, activation=nn.SiLU, seed=2).float()
    file = io.BytesIO()
    torch.save({"config": model.config(), "weights": model.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    twin = make(**saved["config"])
    twin.load_state_dict(saved["weights"])
    x = torch.rand(4, 3, dtype=torch.float32)
    torch.testing.assert_close(twin(x), model(x))
    torch.testing.assert_close(copy.deepcopy(model)(x), model(x))


def test_bad_arguments_are_named(make):
    for arguments, error, message in [
        ({"inputs": 0}, ValueError, "inputs to be at least 1, got 0"),
        ({"inputs": 2.0}, TypeError, r"inputs to be an integer, got 2\.0"),
        ({"inputs": 2, "width": -1}, ValueError, "width"),
        ({"inputs": 2, "depth": True}, TypeError, "depth"),
        ({"inputs": 2, "fields": 0}, ValueError, "fields"),
        ({"inputs": 2, "activation": "tanhh"}, ValueError, "unknown activation 'tanhh'"),
        ({"inputs": 2, "activation": 3}, TypeError, "activation"),
        ({"inputs": 2, "dtype": torch.int64}, TypeError, "dtype"),
        ({"inputs": 2, "seed": 0.5}, TypeError, "seed"),
    ]:
        with pytest.raises(error, match=f"{make.__name__}: .*{message}"):
            make(**arguments)


def test_points_of_another_dimension_or_dtype_are_refused_at_the_door(make):
    model = make(2, seed=0)
    with pytest.raises(ValueError, match=rf"{make.__name__}: .*\(n, 2\), got \(5, 3\)"):
        model(torch.zeros(5, 3, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"got \(\)"):
        model(torch.tensor(0.0, dtype=torch.float64))
    with pytest.raises(TypeError, match=r"points are torch\.float32 .* weights are torch\.float64"):
        model(torch.zeros(5, 2, dtype=torch.float32))


def test_points_that_are_no_tensor_are_told_what_makes_them_one(make):
    model = make(2, width=4, depth=1, seed=0)
    points = np.array([[0.5, -1.0]])
    for given in (points, points.astype(np.float32), points.tolist()):
        with pytest.raises(TypeError, match=r"got (ndarray|list); use torch.as_tensor\(points, d"):
            model(given)
        assert model(torch.as_tensor(given, dtype=torch.float64)).shape == (1,)
    with pytest.raises(TypeError, match="coordinates are real numbers"):
        model(torch.zeros(1, 2, dtype=torch.complex128))
    with pytest.raises(TypeError, match=r"use x.to\(torch.float64\)$"):
        model(torch.zeros(1, 2, dtype=torch.int64))
