"""A report's budget, and what happens to the rest when a job fails or somebody interrupts."""

from __future__ import annotations

import copy
from itertools import count

from bench.jobs import Job, run_jobs


def job(section, label, run=lambda: [{"done": True}]):
    return Job(section, label, run)


def fails():
    raise ValueError("no such thing")


def interrupted():
    raise KeyboardInterrupt


def run(jobs, seconds=100.0, **options):
    """Each look at the clock takes a second."""
    lines = []
    ticks = count()
    report = run_jobs(jobs, seconds, lines.append, clock=lambda: float(next(ticks)), **options)
    return report, lines


def test_results_go_to_their_sections_in_order():
    jobs = [job("a", "1"), job("b", "2", lambda: [{"n": 2}, {"n": 3}]), job("a", "4")]
    report, lines = run(jobs)
    assert report["sections"] == {"a": [{"done": True}] * 2, "b": [{"n": 2}, {"n": 3}]}
    assert report["skipped"] == report["failed"] == []
    assert [line.split("  ")[-1] for line in lines] == ["a: 1", "b: 2", "a: 4"]


def test_the_budget_is_kept_and_the_rest_named():
    report, lines = run([job("a", str(n)) for n in range(5)], seconds=4.0)
    done = len(report["sections"]["a"])
    assert 0 < done < 5
    skipped = [entry["job"] for entry in report["skipped"]]
    assert skipped == [f"a: {n}" for n in range(done, 5)]
    assert all("budget of 4 s is used up" in entry["reason"] for entry in report["skipped"])
    assert sum("skipped" in line for line in lines) == len(skipped)


def test_a_job_that_fails_is_told_and_spoils_no_other():
    report, lines = run([job("a", "1", fails), job("a", "2")])
    (failed,) = report["failed"]
    assert failed["job"] == "a: 1"
    assert "ValueError: no such thing" in failed["error"]
    assert "in fails" in failed["error"]
    assert report["sections"] == {"a": [{"done": True}]}
    assert any("failed" in line and "no such thing" in line for line in lines)


def test_an_interrupt_skips_the_rest_and_keeps_what_is_there():
    report, _ = run([job("a", "1"), job("a", "2", interrupted), job("a", "3")])
    assert report["sections"] == {"a": [{"done": True}]}
    assert [entry["job"] for entry in report["skipped"]] == ["a: 2", "a: 3"]
    assert {entry["reason"] for entry in report["skipped"]} == {"interrupted"}


def test_the_report_is_saved_after_each_job_whatever_becomes_of_it():
    saved = []
    run(
        [job("a", "1"), job("a", "2", fails), job("a", "3", interrupted), job("a", "4")],
        save=lambda report: saved.append(copy.deepcopy(report)),
    )
    assert [len(report["sections"]["a"]) for report in saved] == [1, 1, 1]
    assert [len(report["failed"]) for report in saved] == [0, 1, 1]
    assert saved[0]["done"] == saved[2]["done"] == ["a: 1"]
    assert saved[0]["seconds"] < saved[1]["seconds"]


def test_what_is_done_is_not_done_again():
    """What failed, or was skipped, is."""
    before, _ = run([job("a", "1", lambda: [{"n": 1}]), job("a", "2", fails)])
    report, lines = run([job("a", "1", fails), job("a", "2", lambda: [{"n": 2}])], before=before)
    assert report["sections"] == {"a": [{"n": 1}, {"n": 2}]}
    assert report["failed"] == report["skipped"] == []
    assert report["done"] == ["a: 1", "a: 2"]
    assert report["seconds"] > before["seconds"]
    assert len(lines) == 1
