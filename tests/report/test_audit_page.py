"""The page that audits the paper's text."""

from __future__ import annotations

from trsfnet.experiments.paper import audit as audited
from trsfnet.report import audit


def test_every_entry_is_shown_once_with_its_words_and_evidence():
    pages = [str(audit.findings(word)) for word in (audit.WRONG, audit.MISSING)]
    pages += [str(audit.checks(word, "A caption.")) for word in (audit.SLIP, audit.HOLDS)]
    for entry in audited():
        (page,) = (page for page in pages if entry.evidence in page)
        assert f"“{entry.says}”" in page
        assert entry.place in page
        assert entry.reading in page
    assert str(audit.summary()).startswith(f"{len(audited())} passages were checked.")


def test_what_is_counted_is_counted_in_the_networks():
    text = str(audit.counts())
    assert "| Modules | 20 | 21 | 40 | 40 |" in text
    assert "| Parameters | 22 million | 23,467,975 | 55 million | 55,063,419 |" in text


def test_the_verdict_leads_to_entries_that_are_there():
    found = str(audit.findings(audit.MISSING))
    for entry in audit.entries(audit.MISSING):
        assert f"(#audit-{entry.id})" in str(audit.verdict())
        assert f"(audit-{entry.id})=" in found
