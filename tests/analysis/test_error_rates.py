"""Among campaigns without any effect no more than one in twenty has a false verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.contrasts import holm
from trsfnet.analysis.findings import ALPHA
from trsfnet.analysis.quantities import QUANTITIES
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.rules.contrast import Contrast
from trsfnet.experiments.variants import VARIANTS, table_variants

CAMPAIGNS, SEEDS = 1000, 3


@dataclass(frozen=True, eq=False)
class Made:
    """A run with a TAR and nothing else."""

    tar: float
    config: dict
    collapsed: bool = False

    def value(self, quantity):
        return self.tar

    def is_bound(self, quantity):
        return False


def without_effect(rng: np.random.Generator) -> Campaign:
    """Three seeds of the variants of tables 1 and 2, which differ in nothing but chance."""
    keys = [variant.key for number in (1, 2) for variant in table_variants(number)]
    configs = {key: {"arch": VARIANTS[key].arch, "loss": "softmax"} for key in keys}
    tars = rng.normal(0.5, 0.02, (len(keys), SEEDS))
    runs = {
        (key, 0.05, seed): Made(tar, configs[key])
        for key, own in zip(keys, tars, strict=True)
        for seed, tar in enumerate(own)
    }
    return Campaign("synthetic", None, {}, 0.05, runs)


def test_false_verdicts_are_rare(monkeypatch):
    """What averages hide is said and not tested, so it is left out here: it takes most of the time."""
    monkeypatch.setattr("trsfnet.analysis.rules.contrast.opposites", lambda *_: "")
    keys = {variant.key for number in (1, 2) for variant in table_variants(number)}
    tar = QUANTITIES["tar"]
    rules = [
        rule
        for rule in paper_rules().values()
        if isinstance(rule, Contrast) and rule.quantity == tar and set(rule.variants) <= keys
    ]
    assert len(rules) >= 8
    rng, false = np.random.default_rng(0), 0
    for _ in range(CAMPAIGNS):
        campaign = without_effect(rng)
        false += min(holm([rule.find(campaign).p_value for rule in rules])) < ALPHA
    # Two standard errors of a share of 5 % from so many.
    assert false / CAMPAIGNS <= ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / CAMPAIGNS)
    assert false > 0, "a procedure that never decides would pass, too"
