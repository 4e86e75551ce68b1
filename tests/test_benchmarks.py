"""The benchmarks run, and their README says what they measured."""

from __future__ import annotations

import re

import pytest

from benchmarks import ijb, inference, measure, readme, step
from benchmarks.ijb_set import Shape
from trsfnet.analysis.benchmarks import measured


def test_the_readme_shows_the_results():
    text = readme.README.read_text(encoding="utf-8")
    assert text == readme.generated(text), "run: python -m benchmarks.readme"


def test_the_main_readme_states_the_measured_times_of_the_commands():
    text = (readme.README.parents[1] / "README.md").read_text(encoding="utf-8")
    seconds = measured("commands")["seconds"]
    steps = {"make book": ("environment", "runs", "book"), "make test": ("environment", "tests")}
    for command, parts in {**steps, "make explore": ("environment",)}.items():
        (row,) = re.findall(rf"^\| `{command}` \|.*", text, re.MULTILINE)
        assert f"| {round(sum(seconds[part] for part in parts) / 60)} minutes" in row
        named = [f"{round(seconds[part] / 60)} for the" for part in parts if len(parts) > 1]
        assert all(part in row for part in named), f"{row} names {named}"


def test_ratios_are_of_the_same_round():
    got = measure.ratio([2.0, 6.0, 9.0], [1.0, 2.0, 9.0])
    assert got == {"median": 2.0, "min": 1.0, "max": 3.0}
    calls = []
    variants = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    seconds = measure.interleaved(variants, 2, "test")
    assert calls == ["a", "b"] * 3
    assert [len(times) for times in seconds.values()] == [2, 2]


def test_a_case_is_measured_from_end_to_end(monkeypatch, one_thread):
    monkeypatch.setattr(step, "in_own_process", lambda function, *arguments: function(*arguments))
    case = step.measure_case(step.Case("tiny", "v1", 75, 2, width=0.125, over_plain=1.5), rounds=1)
    table = readme.step({"machine": measure.machine(), "rounds": 1, "cases": [case]})
    assert case["kept"]["ours trainable"] <= 1.05 * case["kept"]["ours fixed"]
    assert table.count("| tiny |") == 3


def test_a_gpu_case_says_where_the_time_goes():
    kinds = {step.kernel_kind(name) for name in ("triton_poi_fused_convolution_add", "sm90_xmma_gemm_bf16")}
    assert kinds == {"compiled norms, activations and sums", "convolutions"}
    parts = {"convolutions": 0.5, "the rest": 0.2, "idle": 0.3}
    names = ("rival", "ours trainable", "ours fixed", "plain trainable", "plain fixed")
    numbers = dict.fromkeys(names, 2)
    ratio = {"median": 3.0, "min": 2.9, "max": 3.1, "target": 2.5}
    case = {"title": "v1, 160 px, batch 85", "precision": "bfloat16", "speed": numbers, "peak": numbers}
    case |= {"over_rival": ratio, "over_plain": ratio, "trainability": {"ours": ratio, "plain": ratio}}
    case |= {
        "constant": ratio,
        "compiled_over_plain": None,
        "bfloat16_over_float32": None,
        "first": numbers,
        "tflops": 80.0,
        "parts": parts,
    }
    text = readme.step({"machine": measure.machine(), "rounds": 1, "matmul_tflops": 800.0, "cases": [case]})
    assert "| v1, 160 px, batch 85 | 2 | 80.0 | 10.0% | 50% | 20% | 30% |" in text
    assert "kept" not in text


def test_a_case_of_inference_is_measured(one_thread):
    case = inference.measure_case(inference.Case("v1", 2, size=75, width=0.125), rounds=1)
    assert set(case["speed"]) == {"rival", "trsfnet.load", "torch", "int8"} == set(case["share"])
    for name, share in case["share"].items():  # of a product's speed, by the multiplications of the network
        by_hand = 2e-9 * case["macs"] * case["speed"][name] / case["product_gflops"]
        assert share["median"] == pytest.approx(by_hand)
    text = readme.inference({"machine": measure.machine(), "rounds": 1, "cases": [case]})
    assert "| v1, 75 px, batch 2 | " in text
    assert "A product of two float32 matrices reaches " in text


def test_both_ways_of_ijb_are_measured_and_agree(tmp_path, monkeypatch):
    monkeypatch.setattr(ijb, "in_own_process", ijb.measure_way)
    shape = Shape(images=300, subjects=20, probes=60, impostor_pairs=1000, dimensions=32)
    result = ijb.compare(tmp_path, shape, rounds=1)
    assert result["difference_in_pairs"] == 0
    assert 0.1 < result["tables"]["ours"][-1] < 1
    text = readme.ijb({"machine": measure.machine(), **result})
    assert all(f"| {phase}, s |" in text for phase in ijb.PHASES)
    assert "of 60 genuine pairs" in text
