"""Tools are pinned once: the pre-commit file asks for the versions that CI installs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_pre_commit_file_has_the_versions_of_pyproject():
    pins = set(re.findall(r"(?:ruff|clang-format)==[\d.]+", (ROOT / "pyproject.toml").read_text()))
    assert len(pins) == 2
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert set(re.findall(r"(?:ruff|clang-format)==[\d.]+", hooks)) == pins
