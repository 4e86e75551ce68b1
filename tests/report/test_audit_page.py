"""The page that audits the paper's text."""

from __future__ import annotations

import pytest
import torch

from trsfnet.models import InceptionResnet
from trsfnet.paper.numbers import AUDIT_KINDS
from trsfnet.paper.numbers import audit as audited
from trsfnet.report import audit


def test_every_entry_is_shown_once_with_its_words_and_evidence():
    told = (audit.CONTRADICTION, audit.GAP, audit.STATISTICS, audit.SLIP)
    pages = [str(audit.findings(kind)) for kind in told] + [str(audit.checks(audit.HOLDS, "A caption."))]
    for entry in audited():
        (page,) = (page for page in pages if entry.evidence in page)
        assert f"“{entry.says}”" in page
        assert entry.place in page
        assert entry.reading in page
    assert str(audit.summary()).startswith(f"We checked {len(audited())} passages.")
    assert {entry.kind for entry in audited()} == set(AUDIT_KINDS)


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        (audit.CONTRADICTION, ("weight-decay", "modules-20-or-21", "parameters-22-or-23")),
        (audit.GAP, ("removed-layer",)),
        (audit.STATISTICS, ("one-run-per-cell", "grid-of-3000")),
        (audit.SLIP, ("caption-of-table-6",)),
    ],
)
def test_the_known_questions_are_answered(kind, ids):
    assert set(ids) <= {entry.id for entry in audit.entries(kind)}


@pytest.mark.parametrize("pool", ["maxpool_3a", "maxpool_5a", None])
def test_the_sizes_without_a_pool_are_those_of_the_network(pool):
    (entry,) = (entry for entry in audit.entries(audit.GAP) if entry.id == "removed-layer")
    network = InceptionResnet(version="v2", input_size=112, removed_pool=pool, width=0.05).eval()
    sizes = []
    for stage in (network.block35, network.block17, network.block8):
        stage.register_forward_hook(lambda *seen: sizes.append(seen[2].shape[-1]))
    network(torch.zeros(1, 3, 112, 112))
    words = "{}, {} and {}".format(*sizes)
    words += f" without `{pool}`" if pool == "maxpool_5a" else ""
    words += f" pixels wide without `{pool}`" if pool == "maxpool_3a" else ""
    assert words + ("" if pool else " with both") in entry.evidence


def test_what_is_counted_is_counted_in_the_networks():
    text = str(audit.counts())
    assert "| Modules | 20 | 21 | 40 | 40 |" in text
    assert "| Parameters | 22 million | 23,467,975 | 55 million | 55,063,419 |" in text


def test_the_verdict_leads_to_entries_that_are_there():
    for kind in (audit.GAP, audit.STATISTICS):
        found = str(audit.findings(kind))
        for entry in audit.entries(kind):
            assert f"(#audit-{entry.id})" in str(audit.verdict())
            assert f"(audit-{entry.id})=" in found
