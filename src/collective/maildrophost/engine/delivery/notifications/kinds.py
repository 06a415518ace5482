"""The kinds of reports about mail, with what each says to people."""

from __future__ import annotations

from dataclasses import dataclass

from ...message import Lane


@dataclass(frozen=True)
class Kind:
    """`name` tells a report from others about the same attempt.

    `words` may have places for the `host` that the report comes from, the message's
    `id` in the queue, and when it will be `given_up`.
    """

    name: str
    title: str
    words: str
    lane: Lane = Lane.NORMAL


FAILURE = Kind(
    "failure",
    "Your mail could not be delivered",
    """\
This is the mail system of {host}.

Your mail could not be delivered to the recipients below. It will not be
tried again for them.

What you can do: look for a mistake in the address, and send the mail again.
If the address is right, show this report to the people who run your site:
the reply below each address says why the mail was refused.
""",
)
"""To the envelope sender, about all who failed in an attempt."""

DELAY = Kind(
    "delay",
    "Your mail is delayed",
    """\
This is the mail system of {host}.

THIS IS A WARNING ONLY. YOU NEED NOT SEND YOUR MAIL AGAIN.

Your mail has not reached the recipients below yet. It will be tried again
until {given_up}. You will get no further
warning, but you will be told if it has to be given up.

What you can do: nothing for now. The reply below each address says why it
has to wait.
""",
)
"""To the envelope sender, about all who still wait after an attempt."""

UNDELIVERABLE = Kind(
    "undeliverable",
    "Mail without a sender could not be delivered",
    """\
This is the mail system of {host}.

Mail without a sender, in most cases a notification, could not be delivered
to the recipients below. Nobody else is told. The mail stays in the queue as
failed.

What you can do: 'maildropctl show {id}' shows it. Then 'maildropctl retry {id}'
sends it once more, 'maildropctl delete {id}' removes it.
""",
    Lane.INTERACTIVE,
)
"""To MAILDROP_POSTMASTER, about failed mail that has no sender to be told."""
