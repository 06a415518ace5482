"""Messages for a relay that takes seven bits."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.smtp.sevenbit import to_seven_bit


def parsed(content):
    assert content.isascii()
    return message_from_bytes(content, policy=policy.default)


@pytest.mark.parametrize("body", ["Grüße\n", "ÄÖÜäöüß\n", "x" * 2000 + "ü\n"])
def test_a_text_keeps_its_words(body):
    content = (
        "Subject: x\nContent-Type: text/plain; charset=utf-8\n"
        f"Content-Transfer-Encoding: 8bit\n\n{body}"
    ).encode()
    message = parsed(to_seven_bit(content))
    assert message.get_content() == body
    assert max(map(len, to_seven_bit(content).splitlines())) <= 78


def test_crlf_stays_a_line_end():
    content = "Content-Type: text/plain; charset=utf-8\r\n\r\nGrüße und\r\nmehr\r\n"
    encoded = to_seven_bit(content.encode())
    assert parsed(encoded).get_content() == "Grüße und\nmehr\n"
    assert b"=0D" not in encoded


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_a_text_without_a_charset_gets_one(charset):
    content = b"Subject: x\n\n" + "nur eine Grüße hier\n".encode(charset)
    message = parsed(to_seven_bit(content))
    assert message.get_content() == "nur eine Grüße hier\n"
    assert message["MIME-Version"] == "1.0"


def test_headers_become_encoded_words():
    content = (
        'From: "Jörg Müller" <j@example.org>,\n Ünal <u@example.org>\n'
        "To: plain <a@example.org>\n\tfolded <b@example.org>\nSubject: Grüße an\n alle"
        "\n\nbody\n"
    ).encode()
    encoded = to_seven_bit(content)
    message = parsed(encoded)
    assert str(message["From"]) == "Jörg Müller <j@example.org>, Ünal <u@example.org>"
    assert message["Subject"] == "Grüße an alle"
    assert b"To: plain <a@example.org>\n\tfolded <b@example.org>\n" in encoded


SIGNED = (
    b"Content-Type: multipart/signed; boundary=sig;   micalg=pgp-sha256\n\n"
    b"--sig\nContent-Type: text/plain;\n\tcharset=us-ascii\n\n"
    b"signed   \n body\n\n--sig\nContent-Type: application/pgp-signature\n\n"
    b"abcdef\n--sig--\n"
)


def test_only_parts_with_eight_bits_change():
    content = (
        b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n"
        b"Content-Transfer-Encoding: 8bit\n\npr\xc3\xa9amble\n--b\n"
        b"Content-Type: application/octet-stream\n\n\xff\x00\xfe\n--b\n"
        + SIGNED
        + b"\n--b\nContent-Type: message/rfc822\n\n"
        b"Subject: inner \xc3\xb6\n\nsome inner text \xc3\x9f\n--b--\n"
    )
    encoded = to_seven_bit(content)
    binary, _, inner = parsed(encoded).iter_parts()
    assert binary.get_content().rstrip(b"\n") == b"\xff\x00\xfe"
    assert inner.get_content()["Subject"] == "inner ö"
    assert inner.get_content().get_content() == "some inner text ß"
    assert SIGNED in encoded
    assert parsed(encoded)["Content-Transfer-Encoding"] == "7bit"


@given(
    st.lists(
        st.sampled_from(
            [
                b"Content-Type: text/plain; charset=utf-16\n",
                b"Content-Type: multipart/mixed; boundary=b\n",
                b"Content-Transfer-Encoding: base64\n",
                b"Content-Transfer-Encoding: quoted-printable\n",
                b"Content-Type: message/rfc822\n",
                b"From: \xff\xfe <\xc3\xa4@b>, ;:\n",
                b"Subject: \xc3\xa4\r x\n",
                b"\xe4: \xe4\n",
                b"\n",
                b"--b\n",
                b"--b--\n",
                b"\xc3\xa4\r\n",
                b"\0\xff",
            ]
        ),
        max_size=12,
    ).map(b"".join)
)
def test_whatever_comes_leaves_in_ascii(content):
    assert to_seven_bit(content).isascii()
