"""The page on the mechanism: neurons, kernels and cost, and the progress of the study."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from trsfnet.analysis import Analysis
from trsfnet.analysis.benchmarks import cases_of, measured
from trsfnet.analysis.full_network import full_network
from trsfnet.analysis.mechanism_claims import gains, share_kept
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.rules.cost import Cost
from trsfnet.analysis.rules.mechanism import Mechanism
from trsfnet.evaluation.statistics import Interval, mean_over_seeds
from trsfnet.experiments.mechanism import ENDS, PARTS, mechanism_configs
from trsfnet.experiments.variants import short_name
from trsfnet.models.inception_resnet import PAPER_SCALE
from trsfnet.paper.claims import claims_by_id
from trsfnet.report.claims.tables import outcome_in_words
from trsfnet.report.cost import macs_per_image
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.mechanism import points_text
from trsfnet.report.names import schedules_in_words
from trsfnet.text import counted, percent, with_range
from trsfnet.training.config import TrainConfig

_PARTS = {
    "ladder": "weight decay on all kernels, with TRSF + PReLU and without",
    "gauge": "the same starting function, written with scales of 1",
    "projections": "weight decay only on the kernels that the scales multiply",
    "controls": "PReLU with constant scales: facenet's, and 0.1",
    "starts": "scales that start at 0.03, 0.3 and 1",
    "floor": "slopes clamped at 0",
    "frozen": "constants frozen at the learned magnitudes",
    "leaky": "Leaky ReLU with constant scales",
}


def parts(found: Analysis) -> Markdown:
    """Tabulate how many runs of each part of the study have finished."""
    done = {run.run_id for run in found.runs if run.done}
    rows = []
    for part in PARTS:
        planned = [config.resolved(None).run_id for config in mechanism_configs(part)]
        finished = sum(run_id in done for run_id in planned)
        rows.append((f"`{part}`", _PARTS[part], f"{finished} of {len(planned)}"))
    body = table(("Part", "What its runs vary", "Finished"), rows)
    return Markdown(captioned("Parts of the study", "table-mechanism-parts", body))


def claims(found: Analysis) -> Markdown:
    """Tabulate the paper's claims on mechanisms and cost, with measurements and verdicts."""
    study = next((campaign for campaign in found.campaigns if not campaign.mechanism.empty), None)
    rows = []
    for claim, rule in paper_rules().items():
        if isinstance(rule, Mechanism | Cost):
            verdict = study.verdicts[claim] if study else None
            numbers = [f"{m.name}: {rule.estimate(m)}" for m in verdict.measured] if verdict else []
            schedule = schedules_in_words(claim, study) if study else ""
            reason = verdict.explanation if verdict else "No run of the study has finished."
            outcome = outcome_in_words(claim, study, sign=False)
            rows.append(
                (
                    claims_by_id()[claim].statement,
                    "<br>".join(filter(None, (*numbers, schedule))) or "–",
                    f"**{outcome}**: {reason}",
                )
            )
    body = table(("Claim, as the rule tests it", "Measured", "Verdict"), rows)
    return Markdown(captioned("The paper's claims on mechanisms", "table-mechanism-claims", body))


def frozen(found: Analysis) -> Markdown:
    """Tabulate the gains in TAR of trained scales, and of constants frozen at the learned magnitudes."""
    rows, shares = [], {}
    for decay in ENDS if len(found.mechanism) else ():
        gained = gains(found.mechanism, decay).dropna()
        found_effects = (mean_over_seeds(gained[side].tolist()) for side in ("trained", "frozen"))
        effects = [effect for effect in found_effects if effect]
        if effects:
            rows.append((f"{decay:g}", *map(points_text, effects), str(len(gained))))
            shares[decay] = share_kept(found.mechanism, decay)
    if not rows:
        return Markdown("No run with frozen constants has finished yet.")
    header = ("Weight decay", "Trained scales", "Frozen at the learned magnitudes", "Seeds")
    caption = (
        "Gain in TAR at FAR 1e-2 over facenet's constants, all with PReLU, in points, with 95 % intervals. "
        "If the learned values were the reason for a gain, networks retrained with these constants would "
        "keep it."
    )
    body = captioned(caption, "table-mechanism-frozen", table(header, rows))
    return Markdown("\n".join([body, *_shares_kept(shares)]))


