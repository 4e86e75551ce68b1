"""`python -m benchmarks.readme` writes the tables of `benchmarks/README.md` from `benchmarks/results/`."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS
from trsfnet.text import counted
from trsfnet.training.sharded_head import classifier_bytes

README = Path(__file__).parent / "README.md"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table whose first column contains text and the others numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def place(of: dict[str, Any]) -> str:
    """Where and when a result was measured."""
    amx = "with AMX" if of["amx"] else "without AMX"
    gpu = "" if of["device"] == "cpu" else f"{of['device']}; "
    cpu = f"{of['cpu']} ({of['cpu_capability']}, {amx}), {of['cores']} cores"
    return f"{gpu}{cpu}, torch {of['torch']}, {of['date']}"


def machine(of: dict[str, Any], rounds: int) -> str:
    """One line on where and when ratios were measured, and how they are summarised."""
    return f"{place(of)}; medians of {rounds} rounds, in brackets their range."


def spread(ratio: dict[str, float] | None) -> str:
    """A ratio with its range over the rounds."""
    if ratio is None:
        return "–"
    return f"{ratio['median']:.2f} ({ratio['min']:.2f}–{ratio['max']:.2f})"


def target(ratio: dict[str, Any] | None, sign: str) -> str:
    """The target of a ratio."""
    return "–" if ratio is None or ratio["target"] is None else f"{sign} {ratio['target']:.2f}"


def step(result: dict[str, Any]) -> str:
    """Speed compared with rival and plain networks, then the cost of trainability."""
    cases = result["cases"]

    def speed(case: dict[str, Any], variant: str) -> str:
        return f"{case['speed'][variant]:.1f}" if variant in case["speed"] else "–"

    head = ["+ TRSF + PReLU", "precision", "images/s", "over rival", "target", "over plain", "target"]
    head += ["compiled over plain", "its first step, s", "bfloat16 over float32"]
    rows = [
        [
            case["title"],
            case["precision"],
            speed(case, "ours trainable"),
            spread(case["over_rival"]),
            target(case["over_rival"], "≥"),
            spread(case["over_plain"]),
            target(case["over_plain"], "≥"),
            spread(case["compiled_over_plain"]),
            f"{case['first']['compiled trainable']:.0f}" if case["compiled_over_plain"] else "–",
            spread(case["bfloat16_over_float32"]),
        ]
        for case in cases
    ]
    others = ["images/s", "rival", "plain + TRSF + PReLU", "plain, fixed, ReLU", "ours, fixed, ReLU"]
    variants = ("rival", "plain trainable", "plain fixed", "ours fixed")
    memory = [of for of in ("kept", "peak") if of in cases[0]]
    cost = ["+ TRSF + PReLU over fixed, ReLU", "plain: time", "ours: time", "target"]
    cost += ["ours, fixed, Leaky ReLU: time"]
    cost += [f"{kind}: {of}" for of in memory for kind in ("plain", "ours")]
    parts = [
        machine(result["machine"], result["rounds"]),
        table(head, rows),
        table(others, [[case["title"], *(speed(case, variant) for variant in variants)] for case in cases]),
        table(cost, [_cost(case, memory) for case in cases]),
    ]
    if "matmul_tflops" in result:
        rate = result["matmul_tflops"]
        parts.append(
            f"The GPU multiplies bfloat16 matrices at {rate:.0f} TFLOP/s. What it reaches in a step, and how "
            "the step's time divides:"
        )
        kinds = list(cases[0]["parts"])
        shares = [
            [
                case["title"],
                f"{case['first']['ours trainable']:.0f}",
                f"{case['tflops']:.1f}",
                f"{case['tflops'] / rate:.1%}",
                *(f"{case['parts'][kind]:.0%}" for kind in kinds),
            ]
            for case in cases
        ]
        head = ["ours, + TRSF + PReLU", "first step, s", "TFLOP/s", "share of the rate", *kinds]
        parts.append(table(head, shares))
    return "\n\n".join(parts)


def _cost(case: dict[str, Any], memory: Sequence[str]) -> list[str]:
    """A row: time and memory of + TRSF + PReLU relative to fixed scales and ReLU."""
    time = case["trainability"]
    ratios = [
        f"{case[of][f'{kind} trainable'] / case[of][f'{kind} fixed']:.2f}"
        for of in memory
        for kind in ("plain", "ours")
    ]
    times = [
        spread(time["plain"]),
        spread(time["ours"]),
        target(time["ours"], "≤"),
        spread(case["constant"]),
    ]
    return [case["title"], *times, *ratios]


def inference(result: dict[str, Any]) -> str:
    """Embedding speed compared with rival networks, a row per variant, and the processor's limit."""
    head = ["+ TRSF + PReLU", "by", "images/s", "rival, images/s", "over rival", "target"]
    head += ["share of a matrix product's speed", "the rival's share"]
    rows = [
        [
            case["title"],
            f"{variant} ({case['engine']}, {case['precision']})" if variant == "trsfnet.load" else variant,
            f"{case['speed'][variant]:.1f}",
            f"{case['speed']['rival']:.1f}",
            spread(ratio),
            f"≥ {case['target']:.2f}",
            share(case, variant),
            share(case, "rival"),
        ]
        for case in result["cases"]
        for variant, ratio in case["over_rival"].items()
    ]
    products = [case["product_gflops"] for case in result["cases"] if "product_gflops" in case]
    where = f"{result['machine']['threads']} threads; {machine(result['machine'], result['rounds'])}"
    parts = [where, table(head, rows)]
    if products:
        parts.append(
            f"A product of two float32 matrices reaches {statistics.median(products):.0f} GFLOP/s. A "
            "variant's share of that counts the multiplications that its network makes, computed directly."
        )
    return "\n\n".join(parts)


