# The public names by the modules that they live in: for __init__.py, and for type checkers.
from .experiments.run import run as run
from .inference.embedder import Embedder as Embedder
from .inference.embedder import load as load
from .inference.verification import Decision as Decision
from .inference.verification import verify as verify
from .interop.export import export as export
from .interop.preprocessing import Preprocessing as Preprocessing
from .interop.weights import Weights as Weights
from .interop.weights import load_network as load_network
from .interop.weights import read_weights as read_weights
from .models.retrofit import Changes as Changes
from .models.retrofit import make_trainable as make_trainable
from .training.config import TrainConfig as TrainConfig

__version__: str
