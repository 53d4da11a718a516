"""The house: a module imports only from floors below its own, and nothing loads before its turn."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "dtpinn"
FLOORS = {
    "arrays": 0, "operators": 0,
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


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_from_floors_below(path):
    place = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if place == "__init__":
        pytest.skip("the front door")
    for name in imports(path) - {place, "__version__"}:
        assert name in FLOORS, f"{place}: `from dtpinn import {name}`; import it from its own place"
        assert FLOORS[name] < FLOORS[place], f"{place} imports {name} from its own floor or above"


def test_import_loads_torch_and_the_extension_only():
    code = (
        "import sys, dtpinn; heavy = {'matplotlib', 'scipy'};"
        "ours = {m.split('.')[1] for m in sys.modules if m.startswith('dtpinn.')};"
        "print(sorted(heavy & set(sys.modules)), sorted(ours))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[] ['_C', 'sparse']"
