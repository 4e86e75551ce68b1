"""The audit of the paper's text: each passage, the evidence for or against it, and our reading."""

from __future__ import annotations

from trsfnet.analysis.full_network import full_network
from trsfnet.paper.numbers import AUDIT_KINDS, AuditEntry, audit, paper_quantities
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.text import counted

CONTRADICTION, GAP, STATISTICS, SLIP, HOLDS = AUDIT_KINDS


def entries(kind: str) -> list[AuditEntry]:
    """Return the audit entries of one kind, in the order of the paper's text."""
    return [entry for entry in audit() if entry.kind == kind]


def summary() -> Markdown:
    """State how many passages were checked and how many there are of each kind."""
    found = {kind: len(entries(kind)) for kind in AUDIT_KINDS}
    return Markdown(
        f"We checked {counted(sum(found.values()), 'passage')}. {found[CONTRADICTION]} contradict the "
        f"paper's other numbers, its sources or the code it builds on; {found[GAP]} omit information that "
        f"a reader needs; {found[STATISTICS]} are less certain than they sound; {found[SLIP]} are harmless "
        f"slips; {found[HOLDS]} hold when recomputed."
    )


def findings(kind: str) -> Markdown:
    """List the passages of one kind, each with its quotation, place, our reading and the evidence."""
    return Markdown("\n\n".join(_finding(entry) for entry in entries(kind)))


def _finding(entry: AuditEntry) -> str:
    # The first line is a link target for other pages.
    return (
        f"(audit-{entry.id})=\n**“{entry.says}”** ({entry.place})\n\n"
        f"- Our reading: {entry.reading}\n- Evidence: {entry.evidence}"
    )


def checks(kind: str, caption: str) -> Markdown:
    """Show the passages of one kind as a table, for kinds that need no discussion."""
    rows = [(f"“{e.says}”", e.place, f"{e.reading} {e.evidence}") for e in entries(kind)]
    body = table(("The paper says", "Where", "What we find"), rows)
    return Markdown(captioned(caption, f"audit-{kind}", body))


def counts() -> Markdown:
    """Compare the paper's counts of modules, scales, slopes and parameters with those of our networks."""
    numbers = paper_quantities()
    networks = {arch: full_network(arch) for arch in ("v1", "v2")}
    ours = {
        arch: {"modules": len(network.residual_blocks())} | network.counts()
        for arch, network in networks.items()
    }
    rows = []
    for what in ("modules", "scales", "slopes", "parameters"):
        row = [what.capitalize()]
        for arch in networks:
            of_paper = numbers[f"{what} of {arch}"]
            unit = f" {of_paper.unit}" if of_paper.unit == "million" else ""
            row += [f"{of_paper.value}{unit}", f"{ours[arch][what]:,}"]
        rows.append(row)
    header = ("", "v1: paper", "v1: counted", "v2: paper", "v2: counted")
    caption = "Residual modules, scales, slopes and parameters of the two networks with TRSF and PReLU."
    return Markdown(captioned(caption, "audit-counts", table(header, rows)))


def verdict() -> Markdown:
    """Summarise what the findings mean for the paper's results, with a sentence for each serious kind."""
    return Markdown(
        "- Tables and captions are arithmetically consistent, so we take the published numbers as measured.\n"
        "- The settings cannot be followed as printed. Where they are inconsistent, `presets.json` follows "
        "our readings, given below.\n"
        f"- Not stated or not shown: {_links(GAP)}.\n"
        f"- Less certain than it sounds: {_links(STATISTICS)}."
    )


def _links(kind: str) -> str:
    return "; ".join(f"[{entry.says}](#audit-{entry.id})" for entry in entries(kind))
