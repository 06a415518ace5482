"""Mail that waits in the queue of another program, taken over into ours."""

from .oldmail import Left, OldMail, Taken
from .taking import look_through, take

__all__ = ["Left", "OldMail", "Taken", "look_through", "take"]
