"""The run record: the interface between training and report, readable without torch.

Training writes each run to its own folder (`folder`); committed runs share a few files per study (`study`).
Both are a `Record` (`base`), and `read_record` and `read_records` read both (`reading`).
"""

from trsfnet.experiments.record.base import ENDED, SCHEMA, STATUSES, Record, Table, UnknownFormat
from trsfnet.experiments.record.folder import CHECKPOINT, FILES, RECORD, RunFolder
from trsfnet.experiments.record.reading import read_record, read_records
from trsfnet.experiments.record.study import Study, StudyRun, is_study, read_study

__all__ = [
    "CHECKPOINT",
    "ENDED",
    "FILES",
    "RECORD",
    "SCHEMA",
    "STATUSES",
    "Record",
    "RunFolder",
    "Study",
    "StudyRun",
    "Table",
    "UnknownFormat",
    "is_study",
    "read_record",
    "read_records",
    "read_study",
]
