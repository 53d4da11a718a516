"""A discrete solution in a file: everything (.npz), a table (.csv), or fields to look at (.vtu)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.nodes.archive import arrays_of, nodes_from, read_archive
from dtpinn.output import replacing, write_csv

AXES = ("x", "y", "z")
SUFFIXES = (".npz", ".csv", ".vtu")


def write_solution(
    path: Path, nodes: Nodes, order: int, times: Tensor | None, points: Tensor, values: Floats
) -> None:
    """Write values on X, a row for each of ``points``."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            "a solution is saved as .npz (exact), .csv (text) or .vtu (for ParaView); got "
            f"{str(path)!r}"
        )
    columns = values.reshape(len(values), -1)
    names = ["u"] if values.ndim == 1 else [f"u{k}" for k in range(columns.shape[1])]
    if suffix == ".npz":
        arrays = {**arrays_of(nodes), "solution": values, "order": np.array(order)}
        if times is not None:
            arrays["times"] = times.numpy()
        with replacing(path) as file:
            np.savez(file, **arrays)
    elif suffix == ".csv":
        header = [*AXES[: nodes.dimension], *["t"] * (times is not None), *names]
        write_csv(path, header, np.column_stack([points.numpy(), columns]).tolist())
    elif times is None:
        nodes.save(path, dict(zip(names, columns.T, strict=True)))
    else:
        slices = columns.reshape(nodes.count, len(times), -1)
        nodes.save(
            path,
            {
                f"{name} at t = {t:g}": slices[:, number, field]
                for number, t in enumerate(times.tolist())
                for field, name in enumerate(names)
            },
        )


def read_solution(path: Path) -> tuple[Floats, dict[str, Any], int, Tensor | None]:
    """Return values, arguments for :class:`Nodes`, order and times.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it holds no solution.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    found = read_archive(path)
    if not {"solution", "order"} <= found.keys():
        raise ValueError(
            f"{str(path)!r} does not hold a solution, as Solution.save leaves it in a .npz file; "
            f"it holds {', '.join(found) or 'nothing'}"
        )
    times = torch.from_numpy(found["times"]) if "times" in found else None
    return found["solution"], nodes_from(found, path), int(found["order"]), times
