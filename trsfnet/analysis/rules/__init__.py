"""The kinds of rules by which runs decide claims, one per file.

To add a kind, define a subclass of `Rule` in a new file in this folder; it is registered automatically.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from trsfnet.analysis.reach import Reach
from trsfnet.analysis.rules.rule import Rule
from trsfnet.paper.claims import Claim, paper_claims

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")


def rule_of(claim: Claim) -> Rule:
    """Return the rule that decides a claim, created from its entry in `claims.json`.

    Raises:
        KeyError: the kind of rule does not exist.
    """
    entry = dict(claim.rule)
    return Rule.kinds[entry.pop("rule")].parse(entry)


@cache
def paper_rules() -> dict[str, Rule]:
    """Return the rules of the paper's claims, by claim id."""
    return {claim.id: rule_of(claim) for claim in paper_claims()}


@cache
def paper_reaches() -> dict[str, Reach]:
    """Return what a schedule must reach, by claim id; claims that any schedule can test are omitted."""
    return {claim.id: Reach.parse(claim.reach) for claim in paper_claims() if claim.reach}


__all__ = ["Rule", "paper_reaches", "paper_rules", "rule_of"]
