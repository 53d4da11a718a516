"""How the documentation is built: ``sphinx-build -W -b html .github/docs build/docs``."""

from __future__ import annotations

import importlib
import re
import shutil
from importlib.metadata import version as installed
from pathlib import Path
from pkgutil import iter_modules, resolve_name
from typing import Any, get_origin

import torch
from docutils import nodes
from numpydoc.xref import DEFAULT_LINKS
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer

project = "dtpinn"
author = project_copyright = "The dtpinn developers"
version = release = installed("dtpinn")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx-mathjax-offline",  # formulas without the network, too
    "sphinx.ext.viewcode",
]
templates_path = ["_templates"]
exclude_patterns = ["_templates"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"dtpinn {release}"
html_static_path = ["_static"]
html_css_files = ["dtpinn.css"]

# The reference shows what each package lists in ``__all__``, under the package's own name, wherever
# the files lie: a user imports it from there, and files may move.
HERE = Path(__file__).parent
shutil.rmtree(HERE / "reference", ignore_errors=True)  # generated; of names that have gone as well
REFERENCE = (HERE / "reference.md").read_text()
PUBLIC: dict[str, str] = {}  # name -> where the reference has it
ELSEWHERE: dict[str, list[str]] = {}  # package -> names that an earlier one has shown
DATA: dict[str, dict[str, list[str]]] = {}  # package -> name -> docstring, of what is no class
shown: set[int] = set()
for package in re.findall(r"^   (dtpinn\.\w+)$", REFERENCE, re.MULTILINE):
    module = importlib.import_module(package)
    files = [info.name for info in iter_modules(module.__path__, f"{package}.") if not info.ispkg]
    values = [
        name for name in module.__all__ if not get_origin(getattr(module, name))
    ]  # no aliases
    documented = [ModuleAnalyzer.for_module(file).find_attr_docs().items() for file in files]
    things = {name: id(getattr(module, name)) for name in module.__all__}
    ELSEWHERE[package] = [name for name in things if things[name] in shown]
    DATA[package] = {
        name: text
        for found in documented
        for (of, name), text in found
        if not of and name in values
    }
    PUBLIC |= {name: f"{package}.{name}" for name in things if things[name] not in shown}
    shown |= set(things.values())

autosummary_ignore_module_all = False
# A class shows what it inherits from bases without a page of their own, up to one of these.
KNOWN_BASES = ["Module", "Optimizer", "Tensor", "UserWarning", "dict", "tuple"]
autosummary_context = {
    "known_bases": ", ".join([*KNOWN_BASES, *PUBLIC]),
    "elsewhere": ELSEWHERE,
    "data": {package: list(names) for package, names in DATA.items()},
}
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings tell them, with shapes
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"  # types are written for people: only our own names are links
numpydoc_xref_aliases = PUBLIC
DEFAULT_LINKS.clear()  # links into Python's pages would need the network to build

nitpicky = True
nitpick_ignore_regex = [("py:.*", "Module|Optimizer|Tensor")]


def public_bases(app: Sphinx, name: str, cls: type, options: Any, bases: list[Any]) -> None:
    """Of the classes that a class is made from, show the next one that a reader can look up."""
    names = [base.__name__ for base in cls.__mro__[1:-1]]
    known = [name for name in names if name in PUBLIC or name in ("Module", "Optimizer", "Tensor")]
    bases[:] = [f":py:class:`{PUBLIC.get(name, name)}`" for name in known[:1]]


def of_every_tensor(
    app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out, of a tensor with words of its own, what every tensor has."""
    return True if thing is getattr(torch.Tensor, name, app) else None


def data_docstring(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Show data with the docstring that stands below it in its file, not with that of its class."""
    package, _, name = name.rpartition(".")
    if what == "data" and name in DATA.get(package, {}):
        lines[:] = DATA[package][name]


def find(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """Find ``dtpinn.fit`` and ``Problem.loss`` where the reference has them.

    What is not public, but there, is shown without a link; what is not there stays an error.
    """
    target: str = node.get("reftarget", "")
    first, _, rest = target.removeprefix("dtpinn.").partition(".")
    if node.get("refdomain") != "py":
        return None
    if first in PUBLIC:
        target = f"{PUBLIC[first]}.{rest}" if rest else PUBLIC[first]
        python = env.get_domain("py")
        found = python.resolve_any_xref(env, node["refdoc"], app.builder, target, node, content)
        return found[0][1] if found else None
    try:
        resolve_name(target if target.startswith("dtpinn.") else "")
    except (AttributeError, ImportError, ValueError):
        return None
    return content


def setup(app: Sphinx) -> None:
    """Connect them."""
    app.connect("autodoc-process-docstring", data_docstring, priority=400)  # before numpydoc
    app.connect("autodoc-process-bases", public_bases)
    app.connect("autodoc-skip-member", of_every_tensor)
    app.connect("missing-reference", find)
