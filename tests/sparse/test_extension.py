"""The compiled part is loaded or its absence explained, never a linker message."""

from __future__ import annotations

import json

import pytest
import torch

from dtpinn.sparse import extension


def test_another_minor_version_of_torch_names_both_and_the_mend(tmp_path):
    (tmp_path / "_build.json").write_text(json.dumps({"torch": "1.0.0"}))
    with pytest.raises(ImportError) as error:
        extension.load(tmp_path)
    for part in ("torch 1.0.0", f"torch {torch.__version__}", "pip install", "torch==1.0.*"):
        assert part in str(error.value)


def test_a_missing_extension_says_how_to_build_it(tmp_path):
    with pytest.raises(ImportError, match="pip install -e"):
        extension.load(tmp_path)


def test_build_info_tells_what_was_built():
    info = extension._C.build_info()
    assert extension.minor(info["torch"]) == extension.minor(torch.__version__)
    assert info["openmp"]  # without it the kernels would be serial, silently
    assert extension._C.num_threads() == torch.get_num_threads()
