"""Damped normal equations against least squares, whatever the matrix is cut into."""

import pytest
import torch

from dtpinn.optim.damped import DampedEquations


@pytest.mark.parametrize("shape", [(90, 1), (90, 65), (400, 310), (70, 300), (320, 330)])
def test_they_are_least_squares_with_the_damping_as_rows(shape):
    generator = torch.Generator().manual_seed(0)
    A = torch.randn(shape, generator=generator, dtype=torch.float64)
    equations = DampedEquations(A)
    for damping in (10.0, 0.1):  # in turn, with the same Gram matrix
        assert equations.factorise(damping)
        for _ in range(2):
            r = torch.randn(shape[0], generator=generator, dtype=torch.float64)
            rows = torch.cat([A, damping**0.5 * torch.eye(shape[1], dtype=torch.float64)])
            wanted = torch.linalg.lstsq(rows, -torch.cat([r, torch.zeros(shape[1]).double()]))
            for v in (equations.solve(r), equations.solve(r, equations.gradient(r))):
                # The condition of A'A + damping is below 3e4 here.
                assert (v - wanted.solution).norm() < 1e-10 * wanted.solution.norm()
            # Along any other gradient too; with A A' the difference of two large vectors.
            along = equations.descent(equations.gradient(r) + 1.0)
            square = A.T @ A + damping * torch.eye(shape[1], dtype=torch.float64)
            assert (square @ along + equations.gradient(r) + 1.0).norm() < 1e-8 * along.norm()
    assert equations.mean_square == pytest.approx(float(A.square().sum()) / shape[1])


def test_what_is_not_positive_definite_is_told_and_spoils_nothing():
    equations = DampedEquations(torch.ones(3, 2, dtype=torch.float64))
    assert not equations.factorise(-1.0)
    assert equations.factorise(1.0)
    r = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    assert torch.allclose(equations.solve(r), torch.full((2,), -6 / 7, dtype=torch.float64))
