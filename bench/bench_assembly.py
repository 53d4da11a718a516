"""Placing nodes and assembling the discrete problem, up to 200,000 nodes.

    pytest bench/bench_assembly.py --benchmark-columns=min

Unit disk, linear Poisson, order 4. Time is to grow linearly; so is memory, printed as the peak of
the process so far.
"""

from __future__ import annotations

import resource

import pytest

import dtpinn
from dtpinn.pde.solutions import sine_cosine

COUNTS = [20_000, 50_000, 100_000, 200_000]


@pytest.mark.parametrize("count", COUNTS)
def test_place_nodes(benchmark, count):
    benchmark.group = "place_nodes"
    place = lambda: dtpinn.place_nodes(dtpinn.geometry.Disk(), count=count)  # noqa: E731
    benchmark.extra_info["nodes"] = benchmark.pedantic(place, rounds=1).count


@pytest.mark.parametrize("count", COUNTS)
def test_discretize(benchmark, count):
    benchmark.group = "discretize, order 4"
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), count=count)
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    benchmark.pedantic(lambda: dtpinn.discretize(pde, nodes, order=4), rounds=1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    benchmark.extra_info.update(nodes=nodes.count, order=4, peak_mib=peak)
    print(f"{nodes.count} nodes: peak {peak:.0f} MiB")
