"""Assembling matrices: against treverhines-rbf, and up to 200,000 nodes.

    pytest bench/bench_assembly.py --benchmark-columns=min
    pytest bench/bench_assembly.py -q --benchmark-quiet -k rival

Unit disk. The rival's `weight_matrix` gets the same stencil size, exponent and polynomials, and
stops at triplets, where ours goes on to sorted CSR; its rounds alternate with ours
(`interleaved.py`), both with all processors. Time is to grow linearly with the nodes; so is memory,
printed as the peak of the process so far.
"""

from __future__ import annotations

import resource

import numpy as np
import pytest
from scipy.sparse import vstack

import dtpinn
from bench.interleaved import compare
from dtpinn.operators import Space
from dtpinn.pde.solutions import sine_cosine
from dtpinn.rbffd import assemble, choose_rule
from dtpinn.rbffd import differential as D

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


@pytest.mark.parametrize("matrices", ["L", "L and B"])
@pytest.mark.parametrize("order", [3, 5], ids=["n31", "n57"])
@pytest.mark.parametrize("count", [5_000, 20_000], ids="N{}".format)
def test_rival(benchmark, remarks, count, order, matrices):
    reason = "the rival treverhines-rbf is not installed: pip install dtpinn[bench]"
    fd = pytest.importorskip("rbf.pde.fd", reason=reason)
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), count=count)
    rows = np.arange(len(nodes.collocation))
    boundary = len(nodes.interior) + np.arange(len(nodes.boundary))
    wanted = [(D.laplacian, rows)]
    if matrices == "L and B":  # Robin
        wanted.append((D.normal + D.identity, boundary))

    def ours():
        return vstack([assemble(nodes, {"D": d}, r, order).matrices["D"] for d, r in wanted])

    def theirs():
        return vstack([_by_rival(fd, nodes, d, r, order) for d, r in wanted])

    # The least accurate of its entries was solved in coordinates that nobody scaled.
    difference = abs(ours() - theirs()).max() / abs(ours()).max()
    assert difference < 1e-8
    comparison = compare(benchmark, ours, theirs)
    n = choose_rule(order, 2, 2).stencil_size
    benchmark.group = f"{matrices}, N = {nodes.count}, n = {n}"
    if comparison:
        benchmark.extra_info.update(nodes=nodes.count, order=order, n=n, ratio=comparison.ratio)
        low, high = comparison.quartiles
        figure = (
            f"{1e3 * comparison.ours:.0f} ms, treverhines-rbf {1e3 * comparison.theirs:.0f} ms, "
            f"ratio {comparison.ratio:.1f} ({low:.1f} to {high:.1f})"
        )
        remarks.append((f"{matrices}, N = {nodes.count:,}, n = {n}", figure))


def _by_rival(fd, nodes, operator, rows, order):
    """The same operator at the same rows by treverhines-rbf, as triplets."""
    terms = operator.terms_at(Space(2, nodes.normals))
    rule = choose_rule(order, operator.order, 2)
    return fd.weight_matrix(
        nodes.extended[rows],
        nodes.extended,
        rule.stencil_size,
        list(terms),
        coeffs=[np.broadcast_to(c, len(rows)) for c in terms.values()],
        phi=f"phs{rule.exponent}",
        order=rule.degree,
    )
