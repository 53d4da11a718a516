"""The options that every function of RBF-FD takes."""

from __future__ import annotations

from typing import Literal, TypedDict

Exponent = int | Literal["clamped"] | None
Degenerate = Literal["grow", "error"]


class Options(TypedDict, total=False):
    """Keyword arguments of :func:`~dtpinn.rbffd.assemble`, passed on by all that build on it.

    Attributes
    ----------
    exponent : int or "clamped", optional
        m, odd, in place of the paper's; "clamped" is the paper's m held within [5, 11], as in the
        authors' programs: :func:`~dtpinn.rbffd.choose_rule`.
    stencil_size : int, optional
        n, in place of the paper's.
    overlap : float, optional
        delta of overlapped RBF-FD, in (0, 1]: a stencil serves all nodes within (1 - delta) of its
        radius, where its weights are no larger than at its centre. 0.5 saves half of the
        factorisations or more (a tenth of the time), and makes the error up to 1.7 times as large.
        By default, and for 1, every row has its own; points that are no nodes share anyway.
    degenerate : "grow" or "error"
        What becomes of a stencil whose nodes determine no weights: it gets more nodes, with a
        warning, or it is an error. "grow" is an error too where more nodes are no cure.
    threads : int, optional
        All available processors by default. The result does not depend on it, bit for bit.
    progress : bool, optional
        Show a bar on stderr once assembly has taken two seconds. By default where that is a
        terminal.
    """

    exponent: Exponent
    stencil_size: int | None
    overlap: float | None
    degenerate: Degenerate
    threads: int | None
    progress: bool | None
