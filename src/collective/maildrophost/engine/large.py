"""The size from which a message is large: many such at once would fill the memory."""

# A hundred connections, each with a message of just this size, take 100 MB. Smaller
# messages, as nearly all are, need no care.

from __future__ import annotations

LARGE_OCTETS = 2**20
"""Content with more octets than this is large."""
