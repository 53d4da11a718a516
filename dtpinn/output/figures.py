"""Figures without a display: one style for all, saved safely.

Drawn with matplotlib's object interface on the Agg canvas, and no list of open figures as pyplot
keeps. matplotlib is imported when something is drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dtpinn.output.files import StrPath, replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "mathtext.fontset": "dejavusans",
}


def save_figure(path: StrPath, figure: Figure, *, dpi: int = 150) -> None:
    """Save a matplotlib figure safely, in the format that the suffix names.

    Raises
    ------
    ValueError
        If matplotlib writes no such format.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    suffix = Path(path).suffix.lstrip(".").lower()
    known = canvas.get_supported_filetypes()
    if suffix not in known:
        raise ValueError(
            f"cannot draw {str(path)!r}: expected a suffix among {', '.join(sorted(known))}, "
            f"got {suffix!r}"
        )
    with replacing(path) as file:
        figure.savefig(file, format=suffix, dpi=dpi)
