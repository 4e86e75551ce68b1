"""What was checked in the paper's text: what it says, what speaks against it, and how it is read here."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from trsfnet.experiments.paper import AuditEntry, audit, paper_quantities
from trsfnet.models import InceptionResnet
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.names import counted

WRONG, MISSING, SLIP, HOLDS = "does not fit", "is not shown", "is a slip", "holds"
_WORDS = {
    "weight-decay": WRONG,
    "modules-20-or-21": WRONG,
    "parameters-22-or-23": WRONG,
    "millionth": HOLDS,
    "most-parameters": HOLDS,
    "stem-9": WRONG,
    "shared-scale": WRONG,
    "equations-3-and-4": SLIP,
    "people-of-vggface2": WRONG,
    "test-sets": SLIP,
    "ijbb-reference": SLIP,
    "crash-not-shown": MISSING,
    "one-run-per-cell": MISSING,
    "grid-of-3000": HOLDS,
    "average-1.24": HOLDS,
    "average-0.82": HOLDS,
    "joint": WRONG,
    "step-by-step": HOLDS,
    "scales-in-v2": WRONG,
    "order-of-magnitude": WRONG,
    "signs-of-v1": HOLDS,
    "signs-of-v2": HOLDS,
    "caption-of-table-6": SLIP,
    "best-start": MISSING,
    "worst-start": HOLDS,
    "starts-below-relu": WRONG,
    "caption-of-figure-11": MISSING,
}


def entries(word: str) -> list[AuditEntry]:
    """What was found to be so, in the order of the text."""
    return [entry for entry in audit() if _WORDS[entry.id] == word]


def summary() -> Markdown:
    """How many passages were checked, and with what result."""
    found = audit()
    return Markdown(
        f"{counted(len(found), 'passage')} were checked. {len(entries(WRONG))} do not fit the paper's other "
        f"numbers, its sources or what it is built on; of {len(entries(MISSING))} the evidence is not shown; "
        f"{len(entries(SLIP))} are slips that mislead nobody; {len(entries(HOLDS))} hold when recomputed."
    )


def findings(word: str) -> Markdown:
    """Each passage of one kind: the words and their place, how they are read, and the evidence."""
    return Markdown("\n\n".join(_finding(entry) for entry in entries(word)))


def _finding(entry: AuditEntry) -> str:
    # An address, for links from other pages.
    return (
        f"(audit-{entry.id})=\n**“{entry.says}”** ({entry.place})\n\n"
        f"- Our reading: {entry.reading}\n- Evidence: {entry.evidence}"
    )


def checks(word: str, caption: str) -> Markdown:
    """The same as a table, for what needs no discussion."""
    rows = [(f"“{e.says}”", e.place, f"{e.reading} {e.evidence}") for e in entries(word)]
    body = table(("The paper says", "Where", "What we find"), rows)
    return Markdown(captioned(caption, f"audit-{word.replace(' ', '-')}", body))


def counts() -> Markdown:
    """What the paper counts in its networks, beside what is counted in ours."""
    numbers = paper_quantities()
    networks = [_network(arch) for arch in ("v1", "v2")]
    counted_here = {
        "modules": [len(network.residual_blocks()) for network in networks],
        "scales": [len(network.scales()) for network in networks],
        "slopes": [len(network.slopes()) for network in networks],
        "parameters": [sum(p.numel() for p in network.parameters()) for network in networks],
    }
    rows = []
    for what, ours in counted_here.items():
        row = [what.capitalize()]
        for arch, number in zip(("v1", "v2"), ours, strict=True):
            of_paper = numbers[f"{what} of {arch}"]
            unit = f" {of_paper.unit}" if of_paper.unit == "million" else ""
            row += [f"{of_paper.value}{unit}", f"{number:,}"]
        rows.append(row)
    header = ("", "v1: paper", "v1: counted", "v2: paper", "v2: counted")
    caption = "Residual modules, scales, slopes and parameters of the two networks with TRSF and PReLU."
    return Markdown(captioned(caption, "audit-counts", table(header, rows)))


def _network(arch: str) -> InceptionResnet:
    """The paper's largest setting of an architecture, without memory for its weights."""
    with torch.device("meta"):
        return InceptionResnet(version=arch, residual_scale="trainable", activation="prelu")


def verdict() -> Markdown:
    """What the findings mean for the tables, in a sentence for each kind that is not harmless."""
    doubtful: Sequence[str] = [f"[{entry.says}](#audit-{entry.id})" for entry in entries(MISSING)]
    return Markdown(
        "- The arithmetic of tables and captions holds, so the published numbers are taken as measured.\n"
        "- The settings cannot be followed as printed; where they do not fit, the reading above is what "
        "`presets.json` trains.\n"
        f"- Said without evidence that a reader could check: {'; '.join(doubtful)}."
    )
