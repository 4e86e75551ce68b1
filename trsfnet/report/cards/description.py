"""Texts and lists of a card: the settings, where the run is used, the code, and the circumstances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trsfnet.analysis.run import Run
from trsfnet.experiments.budgets import BUDGETS
from trsfnet.experiments.variants import GRID, variant_from
from trsfnet.report.names import TRACKS
from trsfnet.report.run_state import departures
from trsfnet.text import duration, joined, number_range

# The book's page for each of the paper's tables and figures.
_PAGES = {f"table {number}": f"table{number}" for number in range(1, 7)} | {
    "figure 3": "curves",
    "figure 4": "curves",
    "figure 5": "scales",
    "figure 6": "scales",
    "figure 7": "scales",
    "figure 8": "slopes",
    "figure 9": "slopes",
    "figure 10": "slopes",
    "figure 11": "starts",
}

_STUDY_PAGES = {"mechanism": "mechanism", "collapse": "collapse", "width": "width"}
_STUDY_PAGES |= {"width-narrow": "width", "long": "length", "long-usual-decay": "length"}


def track(run: Run) -> str:
    """Return the name of the run's track, such as `rendered faces`."""
    return TRACKS[run.track]


def opening(run: Run) -> str:
    """Describe the network and the loss in words."""
    config = run.config
    if config["trsf"]:
        each = (
            "every channel of every residual branch"
            if config["trsf_per_channel"]
            else "every residual branch"
        )
        but = " but the last" if config["arch"] == "v1" else ""
        scales = f"a trainable factor, initially {config['scale_init']:g}, on {each}{but}"
    elif given := config.get("fixed_scales"):  # records older than the setting lack it
        scales = f"constant factors of {number_range(given)} on the residual branches"
    elif config["scale_init"] is None:
        scales = "facenet's constant factors on the residual branches"
    else:
        scales = f"the constant factor {config['scale_init']:g} on every residual branch but the last"
    activations = {
        "relu": "ReLU",
        "leaky_relu": f"Leaky ReLU of slope {config['slope_init']}",
        "prelu": f"PReLU with slopes learned from {config['slope_init']}",
    }
    loss = "ArcFace" if config["loss"] == "arcface" else "softmax"
    return (
        f"Inception-ResNet {config['arch']} with {scales}, and {activations[config['activation']]}; "
        f"trained with {loss} loss."
    )


def uses(run: Run, pages: Sequence[str]) -> str:
    """State which tables and figures of the paper include the run, or why none does."""
    apart = joined(departures(run))
    if run.in_a_study:
        about = BUDGETS[run.budget]["about"] if run.budget else ""
        varied = f" The run differs from the study's basic settings: {apart}." if apart else ""
        page = _STUDY_PAGES.get(run.budget or "")
        link = f" [Results of the study](../../{page}.ipynb)." if page in pages else ""
        return f"It belongs to a separate study, and to no table of the paper. {about}{varied}{link}"
    if apart:
        return f"Its settings differ from those of the paper's tables: {apart}."
    exhibits = next((known.exhibits for known in GRID if known == variant_from(run.config)), ())
    if not exhibits:
        return "No exhibit of the paper shows this setting."
    shown = joined(_links(exhibits, pages))
    return f"Its setting is that of {shown}, which show one budget per track; this run has {run.budget}."


def _links(exhibits: Sequence[str], pages: Sequence[str]) -> list[str]:
    return [
        f"[{exhibit}](../../{page}.ipynb)" if (page := _PAGES.get(exhibit)) in pages else exhibit
        for exhibit in exhibits
    ]


def code(run: Run) -> str:
    """State which code made the run, and whether the current code would give the same numbers."""
    info = run.info
    made = (
        f"Made by version {info.get('version', 'unknown')}, code `{info.get('source_hash', 'unknown')}`, "
        f"commit `{str(info.get('git_commit') or 'unknown')[:12]}`."
    )
    if not run.stale:
        return f"{made} The current code computes the same: the command reproduces these numbers."
    return f"{made} The current code may give other numbers: {run.stale}."


def settings(run: Run) -> Iterator[tuple[str, object]]:
    """Yield every field of the configuration, then the preset, as pairs of name and value."""
    for field, value in run.config.items():
        yield field, "none" if value is None else value
    preset = run.info.get("preset")
    if preset:
        yield "preset", preset["name"]
        yield "preset, overridden", preset["overridden"] or "nothing"


def circumstances(run: Run) -> Iterator[tuple[str, object]]:
    """Yield data, counts, hardware, libraries and times, as pairs of name and value."""
    info = run.info
    uses = {"train": "trained on", "test": "verified on"}
    for part, faces in info.get("data", {}).items():
        images = f"{faces['images']:,} images of {faces['identities']:,} people, {faces['size']} px"
        yield uses.get(part, part), images
        yield f"{uses.get(part, part)}, fingerprint", faces["fingerprint"]
    for kind, number in (info.get("counts") or {}).items():
        yield kind, f"{number:,}"
    yield from info.get("hardware", {}).items()
    yield from info.get("libraries", {}).items()
    if steps := info.get("acceleration"):
        yield "how steps were computed", steps["reason"]
        yield "accelerated parts", f"{sum(steps['accelerated'].values())}, not {len(steps['skipped'])}"
    yield "processes", info.get("processes", 1)
    yield "started", info.get("started", "unknown")
    yield "finished", info.get("finished") or "not yet"
    yield "wall time, all attempts", duration(info.get("seconds", 0.0))
    yield "protocol", info.get("evaluation", {}).get("protocol", "not evaluated")