def share(case: dict[str, Any], variant: str) -> str:
    """The share of a matrix product's speed that a variant reaches; a dash if it was not measured."""
    found = case.get("share", {}).get(variant)
    return f"{found['median']:.0%}" if found else "–"


def inference_commands(result: dict[str, Any]) -> str:
    """Seconds and images per second of whole commands."""
    rows = [
        [name, f"{seconds:.1f}", f"{result['images'][name] / seconds:.1f}"]
        for name, seconds in result["seconds"].items()
    ]
    where = machine(result["machine"], result["rounds"])
    return "\n\n".join([where, table(["command", "seconds", "images/s"], rows)])


def startup(result: dict[str, Any]) -> str:
    """Times of imports and of the first step, and speed of the data path."""
    seconds, data = result["seconds"], result["data"]
    limit = f"≤ {result['import_target']:.1f}"
    rows = [
        ["`import torch`", f"{seconds['torch']:.2f}", ""],
        ["then `import trsfnet`", f"{seconds['trsfnet']:.2f}", limit],
        ["then `import trsfnet.training.loop` instead", f"{seconds['trsfnet.training.loop']:.2f}", limit],
        ["first step (v1, quarter width, 96 px, batch 64)", f"{seconds['first step']:.2f}", ""],
    ]
    parts = [
        machine(result["machine"], result["rounds"]),
        table(["in a fresh process", "seconds", "target"], rows),
    ]
    if data:
        speed = data["speed"]
        rows = [
            ["training step", f"{speed['steps']:.0f}", "", ""],
            *(
                [text, f"{speed[key]:.0f}", spread(data[key]), f"≥ {data['target']:.1f}"]
                for key, text in (
                    ("decode", "decode and crop, one core"),
                    ("batches", "cached crops to augmented batches"),
                )
            ),
        ]
        parts.append(table(["lfw track", "images/s", "over the step's", "target"], rows))
    return "\n\n".join(parts)


def rendering(result: dict[str, Any]) -> str:
    """Speed of the renderer, and difficulty of its faces."""
    speed, detection, tar = result["speed"], result["detection"], result["without_learning"]
    limit = f"< {tar['limit']:.2f}"
    rows = [
        [
            f"faces of {speed['size']} px per second on one core, fastest of {result['rounds']} rounds",
            f"{speed['fastest']:.0f}",
            f"≥ {speed['target']}",
        ],
        ["the same, median round", f"{speed['median']:.0f}", ""],
        [
            f"found by MTCNN, {detection['of']:,} faces of {detection['size']} px, "
            f"difficulty {detection['difficulty']:g}",
            f"{detection['found'] / detection['of']:.1%}",
            f"≥ {detection['target']:.0%}",
        ],
        *(
            [f"TAR at FAR 1e-2 of {name}, difficulty {tar['difficulty']:g}", f"{value:.3f}", limit]
            for name, value in tar["tar@1e-2"].items()
        ),
    ]
    return "\n\n".join(
        [place(result["machine"]) + f"; renderer {result['renderer']}.", table(["", "", "target"], rows)]
    )


