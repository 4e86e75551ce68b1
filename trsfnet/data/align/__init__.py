"""From photographs to face crops: detection, choice of a face, cropping, and a report of all images."""

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
