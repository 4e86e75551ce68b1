"""MS1MV2 and other face packs in MXNet's RecordIO format, read and written without MXNet."""

from trsfnet.data.recordio.source import RecordSource
from trsfnet.data.recordio.writer import write_records

__all__ = ["RecordSource", "write_records"]
