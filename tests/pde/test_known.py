"""The functions of a PDE that are evaluated once, and what an unfinished equation says."""

from __future__ import annotations

import copy
import gc

import pytest
import torch

import dtpinn


def test_known_functions_are_kept_by_point_set_and_forgotten_with_it():
    seen = []
    f = dtpinn.Known(lambda x, *t: seen.append(1) or x.sum(-1) + sum(t))
    x, other, t = torch.rand(5, 2), torch.rand(5, 2), torch.rand(5)
    assert torch.equal(f(x), f(x))
    assert len(seen) == 1
    f(other)
    assert len(seen) == 2
    assert torch.equal(f(x, t), x.sum(-1) + t)  # called with something more: not the same value
    assert torch.equal(f(x), x.sum(-1))
    assert len(f._seen) == 2
    del other
    gc.collect()
    assert len(f._seen) == 1
    assert len(copy.deepcopy(f)._seen) == 0


def test_known_functions_are_constants_of_the_points_dtype():
    f = dtpinn.Known(lambda x: x.double().sum(-1))
    x = torch.rand(5, 2, dtype=torch.float32)
    assert f(x).dtype == torch.float32
    slope = torch.nn.Parameter(torch.ones(2))
    with pytest.warns(UserWarning, match=r"Known\(<lambda>\) depends on something that requires"):
        assert not dtpinn.Known(lambda x: x.double() @ slope)(x).requires_grad


def test_known_functions_see_points_that_were_written_into():
    f = dtpinn.Known(lambda x, t: x.sum(-1) + t)
    x, t = torch.ones(5, 2), torch.zeros(5)
    assert torch.equal(f(x, t), torch.full((5,), 2.0))
    x.mul_(2)
    assert torch.equal(f(x, t), torch.full((5,), 4.0))
    t.add_(1)
    assert torch.equal(f(x, t), torch.full((5,), 5.0))
    with torch.inference_mode():
        there = torch.ones(5, 2)  # has no count of that
        assert torch.equal(f(there, t), torch.full((5,), 3.0))


def test_known_functions_are_differentiated_where_the_points_are():
    f = dtpinn.Known(lambda x: x[:, 0] ** 2)
    x = torch.rand(5, 2, requires_grad=True)
    f(x).sum().backward()
    assert torch.equal(x.grad[:, 0], 2 * x[:, 0].detach())


def test_known_functions_must_answer_for_the_points_they_are_given():
    measured = torch.rand(7)
    with pytest.raises(ValueError, match=r"\(7,\) for 5 points.*NodalData"):
        dtpinn.Known(lambda x: measured)(torch.rand(5, 2))
    assert dtpinn.Known(lambda x: 3.0)(torch.rand(5, 2)) == 3.0


def test_known_functions_are_told_which_arguments_they_get():
    x, n, t = torch.rand(5, 2), torch.rand(5, 2), torch.rand(5)
    with pytest.raises(
        TypeError, match=r"Known\(<lambda>\) takes \(x, n\), but .* with 3 of these"
    ):
        dtpinn.Known(lambda x, n: x[:, 0])(x, n, t)
    assert torch.equal(dtpinn.Known(torch.sum)(x), x.sum())  # tells nothing of its arguments


def test_known_is_for_functions():
    with pytest.raises(TypeError, match="function"):
        dtpinn.Known("3")
    with pytest.raises(TypeError, match="belongs into a residual"):
        dtpinn.Known(torch.nn.Parameter(torch.tensor(3.0)))
    with pytest.raises(ValueError, match="finite"):
        dtpinn.Known((1.0, float("nan")))


def test_an_unfinished_equation_says_what_is_missing():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.3)
    with pytest.raises(NotImplementedError, match="must define residual"):
        dtpinn.vanilla(dtpinn.PDE(), nodes)


def test_a_complex_number_stands_for_a_function_of_complex_equations():
    x = torch.ones(3, 2, dtype=torch.float64)
    assert dtpinn.pde.Known(2j)(x).dtype == torch.complex128
    assert dtpinn.pde.Known((1.0, 2j))(x).tolist() == [[1.0, 2j]]
