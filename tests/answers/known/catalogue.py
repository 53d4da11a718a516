"""All questions by name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable

from tests.answers import known
from tests.answers.known.question import Question


def questions() -> dict[str, Question]:
    """`module-NAME` -> question, of every module beside this one."""
    modules = sorted(module.name for module in pkgutil.iter_modules(known.__path__))
    return {
        f"{module}-{name}": value
        for module in modules
        for name, value in vars(importlib.import_module(f"tests.answers.known.{module}")).items()
        if isinstance(value, Question)
    }


def one_of_each_kind(names: Iterable[str]) -> set[str]:
    """Of some names, one for each module."""
    return set({name.split("-")[0]: name for name in names}.values())
