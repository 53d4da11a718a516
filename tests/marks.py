"""Which cases of a test are quick, and which only `.ci/run` takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def mostly_full(cases: Iterable[Any], quick: Callable[[Any], bool]) -> list[Any]:
    """All cases, the parameters of a test; those that are not quick are marked `full`."""
    return [
        case
        if quick(case)
        else pytest.param(*(case if isinstance(case, tuple) else [case]), marks=pytest.mark.full)
        for case in cases
    ]
