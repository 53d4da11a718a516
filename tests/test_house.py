"""The house: a module imports only from floors below its own, and nothing loads before its turn."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).parent.parent / "dtpinn"
FLOORS = {
    "arrays": 0.1, "checks": 0.2, "operators": 0.3,  # steps of the ground floor
    "sparse": 1, "geometry": 1, "pde": 1, "models": 1, "optim": 1, "output": 1, "jets": 1,
    "reference": 2, "nodes": 2, "rbffd": 3, "problem": 4, "training": 5, "experiments": 6,
    "cli": 7, "__main__": 8,
}  # fmt: skip


def imports(path: Path) -> set[str]:
    """Names below ``dtpinn`` that a file imports, wherever in the file it does so."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            # `import dtpinn` would reach every floor through its attributes.
            assert not any(a.name.split(".")[0] == "dtpinn" for a in node.names), f"{path}: import"
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "dtpinn":
                found |= {alias.name for alias in node.names}
            elif (node.module or "").startswith("dtpinn."):
                found.add(node.module.split(".", 1)[1])
    return {name.split(".")[0] for name in found}


def test_a_module_imports_only_from_floors_below():
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if place == "__init__":  # the front door
            continue
        for name in imports(path) - {place, "__version__"}:
            assert name in FLOORS, f"{path}: `from dtpinn import {name}`; import it from its place"
            assert FLOORS[name] < FLOORS[place], f"{path}: {name} is on its own floor or above"


@cache
def arrows() -> set[tuple[str, str]]:
    """Pairs of modules of ``dtpinn``, dotted, of which the first imports the second.

    Also inside functions and for types alone, where Python would not mind a circle: a reader does.
    """
    paths = {
        ".".join(p.relative_to(ROOT.parent).with_suffix("").parts): p for p in ROOT.rglob("*.py")
    }
    modules = {name.removesuffix(".__init__"): path for name, path in paths.items()}

    def imported(node: ast.AST) -> set[str]:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "dtpinn":
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            return {name if name in modules else node.module for name in names}
        return set().union(*map(imported, ast.iter_child_nodes(node)))

    trees = {name: ast.parse(path.read_text()) for name, path in modules.items()}
    return {(name, other) for name, tree in trees.items() for other in imported(tree)}


def circles(pairs: set[tuple[str, str]]) -> list[list[str]]:
    """Groups of places each of which leads to all others of its group and back."""
    names, numbers = np.unique(sorted(pairs), return_inverse=True)
    here, there = numbers.reshape(-1, 2).T
    graph = coo_array((np.ones(len(here)), (here, there)), (len(names), len(names)))
    count, group = connected_components(graph, connection="strong")
    groups = [names[group == number].tolist() for number in range(count)]
    return [group for group in groups if len(group) > 1]


def test_no_module_needs_itself_by_way_of_others():
    assert circles(arrows()) == []


def folder(module: str) -> str:
    is_package = ROOT.parent.joinpath(*module.split(".")).is_dir()
    return module if is_package else module.rpartition(".")[0]


def test_the_folders_of_geometry_stand_on_its_top():
    """What all share lies beside the folders and knows none of them, and they form no circle."""
    inside = {(a, b) for a, b in arrows() if a.startswith("dtpinn.geometry.") and "geometry." in b}
    folders = {(folder(a), folder(b)) for a, b in inside}
    assert ("dtpinn.geometry.shapes", "dtpinn.geometry.curves") in folders
    assert circles(folders) == []


def test_import_loads_torch_and_the_extension_only():
    """Whoever names what needs SciPy, CuPy or matplotlib does not load it yet."""
    code = (
        "import sys, dtpinn; heavy = {'matplotlib', 'scipy', 'cupy', 'cupyx'};"
        "ours = {m.split('.')[1] for m in sys.modules if m.startswith('dtpinn.')};"
        "dtpinn.reference.CuPyProduct, dtpinn.reference.SciPyProduct;"
        "print(sorted(heavy & set(sys.modules)), sorted(ours));"
        "import dtpinn.output; print('matplotlib' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split("\n") == ["[] ['_C', 'sparse']", "False", ""]
