"""Whatever strangers write, a notification says nothing in their name."""

from __future__ import annotations

from engine.delivery.reports import NOTIFY, NOW, RETRY, failed, parsed
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.delivery.judge import settlement
from collective.maildrophost.engine.delivery.notifications import (
    relay_fault_lasts,
    relay_works_again,
)
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import RelayPause

# Everything that strangers write, with what could end a line, a part or a field.
hostile = st.lists(
    st.one_of(
        st.characters(),
        st.sampled_from("\r\n\0\t -=:;<>@?\\\x85\u2028"),
        st.sampled_from(["\nBcc: c@x.org", "\r\n\r\n", "\nStatus: 2.0.0", "X" * 450]),
    ),
    max_size=50,
).map("".join)
tokens = b"Subject: |Auto-Submitted: no|\r|\n|\r\n| |--|=|\0|\xff|: |\n\n".split(b"|")
hostile_octets = st.one_of(
    st.binary(max_size=500),
    st.lists(st.sampled_from([*tokens, b"X" * 1200]), max_size=40).map(b"".join),
)
FIELDS_OF_A_FAILURE = {
    "Final-Recipient",
    "Action",
    "Status",
    "Remote-MTA",
    "Diagnostic-Code",
    "Last-Attempt-Date",
}
TOP_OF_A_FAILURE = {
    "Content-Type",
    "From",
    "To",
    "Subject",
    "Date",
    "Message-Id",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "MIME-Version",
}


@given(
    reply=hostile,
    # No address in the queue is longer than 254 octets.
    sender=hostile.map(lambda text: text[:60]).filter(bool),
    address=hostile,
    header_id=hostile,
    content=hostile_octets,
    relay=hostile,
)
def test_nothing_that_strangers_wrote_becomes_a_field_or_a_part(
    claimed, reply, sender, address, header_id, content, relay
):
    claim = claimed(address, sender=sender, header_id=header_id, content=content)
    judged = settlement(
        claim,
        relay + ":25",
        [failed("550 5.0.0 " + reply)],
        False,
        RETRY,
        NOTIFY,
        NOW,
        0.0,
    )
    for message in judged.notifications:  # none where the content looks automatic
        assert message.content.isascii() or not sender.isascii()
        assert max(map(len, message.content.split(b"\n"))) <= 998
        assert b"\r" not in message.content
        top = parsed(message)
        assert set(top.keys()) <= TOP_OF_A_FAILURE
        assert len(top.keys()) == len(set(top.keys()))
        _, status, headers = top.iter_parts()
        assert headers.get_content_type() == "text/rfc822-headers"
        about_message, about_recipient = status.get_payload()
        assert len(about_message) == 3
        assert set(about_recipient.keys()) <= FIELDS_OF_A_FAILURE
        assert about_recipient["Status"] == "5.0.0"
        assert about_recipient["Action"] == "failed"


@given(name=hostile, fault=hostile)
def test_nothing_that_a_relay_said_becomes_a_header_of_a_letter(name, fault):
    paused = RelayPause(name, fault, NOW - 1000, NOW + 60, 9, told=True)
    for write, subject in (
        (relay_fault_lasts, "The mail relay is at fault"),
        (relay_works_again, "The mail relay works again"),
    ):
        message = write(paused, NOTIFY, "owner", NOW)
        top = parsed(message)
        assert message.content.isascii()
        assert top["To"] == "postmaster@x.org"
        assert top["Subject"] == subject
        assert top["Auto-Submitted"] == "auto-generated"
        assert len(top.keys()) == 9
        assert (message.sender, message.lane) == ("", Lane.INTERACTIVE)