def pack(result: dict[str, Any]) -> str:
    """Decoding speed compared with training speed."""
    head = ["v1, full width", "bytes per image", "decoded per second, one thread", "fastest round"]
    head += ["trained per second", "decoded over trained", "target"]
    rows = [
        [
            f"{case['size']} px",
            f"{case['bytes']:.0f}",
            f"{case['speed']['decode']:.0f}",
            f"{case['fastest']:.0f}",
            f"{case['speed']['step']:.1f}",
            spread(case["ratio"]),
            target(case["ratio"], "≥"),
        ]
        for case in result["cases"]
    ]
    return "\n\n".join([machine(result["machine"], result["rounds"]), table(head, rows)])


def align(result: dict[str, Any]) -> str:
    """Faces that MTCNN finds in LFW, and its speed."""
    counts, speed = result["counts"], result["speed"]
    rows = [
        [f"images of LFW (250 px, {result['version']})", f"{result['images']:,}"],
        ["one face found", f"{counts['found']:,}"],
        ["one chosen among several", f"{counts['chosen']:,}"],
        ["no face found", f"{counts['none']:,}"],
        ["failed", f"{counts['failed']:,}"],
        ["images per second of CPU time, including decoding and writing", f"{speed['cpu']:.1f}"],
        ["images per second of elapsed time, with other work on the machine", f"{speed['wall']:.1f}"],
    ]
    return "\n\n".join([place(result["machine"]) + ".", table(["", ""], rows)])


def kills(result: dict[str, Any]) -> str:
    """Kills and resumes of training, and the differences that they caused."""
    names = {
        "trainings": "training runs disturbed",
        "kills": "kills",
        "kills_during_a_write": "of them while a checkpoint was being written",
        "starts": "starts",
        "compared": "weights, scores, parameters and losses compared with the undisturbed run",
        "different": "**of them different in any bit**",
    }
    rows = [[text, f"{result[name]:,}"] for name, text in names.items()]
    return "\n\n".join([place(result["machine"]) + ".", table(["", ""], rows)])


_TRIALS = ("times", "kills", "starts", "compared", "different", "failed")


def kill_trials(result: dict[str, Any]) -> str:
    """Kills of all tasks that write files, and the differences that they caused."""
    works = result["works"]
    rows = [[name, *(f"{found.get(column, 0):,}" for column in _TRIALS)] for name, found in works.items()]
    sums = {column: sum(found.get(column, 0) for found in works.values()) for column in _TRIALS}
    rows.append(["**all**", *(f"{number:,}" for number in sums.values())])
    head = ["killed", "completed", "kills", "starts", "files compared", "**different**", "**did not resume**"]
    return "\n\n".join([place(result["machine"]) + ".", table(head, rows)])


def faults(result: dict[str, Any]) -> str:
    """Results of tasks under machine faults."""
    columns = ("times", "well", "sentence", "otherwise", "different")
    kinds: dict[str, dict[str, int]] = {}
    for work in result["works"].values():
        for fault, figures in work.items():
            sums = kinds.setdefault(fault, dict.fromkeys(columns, 0))
            kinds[fault] = {column: sums[column] + figures[column] for column in columns}
    rows = [[fault, *(f"{figures[column]:,}" for column in columns)] for fault, figures in kinds.items()]
    head = ["fault", "times", "succeeded anyway", "one-sentence error", "**other end**", "**different**"]
    works = ", ".join(result["works"])
    return "\n\n".join([f"{place(result['machine'])}. Tasks: {works}.", table(head, rows)])


def fuzzing(result: dict[str, Any]) -> str:
    """Results of every reader on damaged files."""
    columns = ("executions", "read", "refused", "mended", "findings")
    targets = result["targets"]
    rows = [
        [
            name,
            *(f"{f.get(column, 0):,}" for column in columns),
            f"{f['slowest']:.2f}",
            f"{f['memory_mib']:,}",
        ]
        for name, f in targets.items()
    ]
    total = [f"{sum(figures.get(column, 0) for figures in targets.values()):,}" for column in columns]
    rows.append(["**all**", *total, "", ""])
    head = [
        "reader",
        "files",
        "read",
        "refused in one sentence",
        "faults found and fixed",
        "**faults open**",
        "slowest, s",
        "memory grew, MiB",
    ]
    return "\n\n".join([place(result["machine"]) + ".", table(head, rows)])


