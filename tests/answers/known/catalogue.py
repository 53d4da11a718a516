"""All questions by name."""

from __future__ import annotations

import importlib
import pkgutil

import known
from known.question import Question


def questions() -> dict[str, Question]:
    """`module-NAME` -> question, of every module beside this one."""
    modules = sorted(module.name for module in pkgutil.iter_modules(known.__path__))
    return {
        f"{module}-{name}": value
        for module in modules
        for name, value in vars(importlib.import_module(f"known.{module}")).items()
        if isinstance(value, Question)
    }
