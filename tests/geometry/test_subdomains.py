"""Pieces laid apart: what they are called, where they belong, and what cannot be a body."""

from __future__ import annotations

import numpy as np
import pytest

import dtpinn
from dtpinn.geometry import Annulus, Ball, Disk, Interval, Rectangle, Subdomains

SQUARE = Rectangle((-1, -1), (1, 1))
BODIES = {
    "a wall": {"a": Interval(0, 1), "b": Interval(1, 3)},
    "a fibre": {"fibre": Disk(0.5), "matrix": SQUARE - Disk(0.5)},
    "three layers": {n: Annulus(1 + k, 2 + k) for k, n in enumerate("abc")},
    "half a side": {"a": Rectangle((0, 0), (1, 2)), "b": Rectangle((1, 0), (2, 1))},
    "a core": {"core": Ball(0.5), "shell": Ball(1.0) - Ball(0.5)},
}
PARTS = {
    "a wall": {"a.left", "a|b", "b|a", "b.right"},
    "a fibre": {"fibre|matrix", "matrix|fibre", *(f"matrix.{s}" for s in SQUARE.parts)},
    "three layers": {"a.inner", "a|b", "b|a", "b|c", "c|b", "c.outer"},
    "half a side": {
        *(f"a.{s}" for s in ("left", "right", "bottom", "top")),
        "a|b", "b|a", *(f"b.{s}" for s in ("right", "bottom", "top")),
    },
    "a core": {"core|shell", "shell|core", "shell.sphere"},
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_every_piece_has_nodes_of_its_own_on_its_side(name):
    body = Subdomains(BODIES[name])
    assert set(body.parts) == PARTS[name]
    nodes = dtpinn.place_nodes(body, spacing=0.25 if body.dimension < 3 else 0.4)
    assert set(nodes.parts) == PARTS[name]
    piece, place = body.piece(nodes.collocation), body.place(nodes.collocation)
    for number, own in enumerate(body.pieces.values()):
        assert own.signed_distance(place[piece == number]).max() < 1e-9
    for one, other in body.interfaces:
        for here, there in ((one, other), (other, one)):
            side = body.place(nodes.boundary[nodes.part == nodes.parts.index(f"{here}|{there}")])
            assert len(side)
            assert np.abs(body.pieces[there].signed_distance(side)).max() < 1e-9
    assert np.allclose(body.place(body.apart(place)), place, atol=1e-12)
    inside = nodes.interior
    assert np.allclose(body.apart(body.place(inside)), inside, atol=1e-12)


def test_what_is_no_body_is_told():
    for pieces, message in (
        ({"a": Disk()}, "two domains or more"),
        ({"fibre": Disk(0.5), "matrix": SQUARE}, "'fibre' and 'matrix' overlap near"),
        ({"a": Disk(0.5), "b": Disk(0.5, (3, 0))}, "'a' touches no other piece"),
    ):
        with pytest.raises(ValueError, match=message):
            Subdomains(pieces)
