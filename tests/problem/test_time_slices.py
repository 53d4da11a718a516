"""The layout of values at all times: every way to take or move them agrees with the points."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.problem.time_slices import TimeSlices, node_major, with_time
from tests.problem.evolutions import Diffusion

TIMES = [0.5, 0.75, 2.0]
NODES, FIELDS = 5, 2


@pytest.fixture(params=[None, TIMES], ids=["steady", "in time"])
def slices(request):
    return TimeSlices.checked(request.param)


@pytest.fixture(params=[(), (FIELDS,)], ids=["scalar", "fields"])
def values(request, slices):
    """Numbers that tell their place."""
    shape = (NODES * slices.count, *request.param)
    return torch.arange(float(np.prod(shape)), dtype=torch.float64).reshape(shape)


def test_columns_have_a_row_for_each_node_and_come_back(slices, values):
    columns = slices.columns(values)
    assert len(columns) == NODES
    assert torch.equal(slices.flat(columns, values.shape), values)
    assert torch.equal(slices.flat(columns[3:], values.shape), values[3 * slices.count :])


def test_rows_sites_and_the_first_slice_agree(slices, values):
    some = np.array([3, 0, 4])
    assert torch.equal(slices.rows(values, torch.from_numpy(some)), values[slices.sites(some)])
    block = slices.rows(values, slice(1, 4))
    assert torch.equal(block, values[slices.sites(np.arange(1, 4))])
    assert block.data_ptr() == values[slices.count :].data_ptr()  # a view
    every = np.arange(NODES)
    assert torch.equal(slices.initial(values), values[slices.sites_at(every, 0)])
    by_time = slices.time_major(values.numpy())
    assert np.array_equal(by_time[-1], values[slices.sites_at(every, slices.count - 1)])
    assert np.array_equal(node_major(by_time), values)


def test_points_times_and_values_are_in_one_order(slices):
    x = torch.arange(2.0 * NODES, dtype=torch.float64).reshape(NODES, 2)
    t, inputs = slices.spread(x), slices.inputs(x)
    assert torch.equal(inputs, with_time(slices.repeat(x), t))
    if slices.steady:
        assert t is None
        assert torch.equal(inputs, x)
        return
    assert torch.equal(slices.initial(inputs), slices.start(x))
    assert slices.columns(t).tolist() == NODES * [TIMES]
    assert (slices.first, slices.last, slices.duration) == (0.5, 2.0, 1.5)


def test_what_is_steady_has_no_times():
    assert TimeSlices().duration == 0.0
    with pytest.raises(ValueError, match="steady: it has no times"):
        _ = TimeSlices().first


@pytest.mark.parametrize("times", [[0.0], [1.0, 0.0], [0.0, 0.0], [[0.0, 1.0]]])
def test_times_must_increase(times):
    with pytest.raises(ValueError, match="two or more increasing numbers"):
        TimeSlices.checked(times)


def test_a_problem_keeps_its_points_in_that_order(disk):
    problem = dtpinn.discretize(Diffusion(), disk(0.3), order=2, times=TIMES)
    slices, nodes = problem.posed.slices, problem.nodes
    assert torch.equal(problem.times, torch.tensor(TIMES, dtype=torch.float64))
    assert torch.equal(problem.inputs()[: len(problem.points)], problem.points)
    assert torch.equal(problem.inputs(), slices.inputs(torch.tensor(nodes.extended)))
    for region in problem.regions:
        everywhere = with_time(problem.extended_points, problem.extended_time)
        here = with_time(region.points, region.time)
        assert torch.equal(slices.rows(everywhere, region.which), here)
