"""Stencils of periodic nodes: found among the nodes and as many of their images as they reach."""

from __future__ import annotations

from collections.abc import Callable

from dtpinn.nodes.unfolding import reach_of
from dtpinn.rbffd.block import Block
from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.sites import Sites

POOL = 8
"""Of how many times as many nodes as a stencil has images are at hand, at first."""


def unrolled(
    sites: Sites, rule: Rule, solve: Callable[[Sites], list[Block]]
) -> tuple[Sites, list[Block]]:
    """Solve for weights in a cloud with images around the cell, where the nodes have one.

    Parameters
    ----------
    sites : Sites
    rule : Rule
    solve : callable
        Gives the weights of all rows in a cloud.

    Returns
    -------
    sites : Sites
        With the cloud that was solved in; the same as given where the nodes are not periodic.
    blocks : list of Block
    """
    cell = getattr(sites.nodes, "cell", None)
    if cell is None or not cell.periodic:
        return sites, solve(sites)
    spacing = sites.nodes.local_spacing
    reach = reach_of(spacing, POOL * rule.stencil_size, sites.dimension)
    while True:
        around = sites.around(reach)
        blocks = solve(around)
        # One that went farther, in a narrow place, may have missed what is beyond the images. Its
        # centre may lie a spacing outside of the cell.
        if max(b.stencils.radius.max(initial=0.0) for b in blocks) + spacing.max() <= reach:
            return around, blocks
        reach *= 2.0
