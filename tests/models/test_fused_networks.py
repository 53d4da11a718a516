"""Networks use the fused kernels by themselves, where these compute what torch would."""

from __future__ import annotations

import types

import pytest
import torch
from torch import nn

from dtpinn.models import MLP, FourierMLP, PeriodicMLP
from dtpinn.models.fused import parameters_of
from dtpinn.models.normalisation import Normalisation

SHAPE = {"width": 6, "depth": 2, "seed": 0}


def uses_kernels(model, x):
    y = model(x)
    seen, waiting = set(), [y.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [n for n, _ in node.next_functions]
    return any(node.name() == "NetworkBackward" for node in seen)


def normalised(model):
    box = torch.tensor([[-1.0, 0.0], [2.0, 0.5]])
    model.normalisation.set(*box, centre=torch.ones(1), unit=2 * torch.ones(1))
    return model


def made(kind=MLP, change=None, **options):
    """How to make a model, normalised and then changed."""

    def make():
        model = normalised(kind(2, **{**SHAPE, **options}))
        if change is not None:
            change(model)
        return model

    return make


class Renamed(MLP):
    """Adds nothing."""


class OwnValues(MLP):
    def values(self, x):
        return 2 * super().values(x)


class OwnPerceptron(MLP):
    def perceptron(self, x):
        return 2 * super().perceptron(x)


class OwnUnknowns(MLP):
    def unknowns(self, x):
        return 2 * super().unknowns(x)


class OwnForward(MLP):
    def forward(self, x):
        return 2 * super().forward(x)


class Twice(Normalisation):
    def outwards(self, u):
        return 2 * super().outwards(u)


def doubled(module, inputs, result):
    return 2 * result


def doubled_itself(model):
    model.forward = types.MethodType(lambda self, x: 2 * type(self).forward(self, x), model)


def doubled_layer(model):
    layer = model.layers[1]
    layer.forward = lambda x: 2 * nn.Linear.forward(layer, x)


def other_normalisation(model):
    model.normalisation = Twice(2, 1)
    normalised(model)


def constant_weight(model):
    weight = model.layers[1].weight.detach()
    del model.layers[1].weight
    model.layers[1].weight = weight


def tied(model):
    """As many tensors in the layers as parameters, and not the same."""
    model.layers[2] = model.layers[1]
    model.more = nn.ParameterList([torch.ones(2), torch.ones(3)])


# How to make a model; whether a call of it uses the kernels, and whether they make all of it, so
# that its derivatives come by the shortcuts.
CASES = {
    "as drawn": (made(), True, True),
    "not normalised": (lambda: MLP(2, **SHAPE, normalise=False), True, True),
    "a subclass that adds nothing": (made(Renamed), True, True),
    "a frozen layer": (made(change=lambda m: m.layers[1].requires_grad_(False)), True, True),
    "own values": (made(OwnValues), True, False),
    "own perceptron": (made(OwnPerceptron), True, False),
    "own unknowns": (made(OwnUnknowns), True, False),
    "own forward": (made(OwnForward), True, False),
    "forward of this model alone": (made(change=doubled_itself), True, False),
    "own normalisation": (made(change=other_normalisation), True, False),
    "a hook": (made(change=lambda m: m.register_forward_hook(doubled)), True, False),
    "layers that are one": (made(change=tied, depth=3), True, False),
    "another parameter": (
        made(change=lambda m: m.register_parameter("more", nn.Parameter(torch.ones(1)))),
        True,
        False,
    ),
    "a hook in a layer": (
        made(change=lambda m: m.layers[1].register_forward_hook(doubled)),
        False,
        False,
    ),
    "forward of a layer alone": (made(change=doubled_layer), False, False),
    "a weight that is normalised": (
        made(change=lambda m: nn.utils.parametrizations.weight_norm(m.layers[0])),
        False,
        False,
    ),
    "a weight that is no parameter": (made(change=constant_weight), False, False),
    "a layer without bias": (
        made(change=lambda m: m.layers[0].register_parameter("bias", None)),
        False,
        False,
    ),
    "another activation": (made(activation="sin"), False, False),
    "turned off": (made(change=lambda m: setattr(m, "fused", False)), False, False),
}


@pytest.mark.parametrize("case", CASES)
def test_a_model_is_computed_by_kernels_only_as_far_as_they_know_it(case):
    make, by_kernels, wholly = CASES[case]
    x = torch.rand(7, 2)
    model, off = make(), make()
    off.fused = False
    assert uses_kernels(model, x) == by_kernels
    assert not uses_kernels(off, x)
    torch.testing.assert_close(model(x), off(x), rtol=1e-13, atol=1e-13)

    parameters = dict(model.named_parameters())
    rows, both = model.parameter_rows(x, parameters), model.value_and_rate(x)
    assert (rows is not None) == wholly
    if case not in ("layers that are one", "another parameter"):  # these are all of a call
        assert (both is not None) == wholly
    assert off.parameter_rows(x, parameters) is None
    assert off.value_and_rate(x) is None
    if rows is not None:
        jacobian = torch.func.jacrev(lambda p: torch.func.functional_call(off, p, (x,)))(parameters)
        expected = torch.cat([d.flatten(1) for d in jacobian.values()], dim=1)
        torch.testing.assert_close(rows[:, 0], expected, rtol=1e-12, atol=1e-13)
    if both is not None:
        slopes = torch.func.vmap(torch.func.jacrev(off))(x)[:, -1]
        torch.testing.assert_close(torch.stack(both), torch.stack([off(x), slopes]))


def test_kernels_are_left_out_where_the_points_are_differentiated_or_are_one():
    model, x = made()(), torch.rand(7, 2)
    for points in (x.clone().requires_grad_(), x[0]):
        assert not uses_kernels(model, points)
        assert model.value_and_rate(points) is None
        assert model.parameter_rows(points, dict(model.named_parameters())) is None
    torch.testing.assert_close(model(x[0]), model(x)[0])
    single = made(dtype=torch.float32)()
    assert uses_kernels(single, x.float())


@pytest.mark.parametrize("kind", [FourierMLP, PeriodicMLP])
def test_networks_of_features_use_the_kernels_for_their_layers(kind):
    model, off, x = made(kind)(), made(kind)(), torch.rand(7, 2)
    off.fused = False
    assert uses_kernels(model, x)
    assert not uses_kernels(off, x)
    torch.testing.assert_close(model(x), off(x), rtol=1e-13, atol=1e-13)


def test_parameters_that_the_model_has_not_are_left_to_torch_to_refuse():
    model, x = made()(), torch.rand(7, 2)
    assert model.parameter_rows(x, {"somebody's": torch.ones(3)}) is None


def test_no_points_have_no_rows_and_no_rates():
    model, x = made()(), torch.rand(0, 2)
    assert [t.shape for t in model.value_and_rate(x)] == [(0,), (0,)]
    parameters = dict(model.named_parameters())
    assert model.parameter_rows(x, parameters, rates=True).shape == (0, 2, 67)


@pytest.mark.parametrize("ask", ["__call__", "value_and_rate", "parameter_rows"])
def test_every_way_into_a_network_has_the_same_checks(ask):
    model = made()()

    def call(x):
        more = [dict(model.named_parameters())] if ask == "parameter_rows" else []
        return getattr(model, ask)(x, *more)

    with pytest.raises(ValueError, match=r"MLP: expected points of shape \(n, 2\), got \(5, 3\)"):
        call(torch.zeros(5, 3))
    with pytest.raises(TypeError, match=r"points are torch.float32 but the weights are torch.f"):
        call(torch.zeros(5, 2, dtype=torch.float32))
    with pytest.raises(TypeError, match="expected the points as a torch tensor, got list"):
        call([[0.0, 1.0]])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_a_trace_holds_operations_of_torch_only():
    model, x = made()(), torch.rand(7, 2)
    traced = torch.jit.trace(model, x)
    assert "aten::tanh" in str(traced.inlined_graph)
    assert "dtpinn::" not in str(traced.inlined_graph)
    more = torch.rand(9, 2)
    torch.testing.assert_close(traced(more), model(more))


def test_the_layers_own_tensors_are_handed_over():
    model = made()()
    assert parameters_of(model.layers)[0] is model.layers[0].weight
