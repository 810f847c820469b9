from __future__ import annotations

import json

import numpy as np

from drivesim.scenario.checks.finding import Finding, as_dict, in_order, span, stretches, worst_of


def finding(**changes) -> Finding:
    values = {"kind": "size", "severity": "warning", "actor": "a", "other": "", "start_s": 1.00004, "end_s": 2.0}
    values |= {"value": np.float64(3.14159), "limit": 2.0, "unit": "m", "sentence": "a is 3.14 m wide"}
    return Finding(**(values | changes))


def test_runs_are_joined_over_short_gaps_only():
    mask = np.array([1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1], dtype=bool)
    assert list(stretches(mask)) == [(0, 5), (10, 10)]
    assert list(stretches(mask, bridged=0)) == [(0, 1), (5, 5), (10, 10)]
    assert list(stretches(np.zeros(4, dtype=bool))) == []


def test_the_worst_value_is_taken_where_the_mask_holds():
    values, mask = np.array([1.0, 9.0, 3.0, 2.0]), np.array([True, False, True, True])
    assert worst_of(values, mask, 0, 3) == 3.0


def test_findings_are_json_with_rounded_numbers():
    plain = as_dict(finding())
    assert json.loads(json.dumps(plain)) == {
        "kind": "size", "severity": "warning", "actor": "a", "other": "", "start_s": 1.0, "end_s": 2.0, "value": 3.142,
        "limit": 2.0, "unit": "m", "sentence": "a is 3.14 m wide",
    }  # fmt: skip


def test_errors_come_first_then_earlier_ones():
    late, early, error = finding(start_s=5.0), finding(start_s=0.0), finding(severity="error", start_s=9.0)
    assert in_order([late, early, error]) == (error, early, late)


def test_moments_and_stretches_are_said_differently():
    assert span(1.2, 1.2) == "at 1.2 s" and span(1.2, 3.0) == "from 1.2 to 3.0 s"
