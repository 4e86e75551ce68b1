"""Configurations: every wrong setting is one clear sentence, and equal runs have equal names."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from typing import get_args, get_type_hints

import pytest

from trsfnet.errors import ConfigError
from trsfnet.training.config import LATER_SETTINGS, PRESETS, TrainConfig, track_defaults


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"arch": "v3"}, "arch must be one of 'v1', 'v2', got 'v3'."),
        ({"arch": 1}, "arch must be text, got 1."),
        ({"trsf": "yes"}, "trsf must be True or False, got 'yes'."),
        ({"trsf": 1}, "trsf must be True or False, got 1."),
        ({"seed": 1.5}, "seed must be a whole number, got 1.5."),
        ({"seed": True}, "seed must be a whole number, got True."),
        ({"seed": -1}, "seed must be at least 0, got -1."),
        ({"epochs": "ten"}, "epochs must be a whole number, got 'ten'."),
        ({"epochs": 0}, "epochs must be at least 1, got 0."),
        ({"learning_rate": 0}, "learning_rate must be above 0, got 0."),
        ({"learning_rate": math.nan}, "learning_rate must be a finite number, got nan."),
        ({"momentum": 1.0}, "momentum must be below 1, got 1.0."),
        ({"dropout": 1}, "dropout must be below 1, got 1."),
        ({"image_size": 64}, "image_size must be at least 75 pixels, got 64."),
        (
            {"arch": "v2", "removed_pool": "maxpool_5a", "image_size": 42},
            "image_size must be at least 43 pixels, got 42.",
        ),
        ({"activation": "PReLU"}, "activation must be one of 'relu', 'leaky_relu', 'prelu', got 'PReLU'."),
        ({"trsf_per_channel": True}, "trsf_per_channel needs trsf True"),
        ({"slope_init": 0.2}, "slope_init needs activation leaky_relu or prelu, but activation is relu."),
        ({"learning_rate": 10**400}, "learning_rate must be a finite number, got inf."),
        ({"seed": 10**400}, "seed must be a finite number, got 1000"),
        ({"loss": "arcface", "arcface_margin": 4.0}, "arcface_margin must be below 3.14159"),
        ({"arcface_margin": 0.5}, "arcface_margin needs loss arcface, but loss is softmax."),
        ({"slope_floor": 0.0}, "slope_floor needs activation prelu, but activation is relu."),
        ({"slope_floor": math.inf, "activation": "prelu"}, "slope_floor must be a finite number, got inf."),
        ({"scale_init": "facenet"}, "scale_init must be a number or 'paper', got 'facenet'."),
        ({"identities": 0}, "identities must be at least 2, got 0."),
        ({"track": "lfw", "identities": 5}, "identities needs track synthetic, but track is lfw."),
        ({"track": "lfw", "train_set": "ms1mv2"}, "train_set needs track paper, but track is lfw."),
        ({"track": "paper", "train_set": "celebs"}, "train_set must be one of 'vggface2', 'ms1mv2'"),
        ({"removed_pool": "maxpool_5a"}, "removed_pool of v1 must be one of 'none', 'maxpool_3a'"),
        ({"schedule": "milestones"}, "The schedule milestones needs a list of steps"),
        ({"milestones": [5]}, "The schedule milestones needs a list of steps"),
        ({"milestones": 5}, "milestones must be a list, got 5."),
        ({"decay_epochs": 5}, "decay_epochs needs schedule staircase, but schedule is cosine."),
        (
            {"decay_factor": 0.5},
            "decay_factor needs schedule staircase or milestones, but schedule is cosine.",
        ),
        (
            {"schedule": "milestones", "milestones": [5], "decay_epochs": 5},
            "decay_epochs needs schedule staircase, but schedule is milestones.",
        ),
        ({"batch_size": 10, "micro_batches": 4}, "micro_batches must split batch_size (10) into equal parts"),
        ({"batch_size": 4, "micro_batches": 4}, "micro_batches must split batch_size (4) into equal parts"),
        ({"epochs": 2, "warmup_epochs": 2}, "warmup_epochs must be below epochs (2), got 2."),
        ({"colour": 1}, "Unknown setting 'colour'; the nearest is '"),
    ],
)
def test_wrong_settings_are_one_sentence(wrong, says):
    with pytest.raises(ConfigError) as caught:
        TrainConfig.from_parameters(wrong)
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)
    shown = caught.value._render_traceback_()
    assert shown == [f"ConfigError: {caught.value}"]


def test_open_settings_take_the_tracks_values_and_given_ones_stay():
    resolved = TrainConfig(trsf=True, activation="prelu", epochs=7).resolved(None)
    assert resolved.epochs == 7
    assert resolved.width == track_defaults("synthetic")["width"]
    assert (resolved.scale_init, resolved.slope_init) == (0.1, 0.2)
    assert resolved.precision in ("float32", "bfloat16")
    assert resolved.images.startswith("renderer-")
    arc = TrainConfig(loss="arcface", arcface_margin=0.3).resolved(None)
    assert (arc.arcface_scale, arc.arcface_margin) == (16.0, 0.3)
    assert resolved.resolved(None) == resolved


def test_no_setting_is_none_and_records_store_null_for_those_without_effect():
    for hint in get_type_hints(TrainConfig).values():
        assert type(None) not in get_args(hint)
    plain = TrainConfig(images="x")
    assert {name for name, value in plain.recorded.items() if value is None} == {
        *("scale_init", "slope_init", "slope_floor", "arcface_scale", "arcface_margin"),
        *("train_set", "removed_pool", "steps_per_epoch"),
    }
    assert TrainConfig(track="lfw").recorded["identities"] is None
    assert TrainConfig(track="paper").recorded["train_set"] == "vggface2"
    assert replace(plain, loss="arcface").arcface_scale == plain.arcface_scale, "kept at its default"
    assert TrainConfig.from_parameters(plain.recorded) == plain
    assert TrainConfig.from_parameters({"removed_pool": "none"}, "ms1mv2").removed_pool == "none"


def test_a_preset_fills_what_is_not_given_and_explains_what_the_paper_leaves_open():
    config = TrainConfig.from_parameters({"learning_rate": 0.1, "epochs": 2, "milestones": []}, "vggface2")
    assert (config.learning_rate, config.epochs, config.batch_size) == (0.1, 2, 85)
    for name, preset in PRESETS.items():
        assert TrainConfig.from_parameters({"track": "lfw"}, name).image_size in (160, 112)
        assert TrainConfig.from_parameters({}, name).track == "paper"
        assert set(preset["readings"]) <= set(preset["settings"]), "a reading explains a setting"
        assert all(text.endswith(".") for text in [preset["about"], *preset["readings"].values()])
    cosine = TrainConfig.from_parameters({"schedule": "cosine"}, "ms1mv2")
    assert (cosine.schedule, cosine.milestones) == ("cosine", ())
    elsewhere = TrainConfig.from_parameters({"schedule": "cosine", "track": "lfw"}, "ms1mv2")
    assert elsewhere.decay_factor == TrainConfig(track="lfw").decay_factor, (
        "not the preset's, which has no effect"
    )
    softmax = TrainConfig.from_parameters({"track": "lfw", "loss": "softmax"}, "ms1mv2")
    assert softmax.recorded["arcface_scale"] is None
    with pytest.raises(ConfigError, match="preset must be one of 'vggface2', 'ms1mv2', got 'vgg'"):
        TrainConfig.from_parameters({}, "vgg")


def test_settings_that_came_later_leave_the_ids_of_earlier_runs_alone():
    config = TrainConfig(precision="float32", images="renderer-2").resolved(None)
    config = replace(config, images="renderer-2")
    settings = config.recorded
    for name, usual in LATER_SETTINGS.items():
        assert settings.pop(name) == usual
    canonical = json.dumps(settings, sort_keys=True).encode()
    assert config.run_id.endswith(hashlib.sha256(canonical).hexdigest()[:8])
    assert replace(config, micro_batches=2).run_id != config.run_id


def test_a_whole_number_for_a_float_is_the_same_setting():
    whole, usual = TrainConfig(rotate=5, fixed_scales=(1,) * 20), TrainConfig(fixed_scales=(1.0,) * 20)
    assert whole.settings_hash == usual.settings_hash
    assert type(whole.rotate) is float
    assert TrainConfig(trsf=True, scale_init=1).scale_init == 1.0


def test_lists_from_files_become_milestones():
    config = TrainConfig.from_parameters({"schedule": "milestones", "milestones": [10, 20]})
    assert config.milestones == (10, 20)


def test_run_ids_name_the_setting_and_hash_every_setting():
    config = TrainConfig(precision="float32").resolved(None)
    assert config.run_id.startswith("v1-relu-seed0-")
    others = [
        replace(config, arch="v2"),
        replace(config, trsf=True),
        replace(config, trsf=True, scale_init=0.1),
        replace(config, trsf=True, trsf_per_channel=True),
        replace(config, trsf=True, scale_init=0.3, activation="prelu", slope_init=-0.1),
        replace(config, scale_init=0.3),
        replace(config, activation="leaky_relu"),
        replace(config, loss="arcface"),
        replace(config, seed=1),
        replace(config, learning_rate=0.01),
        replace(config, precision="bfloat16"),
        replace(config, images="renderer-0"),
    ]
    assert len({c.run_id for c in [config, *others]}) == len(others) + 1
    assert replace(config).run_id == config.run_id
    assert [c.slug for c in others[1:8]] == [
        "v1-trsf-relu-seed0",
        "v1-trsf-relu-seed0",
        "v1-trsf-per-channel-relu-seed0",
        "v1-trsf-from0.3-prelu-from-0.1-seed0",
        "v1-scale0.3-relu-seed0",
        "v1-leaky-relu-seed0",
        "v1-arcface-relu-seed0",
    ]


def test_a_resolved_configuration_differs_only_in_what_a_user_can_give():
    config = TrainConfig(trsf=True, scale_init=0.3, precision="float32")
    assert config.resolved(None).differing() == config.differing()
