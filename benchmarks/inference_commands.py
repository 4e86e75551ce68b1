"""Compare whole commands, including start-up, with those of facenet-pytorch and deepface.

`python -m benchmarks.inference_commands` embeds 2,000 crops with `trsfnet embed` and with a script that uses
facenet-pytorch. With `TRSFNET_DATA` set, it also finds, crops and embeds the faces of 200 photographs of LFW,
and verifies two photographs from a cold start. It writes `benchmarks/results/inference-commands.json`.

deepface requires TensorFlow, so it is measured in a separate environment:

    python -m venv deepface && deepface/bin/pip install deepface mtcnn tensorflow-cpu tf-keras werkzeug
    python -m benchmarks.inference_commands --deepface deepface/bin/python

Every network has v1's layers and random weights, since the speed does not depend on the weights. deepface's
weights are not on PyPI; a file of random weights takes their place, so that deepface downloads nothing.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import measure
from benchmarks.inference import Case, random_weights
from trsfnet.data.lfw import LfwSource, find_lfw, read_people
from trsfnet.data.tracks import data_root
from trsfnet.interop.export import export

CROPS, PHOTOGRAPHS, SIZE = 2000, 200, 160

# As in facenet-pytorch's examples: its loader, its network, batches of 32.
EMBED = """
import sys, numpy as np, torch
from facenet_pytorch import InceptionResnetV1, fixed_image_standardization
from torchvision import datasets, transforms
prepare = transforms.Compose([np.float32, transforms.ToTensor(), fixed_image_standardization])
faces = datasets.ImageFolder(sys.argv[1], transform=prepare)
network = InceptionResnetV1().eval()
with torch.no_grad():
    found = [network(x) for x, _ in torch.utils.data.DataLoader(faces, batch_size=32)]
np.save(sys.argv[2], torch.cat(found).numpy())
"""
DETECT = """
import sys, numpy as np, torch
from pathlib import Path
from PIL import Image
from facenet_pytorch import MTCNN, InceptionResnetV1
detector, network = MTCNN(), InceptionResnetV1().eval()
found = []
with torch.no_grad():
    for file in sorted(Path(sys.argv[1]).glob("*/*")):
        face = detector(Image.open(file))
        if face is not None:
            found.append(network(face[None]))
np.save(sys.argv[2], torch.cat(found).numpy())
"""
# Typical use of deepface, in batches, with the same network and the same detector.
DEEPFACE_WEIGHTS = """
import sys
from deepface.models.facial_recognition.tf.Facenet import InceptionResNetV1
InceptionResNetV1(dimension=512).save_weights(sys.argv[1])
"""
DEEPFACE = """
import sys, numpy as np
from pathlib import Path
from deepface import DeepFace
files, detector, found = [str(file) for file in sorted(Path(sys.argv[1]).glob("*/*"))], sys.argv[3], []
for start in range(0, len(files), 32):
    batch = files[start : start + 32]
    for faces in DeepFace.represent(batch, "Facenet512", enforce_detection=False, detector_backend=detector):
        found.append(faces[0]["embedding"])
np.save(sys.argv[2], found)
"""


def write_crops(folder: Path) -> None:
    """Write `CROPS` images of noise into the folders of ten people."""
    rng = np.random.default_rng(0)
    for number in range(CROPS):
        file = folder / f"person{number % 10}" / f"{number:05d}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        small = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
        Image.fromarray(small).resize((SIZE, SIZE), Image.Resampling.BICUBIC).save(file)


def write_photographs(folder: Path, root: Path) -> None:
    """Write the first `PHOTOGRAPHS` images of LFW as files."""
    people = sorted((p for members in read_people() for p in members), key=lambda person: person.name)
    source = LfwSource(find_lfw(root), people)
    for index in range(PHOTOGRAPHS):
        file = folder / source.name(index)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(source.encoded(index))


def ran(*commands: list[str | Path]) -> None:
    """Run commands in fresh processes, one after the other."""
    for command in commands:
        subprocess.run([sys.executable, *map(str, command)], check=True, capture_output=True)


class Deepface:
    """deepface in a separate environment, with random weights in the place of its own."""

    def __init__(self, python: Path, home: Path) -> None:
        """Write the random weights into a folder under `home`."""
        self._python = python
        self._environment = os.environ | {"DEEPFACE_HOME": str(home), "TF_USE_LEGACY_KERAS": "1"}
        weights = home / ".deepface" / "weights" / "facenet512_weights.h5"
        weights.parent.mkdir(parents=True)
        self.run(DEEPFACE_WEIGHTS, weights)

    def run(self, script: str, *words: str | Path) -> None:
        """Run a script in a fresh process."""
        command = [str(self._python), "-c", script, *map(str, words)]
        subprocess.run(command, check=True, capture_output=True, env=self._environment)


def variants(
    folder: Path, model: Path, deepface: Deepface | None
) -> dict[str, tuple[int, Callable[[], None]]]:
    """The number of images of each command, and a call that runs it without earlier results, by name."""

    def trsfnet(*words: str | Path) -> list[str | Path]:
        return ["-m", "trsfnet", *words]

    def embed(source: Path) -> None:
        (folder / "ours.parquet").unlink(missing_ok=True)
        ran(trsfnet("embed", model, source, folder / "ours.parquet"))

    def align_and_embed() -> None:
        shutil.rmtree(folder / "aligned", ignore_errors=True)
        ran(trsfnet("align", folder / "photographs", folder / "aligned", "--missing", "skip"))
        embed(folder / "aligned")

    crops, photographs = folder / "crops", folder / "photographs"
    found = {
        "embed crops": (CROPS, lambda: embed(crops)),
        "embed crops, facenet-pytorch": (CROPS, lambda: ran(["-c", EMBED, crops, folder / "theirs.npy"])),
    }
    if deepface:
        theirs_too = folder / "deepface.npy"
        found["embed crops, deepface"] = (CROPS, lambda: deepface.run(DEEPFACE, crops, theirs_too, "skip"))
    if photographs.is_dir():
        found["find and embed faces"] = (PHOTOGRAPHS, align_and_embed)
        theirs = ["-c", DETECT, photographs, folder / "theirs.npy"]
        found["find and embed faces, facenet-pytorch"] = (PHOTOGRAPHS, lambda: ran(theirs))
        if deepface:
            call = lambda: deepface.run(DEEPFACE, photographs, theirs_too, "mtcnn")  # noqa: E731
            found["find and embed faces, deepface"] = (PHOTOGRAPHS, call)
        pair = sorted(photographs.glob("*/*"))[:2]
        found["verify"] = (2, lambda: ran(trsfnet("verify", model, *pair, "--threshold", "0.5")))
    return found


def main() -> None:
    parser = measure.command_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds to take the median over (default 3)")
    parser.add_argument("--deepface", type=Path, metavar="PYTHON", help="of an environment that has it")
    given = parser.parse_args()
    rounds = given.rounds
    root = data_root()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "v1.safetensors"
        export(random_weights(Case("v1", 1, SIZE)), model)
        write_crops(folder / "crops")
        if root:
            write_photographs(folder / "photographs", root)
        deepface = Deepface(given.deepface.absolute(), folder / "home") if given.deepface else None
        calls = variants(folder, model, deepface)
        seconds = measure.interleaved({name: call for name, (_, call) in calls.items()}, rounds, "commands")
    result: dict[str, Any] = {
        "rounds": rounds,
        "images": {name: images for name, (images, _) in calls.items()},
        "seconds": {name: statistics.median(times) for name, times in seconds.items()},
    }
    measure.save("inference-commands", result)


if __name__ == "__main__":
    main()
