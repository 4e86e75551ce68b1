"""The kinds of rules by which runs decide claims, each in a file of its own.

A new kind is a subclass of `Rule` in a new file here: it is found by being there.
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
    """The rule that decides a claim, from its entry in `claims.json`.

    Raises:
        KeyError: no file here has such a kind of rule.
    """
    entry = dict(claim.rule)
    return Rule.kinds[entry.pop("rule")].parse(entry)


@cache
def paper_rules() -> dict[str, Rule]:
    """The rule of each of the paper's claims, by the claim's id."""
    return {claim.id: rule_of(claim) for claim in paper_claims()}


@cache
def paper_reaches() -> dict[str, Reach]:
    """What runs must reach to test a claim, by its id; claims that any schedule can test are left out."""
    return {claim.id: Reach.parse(claim.reach) for claim in paper_claims() if claim.reach}


__all__ = ["Rule", "paper_reaches", "paper_rules", "rule_of"]
