"""All questions by name."""

from __future__ import annotations

import importlib
import pkgutil

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
