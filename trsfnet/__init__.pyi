# The public names by the modules that they live in: for __init__.py, and for type checkers.
from .exchange.embedder import Embedder as Embedder
from .exchange.embedder import load as load
from .exchange.export import export as export
from .exchange.verification import Decision as Decision
from .exchange.verification import verify as verify
from .exchange.weights import Weights as Weights
from .exchange.weights import load_network as load_network
from .exchange.weights import read_weights as read_weights
from .experiments.run import run as run
from .models.retrofit import Changes as Changes
from .models.retrofit import make_trainable as make_trainable
from .training.config import TrainConfig as TrainConfig
