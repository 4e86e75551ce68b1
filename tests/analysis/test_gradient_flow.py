"""Gradient flow of the scales: the closed form, what it conserves, and real gradient steps beside it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from trsfnet.analysis.gradient_flow import flow, initial_norms, mean_scale
from trsfnet.analysis.rules import paper_reaches
from trsfnet.models import InceptionResnet


@pytest.mark.parametrize(("scale", "norm"), [(0.1, 10.0), (-0.3, 2.0), (2.0, 0.5)])
def test_the_closed_form_is_the_integral(scale, norm):
    strength = abs(scale) * norm

    def rate(_, square):
        # Of ‖W‖²: s² - ‖W‖² grows by ‖W‖² per unit of budget, and s² is P² / ‖W‖².
        return -(square**3) / (square**2 + strength**2)

    budgets = np.linspace(0, 12, 7)
    squares = solve_ivp(rate, (0, 12), [norm**2], t_eval=budgets, rtol=1e-10, atol=1e-12).y[0]
    scales, norms = flow(budgets, scale, norm)
    np.testing.assert_allclose(norms, np.sqrt(squares), rtol=1e-6)
    np.testing.assert_allclose(scales, np.sign(scale) * strength / np.sqrt(squares), rtol=1e-6)


def test_no_decay_changes_nothing_and_the_strength_is_kept():
    np.testing.assert_allclose(flow(0, -0.1, 10), (-0.1, 10))
    budgets = np.array([0.1, 1, 10, 100, 1000])
    scales, norms = flow(budgets, 0.1, 10)
    np.testing.assert_allclose(scales * norms, 1)
    # In the end s² grows by P² / s² per unit of budget: s⁴ = 2 P² κ.
    assert scales[-1] == pytest.approx(2000**0.25, rel=0.01)


def test_the_networks_start_is_xaviers():
    torch.manual_seed(0)
    network = InceptionResnet(version="v1", width=0.25, residual_scale="trainable")
    kernels = [block.up.conv.weight for block in network.residual_blocks() if block.up.scale is not None]
    norms = initial_norms("v1", width=0.25)
    np.testing.assert_allclose(norms, [float(kernel.detach().norm()) for kernel in kernels], rtol=0.1)
    assert initial_norms("v2", width=0.125).shape == (40,)


@pytest.mark.parametrize(
    ("budget", "mean"), [(0, 0.1), (0.06, 0.10), (0.39, 0.12), (4, 0.72), (6, 1.45), (12.5, 2.6)]
)
def test_the_papers_network_by_budget(budget, mean):
    assert mean_scale(budget, initial_norms("v1"), start=0.1) == pytest.approx(mean, rel=0.04)


def test_weaker_branches_end_lower():
    assert mean_scale(12.5, initial_norms("v1"), start=0.1, kept=0.25) == pytest.approx(1.2, rel=0.04)


@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_small_steps_follow_the_law(decay):
    """What gradient descent conserves in a branch, and how decay of the kernel alone moves it."""
    torch.manual_seed(0)
    scale, bias = torch.tensor(0.3), torch.zeros(3)
    kernel, target, inputs = torch.randn(3, 4), torch.randn(3, 8), torch.randn(4, 8)
    rate, drift = 1e-3, 0.0

    def charge() -> float:
        return float(scale**2 - kernel.square().sum() - bias.square().sum())

    before = charge()
    for _ in range(300):
        drift += 2 * decay * rate * float(kernel.square().sum())
        parts = [part.requires_grad_() for part in (scale, kernel, bias)]
        loss = (parts[0] * (parts[1] @ inputs + parts[2][:, None]) - target).square().mean()
        gradients = torch.autograd.grad(loss, parts)
        with torch.no_grad():
            scale, kernel, bias = (p - rate * g for p, g in zip(parts, gradients, strict=True))
            kernel = kernel - rate * decay * parts[1]
    assert charge() - before == pytest.approx(drift, rel=0.02, abs=2e-3)
    assert (drift > 1) == (decay > 0)


def test_what_scales_can_reach_is_what_gradient_flow_gives():
    """The decay budgets that claims on scales need are those at which scales double and reach 0.5."""
    reaches = paper_reaches()
    for claim, scale in (("scales-grow", 0.2), ("scales-around-1", 0.5)):
        reached = mean_scale(reaches[claim].decay_budget.least, initial_norms("v1", 0.125), start=0.1)
        assert reached == pytest.approx(scale, rel=0.05), claim
