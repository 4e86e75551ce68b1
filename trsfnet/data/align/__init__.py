"""Photographs to face crops: finding faces, choosing among them, cropping, and a report of it all."""

from trsfnet.data.align.detect import Detector, Face, Mtcnn, choose
from trsfnet.data.align.folder import Crop, FacenetCrop, MarginCrop, WarpCrop, align_faces
from trsfnet.data.align.report import COLUMNS, STATUSES

__all__ = [
    "COLUMNS",
    "STATUSES",
    "Crop",
    "Detector",
    "Face",
    "FacenetCrop",
    "MarginCrop",
    "Mtcnn",
    "WarpCrop",
    "align_faces",
    "choose",
]
