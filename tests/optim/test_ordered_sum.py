"""Sums whose bits do not depend on the number of threads."""

import pytest
import torch

from dtpinn.optim.ordered_sum import inner, ordered_sum


@pytest.fixture
def of_threads():
    """Results of a function with several numbers of threads."""
    before = torch.get_num_threads()

    def results(function):
        found = []
        for number in (1, 2, 3, 7):
            torch.set_num_threads(number)
            found.append(function())
        return found

    yield results
    torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("count", [100, 7_851, 1_000_003])
def test_an_inner_product_does_not_depend_on_threads(of_threads, count, dtype):
    # torch.dot of the longer two does, in fp64 or in fp32
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, count, generator=generator, dtype=dtype)
    first, *others = of_threads(lambda: inner(a, b))
    assert all(torch.equal(first, other) for other in others)
    size = float((a * b).double().abs().sum())
    assert abs(float(first) - float((a.double() * b.double()).sum())) < 1e-6 * size


def test_a_sum_of_a_matrix_is_that_of_all_its_entries():
    values = torch.arange(60_000.0, dtype=torch.float64).reshape(3, 20_000)
    assert float(ordered_sum(values.T)) == 60_000 * 59_999 / 2
