"""The benchmark of inference runs from end to end."""

from __future__ import annotations

from benchmarks import inference, measure, readme


def test_a_case_is_measured(one_thread):
    case = inference.measure_case(inference.Case("v1", 2, size=75, width=0.125), rounds=1)
    assert set(case["speed"]) == {"rival", "ours", "onnxruntime"}
    text = readme.inference({"machine": measure.machine(), "rounds": 1, "cases": [case]})
    assert "| v1, 75 px, batch 2 | " in text
