"""Whether the branches play a larger role with TRSF, in sentences and by the verdicts on the claims."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trsfnet.paper.claims import paper_claims
from trsfnet.report.claims import Judged, by_subject, subject_table
from trsfnet.report.collection import Group
from trsfnet.report.display import Markdown
from trsfnet.report.meaning.branches import finished_branches, pairs
from trsfnet.report.meaning.tables import mean_ratio, ratio_gain
from trsfnet.report.names import short_name


def claims_table(groups: Sequence[Judged]) -> Markdown:
    """What the paper says on the role of the branches, and the verdicts of all runs on it."""
    on_branches = by_subject()["The role of the branches"]
    claims = [c for c in paper_claims() if c in on_branches or c.id in ("scales-around-1", "main-reason")]
    return subject_table("What the paper concludes from the scales", claims, groups)


def verdict(groups: Sequence[Group]) -> Markdown:
    """A line for each group of runs: how much more the branches add with TRSF."""
    return Markdown("\n".join(f"- `{g.track}`, {g.baseline.partition('-')[0]}: {_line(g)}" for g in groups))


def _line(group: Group) -> str:
    runs = finished_branches(group)
    compared = pairs(list(runs))
    if not compared:
        return "no finished run with TRSF has its like with constants and recorded ratios."
    found = [
        f"{short_name(trained)} {ratio_gain(runs, fixed, trained)}, arithmetically "
        f"{mean_ratio(runs[trained]) / mean_ratio(runs[fixed]):.2f}"
        for fixed, trained in compared
    ]
    scales = [
        float(np.mean([b.scale[b.trained].iloc[-1].mean() for b in runs[trained].values()]))
        for _, trained in compared
    ]
    low, high = min(scales), max(scales)
    size = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
    return (
        f"what a branch adds, over its trunk, ends with TRSF so many times as large as with constants: "
        f"{'; '.join(found)}. The scales themselves, of mean magnitude {size}, do not say so."
    )
