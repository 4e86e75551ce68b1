import pytest
import torch

from trsfnet.errors import ConfigError
from trsfnet.synthetic import NUISANCES, Event, RenderedFaces, render_faces


def pairs(identities: int, samples: int, first: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Every sample of every identity, one identity after the other."""
    people = torch.arange(first, first + identities).repeat_interleave(samples)
    return people, torch.arange(samples).repeat(identities)


def similarities(images: torch.Tensor) -> torch.Tensor:
    """Cosine similarity of the images' centred pixels, all pairs."""
    pixels = images.float().flatten(1)
    pixels = torch.nn.functional.normalize(pixels - pixels.mean(1, keepdim=True), dim=1)
    return pixels @ pixels.T


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small maps gain nothing from more threads, which wait for each other on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def faces() -> RenderedFaces:
    """Ten identities with three samples each, with all nuisances."""
    return render_faces(*pairs(10, 3), difficulty=1.0)


def test_shapes_and_types(faces):
    assert faces.images.shape == (30, 112, 112, 3)
    assert faces.images.dtype == torch.uint8
    assert set(faces.factors) == set(NUISANCES)
    for values in faces.factors.values():
        assert values.shape == (30,)
        assert values.dtype == torch.float32


@pytest.mark.parametrize("size", [32, 75, 160])
def test_sizes_show_the_same_picture(size, faces):
    def small(images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(images.permute(0, 3, 1, 2).float(), 16)

    other = render_faces(torch.arange(3), torch.zeros(3, dtype=torch.int64), size=size, difficulty=1.0)
    assert other.images.shape == (3, size, size, 3)
    assert (small(other.images) - small(faces.images[::3][:3])).abs().mean() < 12


def test_image_does_not_depend_on_its_batch_or_the_global_generator(faces):
    people, samples = pairs(10, 3)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(5)
    shuffled = render_faces(people[order], samples[order], difficulty=1.0)
    torch.manual_seed(6)
    alone = render_faces(people[17:18], samples[17:18], difficulty=1.0)
    assert torch.equal(shuffled.images, faces.images[order])
    assert torch.equal(alone.images[0], faces.images[17])
    for name, values in faces.factors.items():
        assert torch.equal(shuffled.factors[name], values[order])


def test_image_does_not_depend_on_the_number_of_threads(faces):
    people, samples = pairs(10, 3)
    torch.set_num_threads(2)
    try:
        images = render_faces(people, samples, difficulty=1.0).images
    finally:
        torch.set_num_threads(1)
    assert torch.equal(images, faces.images)


def test_fixed_nuisances_are_shared_and_leave_the_others_alone(faces):
    people, samples = pairs(10, 3)
    turned = render_faces(people, samples, difficulty=1.0, fixed={"yaw": 25.0})
    for name, values in turned.factors.items():
        expected = torch.full_like(values, 25.0) if name == "yaw" else faces.factors[name]
        assert torch.equal(values, expected)
    drawn = faces.factors["yaw"]
    alike = render_faces(people[:1], samples[:1], difficulty=1.0, fixed={"yaw": float(drawn[0])})
    assert torch.equal(alike.images[0], faces.images[0])
    assert not torch.equal(turned.images[0], faces.images[0])


def test_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    render_faces(torch.tensor([3]), torch.tensor([1]), size=32)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_seed_identity_and_sample_each_change_the_image(faces):
    first = torch.zeros(1, dtype=torch.int64)
    images = [faces.images[0], faces.images[1], faces.images[3], render_faces(first, first, seed=1).images[0]]
    for i, image in enumerate(images):
        for other in images[:i]:
            assert (image.float() - other.float()).abs().mean() > 5


def test_large_numbers_are_valid():
    people = torch.tensor([2**62, 2**62 + 1])
    images = render_faces(people, people, size=32, seed=2**63).images
    assert not torch.equal(images[0], images[1])


def test_no_faces():
    nobody = torch.zeros(0, dtype=torch.int64)
    faces = render_faces(nobody, nobody)
    assert faces.images.shape == (0, 112, 112, 3)
    assert faces.factors["yaw"].shape == (0,)


def test_factors_fill_their_ranges():
    factors = render_faces(*pairs(300, 1), size=32, difficulty=1.0).factors
    for name, entry in NUISANCES.items():
        values = factors[name]
        if isinstance(entry, Event):
            assert set(values.tolist()) == {0.0, 1.0}
            assert abs(float(values.mean()) - entry.chance) < 0.1
        else:
            width = entry.high - entry.low
            assert values.min() >= entry.low - 1e-4 * width
            assert values.max() <= entry.high + 1e-4 * width
            assert values.max() - values.min() > 0.75 * width


def test_difficulty_scales_the_factors(faces):
    half = render_faces(*pairs(10, 3), size=32, difficulty=0.5).factors
    for name, entry in NUISANCES.items():
        if not isinstance(entry, Event):
            expected = entry.rest + 0.5 * (faces.factors[name] - entry.rest)
            torch.testing.assert_close(half[name], expected, atol=1e-4, rtol=1e-4)


def test_highest_difficulty_keeps_lights_and_colours_positive():
    faces = render_faces(*pairs(100, 1), size=32, difficulty=2.0)
    for name, entry in NUISANCES.items():
        if not isinstance(entry, Event) and entry.low >= 0:
            assert faces.factors[name].min() >= 0.5 * entry.low
    assert faces.factors["yaw"].abs().max() > 45
    assert faces.images.float().flatten(1).std(1).min() > 1


def test_difficulty_zero_is_frontal_and_the_same_for_every_sample():
    easy = render_faces(*pairs(6, 2), difficulty=0.0)
    for name in (
        "yaw",
        "pitch",
        "roll",
        "light_azimuth",
        "mouth_open",
        "glasses",
        "cap",
        "occluder",
        "noise",
        "blur",
    ):
        assert torch.equal(easy.factors[name], torch.zeros(12))
    assert torch.equal(easy.images[0::2], easy.images[1::2])
    # The background is plain, and identities differ in front of it.
    assert easy.images[:, 2, 2].float().std(0).max() == 0
    scores = similarities(easy.images[0::2])
    assert scores[~torch.eye(6, dtype=torch.bool)].max() < 0.995


def test_same_identity_is_closer_when_it_is_easy():
    scores = similarities(render_faces(*pairs(20, 2), difficulty=0.15).images)
    people = pairs(20, 2)[0]
    same = people[:, None] == people[None, :]
    assert scores[same & ~torch.eye(40, dtype=torch.bool)].median() > scores[~same].quantile(0.9)


def test_raw_pixels_do_not_verify():
    people, samples = pairs(70, 5, first=1000)
    scores = similarities(render_faces(people, samples).images)  # at the default difficulty
    upper = torch.ones_like(scores, dtype=torch.bool).triu(1)
    same = people[:, None] == people[None, :]
    threshold = scores[upper & ~same].quantile(0.99)
    assert (scores[upper & same] > threshold).float().mean() < 0.20


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"size": 31}, "size must be at least 32"),
        ({"difficulty": -0.1}, "difficulty must be from 0 to 2"),
        ({"difficulty": float("nan")}, "difficulty must be from 0 to 2"),
        ({"identities": torch.tensor([-1, 0])}, "identities must not be negative"),
        ({"samples": torch.tensor([0, -3])}, "samples must not be negative"),
        ({"samples": torch.tensor([0])}, "must have the same length"),
        ({"fixed": {"yawn": 1.0}}, "a fixed nuisance must be one of 'yaw'"),
        ({"fixed": {"yaw": float("nan")}}, "fixed nuisance yaw must be a finite number"),
        ({"samples": torch.tensor([0.0, 1.0])}, "samples must be a one-dimensional int64"),
        ({"identities": torch.tensor([[0, 1]])}, "identities must be a one-dimensional int64"),
    ],
)
def test_bad_arguments(arguments, sentence):
    good = {"identities": torch.arange(2), "samples": torch.arange(2)}
    with pytest.raises(ConfigError, match=sentence):
        render_faces(**(good | arguments))


