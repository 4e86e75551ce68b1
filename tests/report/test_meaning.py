"""What a scale means: the numbers on the page are those of the records."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.report.fakes import fake_run
from trsfnet.analysis import Analysis, load
from trsfnet.analysis.branches import branches, constants
from trsfnet.analysis.controls import divided_gains
from trsfnet.analysis.quantities import QUANTITIES
from trsfnet.analysis.run import Run
from trsfnet.models import InceptionResnet
from trsfnet.models.inception_resnet import SCALED_MODULES
from trsfnet.report import meaning, style
from trsfnet.report.display import Picture

BLOCKS = {"v1": 21, "v2": 40}


def with_branches(
    root, setting, seed=0, *, scale=None, kernel=(8.0, 4.0), ratio=(0.1, 0.2), last=None, **settings
):
    """A run whose modules all start and end at these values.

    The last module has a ratio of `last` if given, and in v1 no trained scale.
    """
    record = fake_run(root, setting, seed=seed, **settings)
    modules = BLOCKS[record.config["arch"]]
    values = {"kernel": (modules, kernel), "ratio": (modules, ratio)}
    if scale:
        values["trsf"] = (SCALED_MODULES[record.config["arch"]], scale)
    prefix = {"trsf": "TRSF"}
    rows = [
        {
            "epoch": epoch,
            "kind": kind,
            "name": f"{prefix.get(kind, kind)}_inception-resnet v1.{block}",
            "channel": 0,
            "value": last if last and kind == "ratio" and block == modules else value,
        }
        for kind, (blocks, ends) in values.items()
        for epoch, value in enumerate(ends)
        for block in range(1, blocks + 1)
    ]
    record.write_parameters(rows)
    return record


@pytest.fixture
def pair(tmp_path):
    """Constants and TRSF, two seeds each, of which TRSF doubles the ratio; and a run without ratios."""
    for seed, factor in enumerate((1.0, 1.1)):
        with_branches(tmp_path, "v1-relu", seed, ratio=(0.1, 0.1 * factor))
        with_branches(tmp_path, "v1-trsf-relu", seed, scale=(0.1, -0.4), ratio=(0.1, 0.2 * factor))
    fake_run(tmp_path, "v1-prelu")
    return load(tmp_path).table(1, "synthetic")


def row(markdown, name):
    (line,) = (line for line in str(markdown).splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in line.replace("\\|", "¦").split("|")[1:-1]]


@pytest.mark.parametrize(
    ("arch", "settings"),
    [
        ("v1", {}),
        ("v2", {}),
        ("v1", {"scale_init": 0.3}),
        ("v1", {"fixed_scales": [0.05 * number for number in range(1, 21)]}),
        ("v2", {"fixed_scales": [0.1] * 40}),
    ],
)
def test_constants_are_those_of_the_network(arch, settings):
    network = InceptionResnet(version=arch, residual_scale="fixed", width=0.125, **settings)
    told = [block.up.value for block in network.residual_blocks()]
    assert constants({"arch": arch, "scale_init": None} | settings) == told


def test_magnitudes_of_scales_stand_beside_kernels(tmp_path):
    found = branches(Run(with_branches(tmp_path, "v1-trsf-relu", scale=(0.1, -0.4))))
    assert found.scale.iloc[-1].tolist() == pytest.approx([0.4] * 20 + [1.0])
    assert found.product.iloc[-1].tolist() == pytest.approx([1.6] * 20 + [4.0])
    means = found.means.iloc[-1]
    assert means["product"] == pytest.approx(means["scale"] * means["kernel"])
    assert means["ratio"] == pytest.approx(0.2)


def test_a_scale_that_starts_at_zero_has_the_mean_zero(tmp_path):
    found = branches(Run(with_branches(tmp_path, "v1-trsf-relu", scale=(0.0, 0.4))))
    assert found.means["product"].iloc[0] == 0


def test_changes_are_the_records(pair):
    fixed = [0.17] * 5 + [0.10] * 10 + [0.20] * 5
    scale = np.exp(np.mean(np.log(fixed)))
    cells = row(meaning.changes(pair), "v1")
    assert cells[1:4] == ["2", f"{scale:.3g} → {scale:.3g}", "8 → 4"]
    assert cells[5:] == ["0.1 → 0.105", "0.1 → 0.105", "0.10; 0.11"]
    assert row(meaning.changes(pair), "v1 + TRSF")[-1] == "0.20; 0.22"


def test_the_gain_of_trsf_is_a_factor_with_its_interval(pair):
    cells = row(meaning.gains(pair), "ReLU")
    assert cells[2] == "1.00"
    assert cells[4].startswith("2.00 (")
    assert cells[5:] == ["2.00", "2.00"]
    verdict = row(meaning.verdict([pair]), "v1 + TRSF")
    assert verdict[2].startswith("2.00 (")
    assert all(cell.startswith("2.00 (") for cell in verdict[3:5])
    assert verdict[5] == "0.40", "without the fixed 1 of the last module"


def test_the_answer_counts_the_comparisons(tmp_path):
    for seed in range(3):
        noise = 1 + seed / 100
        with_branches(tmp_path, "v1-relu", seed, ratio=(0.1, 0.1 * noise))
        with_branches(tmp_path, "v1-trsf-relu", seed, scale=(0.1, 0.4), ratio=(0.1, 0.3 * noise))
        with_branches(tmp_path, "v1-prelu", seed, ratio=(0.1, 0.1 * noise))
        with_branches(tmp_path, "v1-trsf-prelu", seed, scale=(0.1, 0.4), ratio=(0.1, 2.0 * noise))
    said = str(meaning.answer([load(tmp_path).table(1, "synthetic")]))
    assert "they add more in 2 and less in 0 of 2 comparisons" in said
    assert "factor of ten in 1 of them" in said
    concluded = str(meaning.verdict([load(tmp_path).table(1, "synthetic")]))
    assert (
        "Rendered faces, short budget: the intervals of all three averages lie above 1 in both comparisons; "
        "the claim over all of them is" in concluded
    )
    assert "(#claim-branches-matter-more)" in concluded
    assert "a factor above 3.16 as one" in concluded


def test_comparisons_in_which_branches_do_not_add_more_are_not_counted(tmp_path):
    for seed in range(3):
        noise = 1 + seed / 100
        for activation, with_trsf in (("relu", 0.3), ("prelu", 0.05)):
            with_branches(tmp_path, f"v1-{activation}", seed, ratio=(0.1, 0.1 * noise))
            with_branches(
                tmp_path, f"v1-trsf-{activation}", seed, scale=(0.1, 0.4), ratio=(0.1, with_trsf * noise)
            )
    concluded = str(meaning.verdict([load(tmp_path).table(1, "synthetic")]))
    assert "averages lie above 1 in 1 of 2 comparisons; the claim over all of them is [" in concluded


@pytest.mark.parametrize("arch", ["v1", "v2"])
def test_the_last_module_does_not_enter_averages(tmp_path, arch):
    """Its constant is 1 in the original, so that it would dominate them."""
    for seed in range(2):
        with_branches(tmp_path, f"{arch}-relu", seed, last=50.0)
        with_branches(tmp_path, f"{arch}-trsf-relu", seed, scale=(0.1, 0.4), ratio=(0.1, 0.4))
    one = load(tmp_path)
    cells = row(meaning.gains(one.table({"v1": 1, "v2": 2}[arch], "synthetic")), "ReLU")
    assert cells[4].startswith("2.00 (")
    assert cells[5:] == ["2.00", "2.00"]
    for run in one.runs:
        expected = 0.4 if run.config["trsf"] else 0.2
        for mean in ("arithmetic", "geometric", "median"):
            assert 10 ** run.value(QUANTITIES[f"ratio_{mean}"]) == pytest.approx(expected)


def test_the_spread_is_that_of_scales_set_alike(tmp_path):
    """Constants that hardly move say nothing of how far trained scales spread."""
    for seed, factor in enumerate((0.5, 1.0, 2.0)):
        with_branches(tmp_path, "v1-relu", seed)
        with_branches(tmp_path, "v1-trsf-relu", seed, scale=(0.1, 0.4), ratio=(0.1, 0.2 * factor))
        with_branches(tmp_path, "v1-prelu", seed)
    cells = row(meaning.gains(load(tmp_path).table(1, "synthetic")), "ReLU")
    high = 10 ** stats.t.interval(0.95, 2, scale=np.log10(2) / 3**0.5)[1]
    assert cells[4] == f"1.00 ({1 / high:.2f} to {high:.2f})"


def test_figures_state_what_they_show(pair):
    assert "‖W‖ at 0.50 times its initial value" in meaning.same_product(pair).caption
    assert "v1 + TRSF from 0.10 to 0.21" in meaning.over_training(pair).caption
    assert "v1 0.11, v1 + TRSF 0.21" in meaning.final_ratios(pair).caption.replace(" and v1", ", v1")


def test_small_ratios_can_be_compared(tmp_path):
    with_branches(tmp_path, "v1-relu", kernel=(8.0, 0.02), ratio=(0.1, 0.00033))
    with_branches(tmp_path, "v1-trsf-relu", scale=(0.1, 0.4), ratio=(0.1, 0.00049))
    group = load(tmp_path).table(1, "synthetic")
    assert "‖W‖ at 0.0025 times its initial value" in meaning.same_product(group).caption
    assert "v1 0.00033 and v1 + TRSF 0.00049" in meaning.final_ratios(group).caption
    assert "v1 from 0.10 to 0.00033" in meaning.over_training(group).caption
    assert row(meaning.changes(group), "v1")[-1] == "0.00033"


def test_caption_and_table_state_the_same_means(tmp_path):
    """The figure shows the first seed, but its caption states the means over seeds, as the table does."""
    for seed, end in enumerate((0.2, 0.4)):
        with_branches(tmp_path, "v1-trsf-relu", seed, scale=(0.1, end))
    group = load(tmp_path).table(1, "synthetic")
    before, after = map(float, row(meaning.changes(group), "v1 + TRSF")[2].split(" → "))
    caption = meaning.same_product(group).caption
    assert f"averaged over 2 finished seeds: v1 + TRSF, |s| ended at {after / before:.1f}" in caption


def test_lines_of_equal_product_cross_no_axis(tmp_path):
    """Kernels that shrink to nearly 0 leave space for lines left of 0, where no product is constant."""
    with_branches(tmp_path, "v1-relu", kernel=(8.0, 0.001))
    figure = meaning.same_product(load(tmp_path).table(1, "synthetic"))
    rows = [line.split(",") for line in figure.numbers.splitlines()[1:]]
    assert all(float(y) > 0 for *_, y in rows)


def test_the_legend_of_ratios_holds_for_all_panels(pair, tmp_path):
    """Each panel has colours of its own, so the legend tells constants from TRSF by dashes alone."""
    svg = meaning.final_ratios(pair).svg
    legend = svg[svg.index('id="legend_1"') :]
    assert "currentColor" in legend
    assert style.look("v1-relu").colour not in legend


def test_one_seed_has_no_interval(tmp_path):
    with_branches(tmp_path, "v1-relu")
    with_branches(tmp_path, "v1-trsf-relu", scale=(0.1, 0.4))
    group = load(tmp_path).table(1, "synthetic")
    assert "no interval" in row(meaning.gains(group), "ReLU")[4]
    assert isinstance(meaning.same_product(group), Picture)


def test_without_ratios_the_page_says_why(tmp_path):
    group = load(tmp_path).table(2, "lfw")
    assert "No run of v2 on Labeled Faces in the Wild has finished" in str(meaning.same_product(group))
    fake_run(tmp_path, "v1-trsf-relu")
    with_branches(tmp_path, "v1-relu", status="collapsed")
    group = load(tmp_path).table(1, "synthetic")
    assert "before residual ratios were recorded" in str(meaning.same_product(group))
    exhibits = (meaning.over_training, meaning.final_ratios, meaning.changes, meaning.gains)
    assert [show(group) for show in exhibits] == [None] * 4
    assert "No finished run with TRSF" in str(meaning.verdict([group]))
    text = str(meaning.scale_claims(Analysis([])))
    assert "not run](#claim-order-of-magnitude)" in text
    assert "(#claim-scales-around-1)" in text


def test_the_start_and_the_training_add_up_to_the_gain(tmp_path):
    assert "make runs STUDY=control" in str(meaning.start_and_training(load(tmp_path)))
    for seed in range(3):
        for setting, tar in {"v1-relu": 0.2, "v1-trsf-relu": 0.31, "v2-relu": 0.2}.items():
            fake_run(tmp_path, setting, seed=seed, tar=tar + 0.01 * seed)
        fake_run(tmp_path, "v1-relu", seed=seed, tar=0.25 + 0.01 * seed, scale_init=0.1)
    (gain,) = divided_gains(load(tmp_path).campaigns[0], QUANTITIES["tar"])
    assert gain.original.key == "v1-relu"
    assert (gain.start.estimate, gain.training.estimate) == pytest.approx((0.05, 0.06))
    assert gain.total.estimate == pytest.approx(0.11)
    assert "+5.0 points" in (row := str(meaning.start_and_training(load(tmp_path))))
    assert "+6.0 points" in row
    said = str(meaning.training_alone(load(tmp_path), "v1"))
    assert "TRSF changes TAR at FAR 1e-3 by +6.0 points (" in said
    assert said.endswith("for v1.")
    assert meaning.training_alone(load(tmp_path), "v2") is None, "it has no control"
    assert meaning.start_and_training_of_branches(load(tmp_path)) is None, "no ratios"


def test_the_start_and_the_training_multiply_to_the_factor_in_branches(tmp_path):
    for seed in range(2):
        with_branches(tmp_path, "v1-relu", seed, ratio=(0.1, 0.2))
        with_branches(tmp_path, "v1-trsf-relu", seed, scale=(0.1, 0.4), ratio=(0.1, 0.6))
        with_branches(tmp_path, "v1-relu", seed, ratio=(0.1, 0.1), scale_init=0.1)
    text = str(meaning.start_and_training_of_branches(load(tmp_path)))
    for mean in ("geometric mean", "arithmetic mean", "median"):
        (line,) = (line for line in text.splitlines() if f"| {mean} |" in line)
        assert [cell.split(" times")[0].strip() for cell in line.split("|")[4:7]] == ["0.50", "6.00", "3.00"]
