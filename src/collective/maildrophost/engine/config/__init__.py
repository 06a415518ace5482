"""The configuration file, read into one frozen object."""

from ..secrets import Secret
from .configuration import Configuration
from .errors import ConfigurationError
from .load import load
from .option import Kind, Option
from .options import OPTIONS
from .relays import RelayAddress

__all__ = [
    "OPTIONS",
    "Configuration",
    "ConfigurationError",
    "Kind",
    "Option",
    "RelayAddress",
    "Secret",
    "load",
]