def _shares_kept(shares: Mapping[float, Interval | None]) -> list[str]:
    """State the share of the gain that frozen constants keep, in list items.

    Args:
        shares: the share by weight decay; None where it is unknown.
    """
    lines = [
        f"- At weight decay {decay:g}, frozen constants keep "
        f"{with_range(share.value, share.low, share.high, percent)} of TRSF's gain (Fieller's 95 % interval)."
        for decay, share in shares.items()
        if share
    ]
    unknown = [f"{decay:g}" for decay, share in shares.items() if not share]
    if unknown:
        where = f"At weight decay {unknown[0]}" if len(unknown) == 1 else "At both weight decays"
        lines.append(
            f"- {where}, the share of TRSF's gain that frozen constants keep is unknown: its 95 % interval "
            "(Fieller's) is unbounded, because the gain itself may be 0."
        )
    return lines


def diagnostics(found: Analysis) -> Markdown:
    """Tabulate dead channels and kernel similarity by variant and weight decay (means over seeds)."""
    runs = found.mechanism
    if runs.empty:
        return Markdown("No run of the study has finished, so nothing has been measured.")
    usual = runs[
        runs["weight_decay"].isin(ENDS)
        & (runs["decayed"] == "all")
        & (runs["projection_gain"] == 1)
        & ~runs["fixed_scales"]
    ]
    if usual.empty:
        return Markdown("No run with these weight decays has finished yet.")
    rows = []
    for (name, decay), group in usual.groupby([usual.apply(_setting, axis=1), "weight_decay"], sort=False):
        mean = group[["dead", "cosine", "rank"]].mean()
        alike = f"{mean.cosine:+.3f}".replace("-", "−")
        numbers = (percent(mean.dead), alike, f"{mean['rank']:.3f}")
        rows.append((str(name), f"{decay:g}", *numbers, str(len(group))))
    header = ("Runs", "Weight decay", "Dead channels", "Cosine", "Rank", "Seeds")
    caption = (
        "Neurons and kernels at the end. A channel is dead if it is positive on fewer than one in a thousand "
        "positions of 64 test images, for all activations. Cosine: the most negative cosine between two "
        "kernels of a layer, minus that of the random kernels at the start; below 0, kernels have moved "
        "towards each other's negatives. Rank: the effective rank of a layer's kernels divided by that at "
        f"the start.{_zeros(usual['zeros'].dropna())}"
    )
    return Markdown(captioned(caption, "table-mechanism-diagnostics", table(header, rows)))


def _zeros(shares: pd.Series) -> str:
    """State the share of zeros before the average pool, in a sentence with a leading space."""
    if shares.empty:
        return ""
    if not shares.any():
        return (
            f" In all {counted(len(shares), 'run')}, no value before the average pool is 0, because the last "
            "module has no activation."
        )
    return (
        f" Of the values before the average pool, {percent(shares.mean())} are 0, on average over the runs."
    )


def _setting(run: pd.Series) -> str:
    """Return the name of a run's variant and, if set, its slope floor."""
    usual = pd.isna(run["scale_init"]) or (run["trsf"] and run["scale_init"] == PAPER_SCALE)
    start = None if usual else run["scale_init"]
    config = TrainConfig(trsf=bool(run["trsf"]), activation=run["activation"], scale_init=start)
    name = short_name(config.variant)
    return name if pd.isna(run["slope_floor"]) else f"{name}, slopes at least {run['slope_floor']:g}"


def cost() -> Markdown:
    """Tabulate counted parameters and multiply-accumulates, and the measured time of a training step."""
    rows = []
    result = measured("step")
    by_title = cases_of(result)
    for arch in ("v1", "v2"):
        plain, full = (full_network(arch, trainable=both).counts()["parameters"] for both in (False, True))
        case = by_title.get(f"{arch}, 160 px, batch 32")
        ratios = case["trainability"] if case else {}
        times = [_step_time(ratios.get(layers)) for layers in ("ours", "plain")]
        macs = macs_per_image(TrainConfig(arch=arch, width=1.0, image_size=160))
        rows.append((arch, f"{plain:,}", f"{full - plain:,}", f"{macs:,}", *times))
    header = (
        "Network",
        "Parameters",
        "More with both",
        "Multiply-accumulates, with and without",
        "Step time, our layers",
        "Step time, PyTorch's layers",
    )
    where = f", {result['rounds']} rounds on {result['machine']['cpu']}" if result else ""
    caption = (
        "Cost of TRSF and PReLU at full width and 160 px. The convolutions and the linear layer need the "
        "same multiply-accumulates with and without them. Step time: that of a training step with both over "
        f"one with constants and ReLU, median and range{where} (`python -m benchmarks.step`)."
    )
    return Markdown(captioned(caption, "table-mechanism-cost", table(header, rows)))


def _step_time(ratio: Mapping[str, float] | None) -> str:
    if ratio is None:
        return "not measured"
    return with_range(ratio["median"], ratio["min"], ratio["max"], lambda value: f"{value:.3f}")
