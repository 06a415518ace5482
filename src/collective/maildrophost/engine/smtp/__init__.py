"""The SMTP client: messages in, a verdict for each recipient out."""

from .connection import Connection
from .fault import LoginRefused, RelayFault
from .findings import Result
from .phases import Phase, Timeouts
from .settings import Login, Security

__all__ = [
    "Connection",
    "Login",
    "LoginRefused",
    "Phase",
    "RelayFault",
    "Result",
    "Security",
    "Timeouts",
]
