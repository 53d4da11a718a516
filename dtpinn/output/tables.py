"""Small tables as text, for terminals and reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch


def format_table(
    rows: Iterable[Sequence[Any]],
    header: Sequence[str] | None = None,
    *,
    digits: int = 4,
    indent: str = "",
    gap: str = "  ",
) -> str:
    """Lay out rows in aligned columns: numbers to the right, everything else to the left.

    Parameters
    ----------
    rows : iterable of sequences
        All of one length; ``mapping.items()`` is a table of two columns. A float is shown with
        `digits` significant digits, None as "-", a bool as yes or no.
    header : sequence of str, optional
        A line of names, and a rule beneath it.
    digits : int
    indent, gap : str
        Before every line; between two columns.

    Returns
    -------
    str
        Lines without trailing blanks, and without a newline at the end.

    Raises
    ------
    ValueError
        If the rows, or a row and the header, differ in length.

    Examples
    --------
    >>> print(format_table([("poisson", 2236, 1.5e-5), ("heat", 582, None)], ["pde", "N", "error"]))
    pde         N    error
    -------  ----  -------
    poisson  2236  1.5e-05
    heat      582        -
    """
    table = [list(row) for row in rows]
    _check_lengths(table, header)
    columns = list(zip(*table, strict=True)) or [() for _ in header or ()]
    texts = [[_cell(value, digits) for value in column] for column in columns]
    if header is not None:
        texts = [[str(name), "", *cells] for name, cells in zip(header, texts, strict=True)]
    widths = [max((len(text) for text in cells), default=0) for cells in texts]
    right = [_numeric(column) for column in columns]
    if header is not None:
        for cells, width in zip(texts, widths, strict=True):
            cells[1] = "-" * width
    lines = (
        gap.join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        )
        for line in zip(*texts, strict=True)
    )
    return "\n".join((indent + line).rstrip() for line in lines)


def _check_lengths(table: list[list[Any]], header: Sequence[str] | None) -> None:
    if not table:
        return
    expected = len(table[0]) if header is None else len(header)
    for number, row in enumerate(table):
        if len(row) != expected:
            raise ValueError(
                f"format_table: row {number} has {len(row)} cells, expected {expected} as in the "
                f"{'first row' if header is None else 'header'}"
            )


def _cell(value: Any, digits: int) -> str:
    if isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim == 0:
        value = value.item()
    if value is None:
        return "-"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return f"{float(value):.{digits}g}"
    return str(value)


def _numeric(column: Sequence[Any]) -> bool:
    """Whether a column holds numbers, and nothing but numbers and gaps."""
    numbers = [
        isinstance(value, (Real, torch.Tensor, np.ndarray)) and not isinstance(value, bool)
        for value in column
        if value is not None
    ]
    return bool(numbers) and all(numbers)
