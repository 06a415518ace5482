"""An SMTP server on loopback that does exactly what a test tells it."""

from .answers import Drop, Endless, Hang, Late, Pieces, Raw
from .records import Conversation, Received
from .server import EXTENSIONS, Scripted

__all__ = [
    "EXTENSIONS",
    "Conversation",
    "Drop",
    "Endless",
    "Hang",
    "Late",
    "Pieces",
    "Raw",
    "Received",
    "Scripted",
]
