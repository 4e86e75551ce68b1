"""TensorBoard shows every epoch once, however often a run was killed."""

from __future__ import annotations

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trsfnet.experiments.events import Events
from trsfnet.training.history import History


def history(epochs: int) -> History:
    rows = [{"epoch": epoch, "step": 4 * epoch, "loss": 1 / epoch} for epoch in range(1, epochs + 1)]
    scales = [{"epoch": row["epoch"], "kind": "trsf", "value": 0.1} for row in rows]
    return History(rows, scales)


def test_an_epoch_that_a_kill_left_out_is_written_by_the_next_attempt(tmp_path):
    killed = Events(tmp_path, 0)
    killed.write(history(1))
    killed.close()
    resumed = Events(tmp_path, 1)
    for epochs in (3, 4, 4):
        resumed.write(history(epochs))
    resumed.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    for name in ("loss", "trsf/mean"):
        assert [event.step for event in events.Scalars(name)] == [1, 2, 3, 4]
