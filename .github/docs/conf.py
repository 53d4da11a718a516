"""How the documentation is built: ``sphinx-build -W -b html .github/docs build/docs``."""

from __future__ import annotations

import importlib
import re
from importlib.metadata import version as installed
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from docutils import nodes
from numpydoc.xref import DEFAULT_LINKS
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

project = "dtpinn"
author = project_copyright = "The dtpinn developers"
version = release = installed("dtpinn")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
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
REFERENCE = (Path(__file__).parent / "reference.md").read_text()
PUBLIC: dict[str, str] = {}  # name -> where the reference has it
for package in re.findall(r"^   (dtpinn\.\w+)$", REFERENCE, re.MULTILINE):
    module = importlib.import_module(package)
    PUBLIC |= {name: f"{package}.{name}" for name in module.__all__}

autosummary_ignore_module_all = False
# A class shows what it inherits from bases without a page of their own, up to one of these.
KNOWN_BASES = ["Module", "Optimizer", "UserWarning", "dict", "tuple"]
autosummary_context = {"known_bases": ", ".join([*KNOWN_BASES, *PUBLIC])}
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings tell them, with shapes
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"  # types are written for people: only our own names are links
numpydoc_xref_aliases = PUBLIC
DEFAULT_LINKS.clear()  # links into Python's pages would need the network to build

nitpicky = True
nitpick_ignore_regex = [("py:.*", "Module|Optimizer")]


def public_bases(app: Sphinx, name: str, cls: type, options: Any, bases: list[Any]) -> None:
    """Of the classes that a class is made from, show the next one that a reader can look up."""
    names = [base.__name__ for base in cls.__mro__[1:-1]]
    known = [name for name in names if name in PUBLIC or name in ("Module", "Optimizer")]
    bases[:] = [f":py:class:`{PUBLIC.get(name, name)}`" for name in known[:1]]


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
    """Connect the two."""
    app.connect("autodoc-process-bases", public_bases)
    app.connect("missing-reference", find)