def processes(result: dict[str, Any]) -> str:
    """Two processes compared with one, and the loss of one of two."""
    cases = {
        "copied": "one micro-batch on each, classifier copied",
        "accumulated": "two micro-batches on each, summed",
        "split": "one micro-batch on each, classifier split",
    }
    rows = [
        [text, f"{case['steps']}", f"{case['different']:,} of {case['compared']:,}"]
        + [f"{case[kind]:.1e}" for kind in ("parameters", "statistics", "scores")]
        for case, text in ((result[name], text) for name, text in cases.items())
    ]
    head = ["two processes compared with one", "steps", "parameters that differ"]
    head += ["parameters", "running statistics", "scores"]
    death, after = result["death"], result["after_a_death"]
    return "\n\n".join(
        [
            place(result["machine"]) + ". Differences are relative to the largest entry of each tensor.",
            table(head, rows),
            "When one of two processes was killed in the second epoch, the other ended too, "
            f"{death['seconds']:.0f} s after both were started, with the message *{death['said']}* A single "
            f"process then resumed from their checkpoint: {after['different']:,} of {after['compared']:,} "
            "parameters differ from those of the undisturbed run.",
        ]
    )


def ijb(result: dict[str, Any]) -> str:
    """Seconds, memory and results of IJB-B's 1:1 verification."""
    ours, theirs = result["ways"]["ours"], result["ways"]["insightface"]

    def seconds(way: dict[str, Any], name: str) -> str:
        return "{median:.2f} ({min:.2f}–{max:.2f})".format(**way["seconds"][name])

    goal = {"all": f"≤ {result['target']['seconds']:.0f}"}
    rows = [
        [f"{name}, s", seconds(ours, name), seconds(theirs, name), goal.get(name, "")]
        for name in ours["seconds"]
    ]
    peak = [f"{way['peak'] / 2**30:.2f}" for way in (ours, theirs)]
    rows.append(["peak of the process, GiB", *peak, f"≤ {result['target']['bytes'] / 2**30:.0f}"])
    head = [
        "",
        f"ours, {counted(ours['runs'], 'run')}",
        f"insightface's, {counted(theirs['runs'], 'run')}",
        "target",
    ]
    tables = [
        [f"{far:g}", *(f"{result['tables'][way][i]:.4f}" for way in ("ours", "insightface"))]
        for i, far in enumerate(result["fars"])
    ]
    return "\n\n".join(
        [
            f"{place(result['machine'])}; {result['threads']} threads; medians, in brackets their range.",
            table(head, rows),
            table(["FAR", "TAR, ours", "TAR, insightface's"], tables),
            f"The tables differ by at most {result['difference_in_pairs']} of {result['shape']['probes']:,} "
            "genuine pairs.",
        ]
    )


def classifier() -> str:
    """Calculated memory of the classifier on each GPU."""
    ranks = (1, 2, 8, 64)
    rows = []
    for classes in (85_742, 1_000_000, 30_000_000):
        totals = [classifier_bytes(classes, 512, r, 512)["total"] / 2**30 for r in ranks]
        rows.append([f"{classes:,} identities", *(f"{total:.2f} GiB" for total in totals)])
    return table(["", *(f"{r} GPU{'s' if r > 1 else ''}" for r in ranks)], rows)


SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "step": step,
    "step-gpu": step,
    "inference": inference,
    "inference-gpu": inference,
    "inference-commands": inference_commands,
    "startup": startup,
    "rendering": rendering,
    "align": align,
    "pack": pack,
    "kills": kills,
    "kill_trials": kill_trials,
    "faults": faults,
    "fuzzing": fuzzing,
    "processes": processes,
    "ijb": ijb,
}


def section(name: str) -> str:
    """The generated text of one section: its tables, or a note that it was not measured."""
    if name == "classifier":
        return classifier()
    file = RESULTS / f"{name}.json"
    if not file.is_file():
        return "Not measured yet."
    return SECTIONS[name](json.loads(file.read_text(encoding="utf-8")))


def generated(text: str) -> str:
    """`text` with the content between the markers of each section regenerated."""
    for name in (*SECTIONS, "classifier"):
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        new = f"{begin}\n\n{section(name)}\n\n{end}"
        text, found = re.subn(f"{begin}.*?{end}", lambda _, new=new: new, text, flags=re.S)
        if found != 1:
            raise ValueError(f"README.md needs the markers {begin} and {end} once, has them {found} times.")
    return text


def main() -> None:
    README.write_text(generated(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
