"""Saving and reading nodes: the suffix says in what format."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dtpinn.nodes.archive import read_npz, write_npz
from dtpinn.nodes.node_set import NodeSet
from dtpinn.nodes.table import read_table, write_table
from dtpinn.nodes.vtu import read_vtu, write_vtu

READERS = {".npz": read_npz, ".csv": read_table, ".vtu": read_vtu}


def save(path: str | os.PathLike[str], nodes: NodeSet, fields: Mapping[str, Any] | None) -> None:
    """Write ``nodes``; a file of that name is replaced once the new one is complete.

    Raises
    ------
    ValueError
        For another suffix, or fields in a format that has none.
    """
    target = Path(path)
    suffix = _suffix(target)
    if fields and suffix != ".vtu":
        raise ValueError(f"fields can be saved beside nodes in a .vtu file; got {str(target)!r}")
    if suffix == ".npz":
        write_npz(target, nodes)
    elif suffix == ".csv":
        write_table(target, nodes)
    else:
        write_vtu(target, nodes, fields or {})


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Arguments for :class:`Nodes` from a file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        For another suffix, or a file that does not hold nodes.
    """
    source = Path(path)
    reader = READERS[_suffix(source)]
    if not source.is_file():
        raise FileNotFoundError(f"there is no file {str(source)!r}")
    return reader(source)


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise ValueError(
            f"nodes are saved as .npz (exact), .csv (text) or .vtu (for ParaView); "
            f"got {str(path)!r}"
        )
    return suffix
