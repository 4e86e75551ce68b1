"""Photographs to face crops: finding faces, choosing among them, cropping, and a report of it all."""

from trsfnet.data.align.detect import Detector, Face, Mtcnn, choose
from trsfnet.data.align.folder import MarginCrop, WarpCrop, align_faces
from trsfnet.data.align.report import COLUMNS, STATUSES

__all__ = [
    "COLUMNS",
    "STATUSES",
    "Detector",
    "Face",
    "MarginCrop",
    "Mtcnn",
    "WarpCrop",
    "align_faces",
    "choose",
]
