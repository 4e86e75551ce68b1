"""Every claim has the paper's words."""

from __future__ import annotations

from trsfnet.paper.claims import paper_claims


def test_claims_have_names_quotes_and_places_of_their_own():
    claims = paper_claims()
    assert len({claim.id for claim in claims}) == len(claims) >= 40
    for claim in claims:
        assert claim.statement.endswith(".")
        assert claim.quotes
        for quote in claim.quotes:
            assert len(quote.text) > 20
            assert quote.place.startswith(("abstract", "section", "table", "figure")), claim.id
