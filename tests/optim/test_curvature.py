"""The stacked history against the two-loop recursion, one pair at a time."""

import pytest
import torch

from dtpinn.optim.curvature import CurvaturePairs


def two_loop(pairs, g):
    """Nocedal and Wright, algorithm 7.4, as it is printed."""
    q, alphas = g.clone(), []
    for s, y in reversed(pairs):
        alphas.append(s.dot(q) / s.dot(y))
        q = q - alphas[-1] * y
    s, y = pairs[-1]
    r = q * (s.dot(y) / y.dot(y))
    for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
        r = r + s * (alpha - y.dot(r) / s.dot(y))
    return r


def append(history, s, y):
    history.append(s, y, sy=float(s.dot(y)), yy=float(y.dot(y)))


def pairs_of_a_quadratic(count, n, dtype, seed=0):
    """Steps, and gradient changes y = A s with A symmetric positive definite."""
    generator = torch.Generator().manual_seed(seed)
    root = torch.randn(n, n, generator=generator, dtype=torch.float64)
    a = (root @ root.T / n + torch.eye(n, dtype=torch.float64)).to(dtype)
    steps = torch.randn(count, n, generator=generator, dtype=torch.float64).to(dtype)
    return [(s, a @ s) for s in steps]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-3)])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_it_is_the_two_loop_recursion_also_after_the_ring_wraps_twice(dtype, tolerance, size):
    # tolerance: eps times the growth over 7 pairs of a Hessian of condition number about 5
    history = CurvaturePairs(size, like=torch.zeros(20, dtype=dtype))
    pairs = pairs_of_a_quadratic(3 * size + 2, 20, dtype)
    g = torch.linspace(-1, 2, 20, dtype=dtype)
    for count, (s, y) in enumerate(pairs, start=1):
        append(history, s, y)
        kept = pairs[max(0, count - size) : count]
        expected = two_loop(kept, g)
        error = (history.inverse_hessian_product(g) - expected).norm() / expected.norm()
        assert len(history) == len(kept)
        assert error < tolerance


def test_a_gradient_that_was_told_before_gives_the_same_product():
    pairs = pairs_of_a_quadratic(9, 20, torch.float64)
    told, asked = (CurvaturePairs(4, like=pairs[0][0]) for _ in range(2))
    generator = torch.Generator().manual_seed(1)
    for s, y in pairs:
        g, other = torch.randn(2, 20, generator=generator, dtype=torch.float64)
        told.append(s, y, sy=float(s.dot(y)), yy=float(y.dot(y)), g=g)
        append(asked, s, y)
        # in any order; and a copy of what was told is another vector, which may have changed
        for vector in (other, g, g.clone(), g):
            expected = asked.inverse_hessian_product(vector)
            torch.testing.assert_close(told.inverse_hessian_product(vector), expected)
    told.clear()
    append(told, *pairs[0])
    asked.clear()
    append(asked, *pairs[0])
    assert torch.equal(told.inverse_hessian_product(g), asked.inverse_hessian_product(g))


def test_the_secant_equation_holds_for_the_newest_pair():
    history = CurvaturePairs(5, like=torch.zeros(12, dtype=torch.float64))
    for s, y in pairs_of_a_quadratic(9, 12, torch.float64):
        append(history, s, y)
        torch.testing.assert_close(history.inverse_hessian_product(y), s)


def test_the_product_is_symmetric_positive_definite():
    history = CurvaturePairs(6, like=torch.zeros(10, dtype=torch.float64))
    for s, y in pairs_of_a_quadratic(8, 10, torch.float64):
        append(history, s, y)
    h = torch.stack([history.inverse_hessian_product(e) for e in torch.eye(10).double()])
    torch.testing.assert_close(h, h.T)
    assert torch.linalg.eigvalsh(h).min() > 0


def test_without_pairs_it_is_the_identity_and_a_copy():
    history = CurvaturePairs(3, like=torch.zeros(4))
    g = torch.arange(4.0)
    product = history.inverse_hessian_product(g)
    product.zero_()
    assert torch.equal(g, torch.arange(4.0))


def test_a_cleared_history_remembers_nothing():
    pairs = pairs_of_a_quadratic(7, 10, torch.float64)
    used, fresh = (CurvaturePairs(3, like=pairs[0][0]) for _ in range(2))
    for s, y in pairs[:5]:
        append(used, s * 1e3, y)
    used.clear()
    for s, y in pairs[5:]:
        append(used, s, y)
        append(fresh, s, y)
    g = torch.ones(10, dtype=torch.float64)
    assert torch.equal(used.inverse_hessian_product(g), fresh.inverse_hessian_product(g))


@pytest.mark.parametrize("count", [0, 2, 5])
def test_a_restored_history_continues_bit_for_bit(count):
    pairs = pairs_of_a_quadratic(count + 4, 10, torch.float64)
    first, second = (CurvaturePairs(3, like=pairs[0][0]) for _ in range(2))
    for s, y in pairs[:count]:
        append(first, s, y)
    second.restore(first.state())
    g = torch.ones(10, dtype=torch.float64)
    for s, y in pairs[count:]:
        append(first, s, y)
        append(second, s, y)
        assert torch.equal(first.inverse_hessian_product(g), second.inverse_hessian_product(g))


def test_refusals():
    history = CurvaturePairs(2, like=torch.zeros(3))
    with pytest.raises(ValueError, match=r"s\.y = -1"):
        history.append(torch.ones(3), -torch.ones(3), sy=-1.0, yy=3.0)
    longer = CurvaturePairs(2, like=torch.zeros(4))
    with pytest.raises(ValueError, match="length 3, got 0 of length 4"):
        history.restore(longer.state())
