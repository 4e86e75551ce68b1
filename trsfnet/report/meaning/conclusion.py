"""Whether the branches play a larger role with TRSF, in sentences and as verdicts on the claims."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trsfnet.analysis import Analysis
from trsfnet.analysis.branches import BranchRuns
from trsfnet.analysis.tables import TableRuns
from trsfnet.experiments.variants import short_name, variant_of
from trsfnet.paper.claims import paper_claims
from trsfnet.report.claims.subjects import by_subject
from trsfnet.report.claims.tables import claims_table
from trsfnet.report.display import Markdown
from trsfnet.report.figure_runs import span
from trsfnet.report.meaning.tables import arithmetic_gain, ratio_gain


def scale_claims(found: Analysis) -> Markdown:
    """Tabulate the paper's claims on the role of the branches with the verdicts of all campaigns."""
    on_branches = by_subject()["The role of the branches"]
    claims = [c for c in paper_claims() if c in on_branches or c.id in ("scales-around-1", "main-reason")]
    return claims_table("What the paper concludes from the scales", claims, found)


def verdict(tables: Sequence[TableRuns]) -> Markdown:
    """State for each table how much more or less the branches add with TRSF than with constants."""
    lines = (f"- `{table.track}`, {variant_of(table.baseline).arch}: {_line(table)}" for table in tables)
    return Markdown("\n".join(lines))


def _line(table: TableRuns) -> str:
    runs = BranchRuns.of(table)
    if not runs.pairs:
        return "no finished run with TRSF has a counterpart with constants and recorded ratios."
    gains = "; ".join(
        f"{short_name(trained)} {ratio_gain(runs, fixed, trained)}, arithmetic mean "
        f"{arithmetic_gain(runs, fixed, trained)}"
        for fixed, trained in runs.pairs
    )
    scales = [
        np.mean([b.scale[b.trained].iloc[-1].mean() for b in runs.by_variant[trained].values()])
        for _, trained in runs.pairs
    ]
    return (
        "the residual ratio with TRSF, as a multiple of that with constants, ends at: "
        f"{gains}. The scales themselves (mean magnitudes {span([f'{s:.2f}' for s in sorted(scales)])}) do "
        "not show this."
    )
