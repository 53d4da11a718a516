"""The report as Markdown: what a reader wants to know first, then the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dtpinn.output import format_table

LEGEND = """\
Times of ours in us: *queued* is its share of a full queue (CUDA events), *single* the wall time of
one call until its result is there, *cold* one call's kernels after other memory has been written,
so that nothing is in the caches. A rival's figures are its times / ours, in that order: above 1
ours is faster. "of copy" is the rate at which the product moves the bytes that it must, over that
of a large copy; more than 1 where the caches hold the matrix.

- CuPy + DLPack: the paper's way, torch's vectors to CuPy and back in each product, mended
  (`dtpinn.reference.CuPyProduct`: stored transpose, no global, no wait);
- CuPy alone: cuSPARSE as CuPy calls it, on its own arrays, forward only, no autograd;
- cuSPARSE by torch: `torch.sparse` in CSR with int32 indices;
- GPU streaming: the fastest of three simple kernels over as many bytes."""


def troubles(report: dict[str, Any]) -> list[str]:
    """What came out wrong, in words; empty for a clean report."""
    sections = report["sections"]
    found = [
        f"parity: {c['matrix']}, {c['dtype']}, {c['index']}: {c['what']} {c['operand']}, "
        f"{'other bits' if c['worst'] is None else _units(c['worst'])}"
        for c in sections.get("parity", [])
        if not c["passed"]
    ]
    found += [
        f"steps: N = {step['N']}, {name}: the graph's gradient differs by {graph['difference']:.1e}"
        for step in sections.get("steps", [])
        for name, graph in step["graphs"].items()
        if not graph["passed"]
    ]
    found += [
        f"training: the first loss differs by {run['first_loss']['difference']:.1e}"
        for run in sections.get("training", [])
        if not run["first_loss"]["passed"]
    ]
    found += [
        f"steps: N = {step['N']}, {name}: {why}"
        for step in sections.get("steps", [])
        for name, why in step["left_out"].items()
    ]
    found += [
        f"products: N = {entry['N']}, n = {entry['n']}, {entry['operation']}: "
        f"{entry['left_out']['ours']}"
        for entry in sections.get("products", [])
        if "ours" in entry["left_out"]
    ]
    return found + [
        f"{failure['job']}: {failure['error'].splitlines()[-1]}" for failure in report["failed"]
    ]


def tables(report: dict[str, Any]) -> str:
    """The whole report as Markdown."""
    sections = report["sections"]
    parts = [
        "# dtpinn on a GPU",
        _verdict(report),
        _table(report["machine"].items(), ["machine", ""]),
    ]
    parts += _parity(sections.get("parity", []))
    parts += _products(sections.get("products", []), sections.get("copy", []))
    parts += _steps(sections.get("steps", []))
    parts += _training(sections.get("training", []))
    if report["skipped"]:
        rows = [(entry["job"], entry["reason"]) for entry in report["skipped"]]
        parts += ["## Skipped", _table(rows, ["what", "why"])]
    return "\n\n".join(parts)


def _verdict(report: dict[str, Any]) -> str:
    wrong = troubles(report)
    checks = sum(check["remark"] is None for check in report["sections"].get("parity", []))
    took = f"{report['started']}, {report['seconds']:.0f} s"
    if not wrong:
        return f"{took}. All {checks:,} comparisons agree; nothing failed."
    return "\n".join(
        [f"{took}. **{len(wrong)} things are wrong:**", "", *(f"- {w}" for w in wrong)]
    )


def _parity(checks: list[dict[str, Any]]) -> Iterator[str]:
    if not checks:
        return
    yield "## Parity"
    yield "Largest difference, in units of what round-off may be (bench/gpu_parity.py)."
    rows = []
    compared = [check for check in checks if check["remark"] is None]
    for what in dict.fromkeys(check["what"] for check in compared):
        group = [check for check in compared if check["what"] == what]
        worst = [check["worst"] for check in group if check["worst"] is not None]
        wrong = sum(not check["passed"] for check in group)
        rows.append((what, len(group), wrong, max(worst) if worst else "bits"))
    yield _table(rows, ["what", "comparisons", "wrong", "worst"])
    for remark in sorted({f"{c['what']}: {c['remark']}" for c in checks if c["remark"]}):
        yield f"Left out: {remark.splitlines()[0]}"


def _products(entries: list[dict[str, Any]], copies: list[dict[str, Any]]) -> Iterator[str]:
    if not entries:
        return
    yield "## Products"
    yield LEGEND
    for copy in copies:
        yield f"Copy: {1e-9 * copy['rate']:.0f} GB/s."
    for kind in dict.fromkeys((e["operation"], e["columns"]) for e in entries):
        group = [e for e in entries if (e["operation"], e["columns"]) == kind]
        rivals = list(dict.fromkeys(name for e in group for name in e["timings"]))
        rivals = [name for name in rivals if name != "ours"]
        rows = [
            (
                f"{e['N']:,}", e["n"], *_times(e["timings"].get("ours")), e.get("fraction"),
                *(_ratio(e["timings"].get(rival)) for rival in rivals),
            )
            for e in sorted(group, key=lambda e: (e["n"], e["N"]))
        ]  # fmt: skip
        yield f"### {kind[0]}, {kind[1]} column{'s' * (kind[1] > 1)}"
        yield _table(rows, ["N", "n", "queued", "single", "cold", "of copy", *rivals])
    for line in sorted({f"{n}: {why}" for e in entries for n, why in e["left_out"].items()}):
        yield f"Left out: {line.splitlines()[0]}"


def _steps(entries: list[dict[str, Any]]) -> Iterator[str]:
    if not entries:
        return
    yield "## One training step"
    yield (
        "Loss and gradient, linear Poisson, order 4, network 4 x 50, in ms: single, wall time "
        "until the gradient is there."
    )
    entries = sorted(entries, key=lambda e: e["N"])
    names = list(dict.fromkeys(name for e in entries for name in e["timings"]))
    rows = [(name, *(_milliseconds(e["timings"].get(name)) for e in entries)) for name in names]
    yield _table(rows, ["", *(f"N = {e['N']:,}" for e in entries)])
    differences = [graph["difference"] for e in entries for graph in e["graphs"].values()]
    if differences:
        yield f"Graph and eager gradient differ by {max(differences):.1e} at most, relative."


def _training(entries: list[dict[str, Any]]) -> Iterator[str]:
    if not entries:
        return
    yield "## A short training"
    rows = [
        (entry["N"], device, run["epochs"], run["evaluations"], run["seconds"], run["loss"],
         run["error"])
        for entry in entries
        for device, run in entry["runs"].items()
    ]  # fmt: skip
    yield _table(rows, ["N", "device", "epochs", "evaluations", "s", "loss", "relative l2 error"])


KINDS = ("queued", "single", "cold")


def _times(timing: dict[str, Any] | None) -> tuple[str | None, ...]:
    if timing is None:
        return (None,) * len(KINDS)
    return tuple(f"{1e6 * timing[kind]['median']:.1f}" for kind in KINDS)


def _ratio(timing: dict[str, Any] | None) -> str | None:
    if timing is None:
        return None
    return ", ".join(f"{timing[f'{kind}_ratio']['median']:.2f}" for kind in KINDS)


def _milliseconds(timing: dict[str, Any] | None) -> str | None:
    return None if timing is None else f"{1e3 * timing['single']['median']:.3g}"


def _units(worst: float) -> str:
    return f"{worst:.3g} times the bound"


def _table(rows: Iterable[Sequence[Any]], header: Sequence[str]) -> str:
    return format_table(rows, header, indent="| ", gap=" | ", digits=3)