def test_a_detector_finds_the_faces_and_agrees_on_their_pose():
    mtcnn = pytest.importorskip("facenet_pytorch").MTCNN(keep_all=False)
    faces = render_faces(torch.arange(64) + 500, torch.arange(64), size=160, difficulty=1.0)
    boxes, _, landmarks = mtcnn.detect(list(faces.images.numpy()), landmarks=True)
    found = [i for i, box in enumerate(boxes) if box is not None]
    assert len(found) >= 60

    # Landmarks: the eye on the image's left, the other, the nose, the mouth's corners; y points down.
    points = torch.stack([torch.tensor(landmarks[i][0].tolist()) for i in found])
    between = points[:, 1] - points[:, 0]
    width = between.norm(dim=1)
    nose = points[:, 2] - points[:, :2].mean(1)
    mouth = points[:, 3:].mean(1) - points[:, :2].mean(1)
    measured = {
        "yaw": (nose * between).sum(1) / width**2,
        "roll": torch.rad2deg(torch.atan2(between[:, 1], between[:, 0])),
        "pitch": (nose * mouth).sum(1) / (mouth**2).sum(1),
    }
    for name, least in (("yaw", 0.9), ("roll", 0.9), ("pitch", 0.6)):
        assert torch.corrcoef(torch.stack([faces.factors[name][found], measured[name]]))[0, 1] > least
