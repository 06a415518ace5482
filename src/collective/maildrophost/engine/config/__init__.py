"""The configuration file, read into one frozen object."""

from collective.maildrophost.engine.config.configuration import Configuration
from collective.maildrophost.engine.config.errors import ConfigurationError
from collective.maildrophost.engine.config.load import load
from collective.maildrophost.engine.config.option import Kind, Option
from collective.maildrophost.engine.config.options import OPTIONS
from collective.maildrophost.engine.config.relays import RelayAddress
from collective.maildrophost.engine.secret import Secret

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
