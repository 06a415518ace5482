"""`send` queues the message on standard input, or nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from typing import NoReturn

import pytest
from commands import PROGRAM
from daemons import daemon_seen

from collective.maildrophost.engine import doorbell, queue
from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.queue import register

MESSAGE = b"Subject: hello\n\nbody\n"


def test_the_id_is_printed_and_the_message_queued(site):
    id = site.send("-f", "a@example.org", "b@example.org", "c@example.org")
    shown = site.ctl("show", id, "--json").json
    assert shown["state"] == "queued"
    assert shown["sender"] == "a@example.org"
    assert [each["address"] for each in shown["recipients"]] == [
        "b@example.org",
        "c@example.org",
    ]


def test_the_empty_sender_is_the_null_sender(site):
    id = site.send("-f", "", "b@example.org")
    assert site.ctl("show", id, "--json").json["sender"] == ""


def test_bytes_stay_as_they_are(site):
    message = b"Message-Id: <1@x>\r\nSubject: =?\r\n\r\n\xff\xfe\x00 b\xf6dy\r\n.\r\n"
    arguments = ("send", "-f", "a@x.org", "b@x.org")
    id = site.ctl(*arguments, stdin=message).out.strip()
    assert site.ctl("show", id, "--raw").raw == message


def test_lane_and_time_are_kept(site):
    arguments = ("-f", "a@x.org", "b@x.org", "--lane", "bulk")
    id = site.send(*arguments, "--at", "2035-01-01T08:00:00+01:00")
    shown = site.ctl("show", id, "--json").json
    assert shown["lane"] == "bulk"
    assert shown["due"] == "2035-01-01T07:00:00.000Z"


@pytest.mark.parametrize(
    ("sender", "recipient"),
    [
        ("a@x.org", "b@x.org\nRCPT TO:<c@x.org>"),
        ("a@x.org\r", "b@x.org"),
        ("a@x.org", ""),
        ("a@x.org", "@"),
        ("a b@x.org", "b@x.org"),
    ],
)
def test_a_malformed_address_is_refused_and_nothing_queued(sender, recipient, site):
    ended = site.ctl("send", "-f", sender, recipient, stdin=MESSAGE)
    assert ended.status == 2
    assert "nothing was queued" in ended.err
    assert ended.err.count("\n") == 1
    assert site.ctl("queue").out == "no messages\n"


def test_a_spool_that_cannot_be_written_is_a_failure_that_says_so(site):
    (site.home / "file").write_text("")
    site.configure(MAILDROP_QUEUE=f"sqlite:///{site.home}/file/queue.db")
    ended = site.ctl("send", "-f", "a@x.org", "b@x.org", stdin=MESSAGE)
    assert ended.status == 1
    assert ended.out == ""
    assert "queue.db" in ended.err
    assert "nothing was queued" in ended.err
    assert ended.err.count("\n") == 1


def test_mail_that_may_be_queued_is_reported_as_such(site, proxied_url, proxy):
    site.configure(MAILDROP_QUEUE=proxied_url)
    proxy.lose_commit(b"INTO maildrop_message")
    ended = site.ctl("send", "-f", "a@x.org", "b@x.org", stdin=MESSAGE)
    assert (ended.status, ended.out) == (1, "")
    assert "it may be queued: look before you send it again" in ended.err
    assert "nothing was queued" not in ended.err
    assert "hello" in site.ctl("queue").out


def test_the_doorbell_of_a_daemon_rings(site):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.bind(str(site.home / "bell"))
        bell.setblocking(False)
        row = daemon_seen(0.0, doorbell=str(site.home / "bell"), lease_until=1e11)
        with site.queue() as queue, queue.write() as tx:
            register(tx, row)
        site.send()
        assert bell.recv(16)


@pytest.mark.parametrize("output", ["/dev/full", "a pipe that nobody reads"])
def test_mail_that_is_queued_is_no_failure_whatever_takes_its_id(site, output):
    command = [*PROGRAM, "--config", site.path, "send", "-f", "a@x.org", "b@x.org"]
    if output.startswith("/"):
        descriptor = os.open(output, os.O_WRONLY)
    else:
        reader, descriptor = os.pipe()
        os.close(reader)
    ended = subprocess.run(
        command,
        input=MESSAGE,
        stdout=descriptor,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(descriptor)
    assert ended.returncode == 0
    assert ended.stderr.startswith(b"queued as 1; ")
    assert ended.stderr.count(b"\n") == 1
    assert site.state_of("1") == "queued"


@pytest.fixture
def send_here(site, monkeypatch, capsys):
    """`send` in this process, to be interrupted at a certain moment."""

    def send(content: BytesIO) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(content))
        status = main(["--config", str(site.path), "send", "-f", "a@x.org", "b@x.org"])
        said = capsys.readouterr()
        return status, said.out, said.err

    return send


def interrupted(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


def test_mail_that_is_queued_is_no_failure_when_ctrl_c_comes_then(
    send_here, site, monkeypatch
):
    monkeypatch.setattr(doorbell, "ring", interrupted)
    assert send_here(BytesIO(MESSAGE)) == (0, "1\n", "")
    assert site.state_of("1") == "queued"


def test_mail_whose_commit_is_interrupted_is_reported_as_perhaps_queued(
    send_here, monkeypatch
):
    monkeypatch.setattr(queue, "enqueue", interrupted)
    status, out, err = send_here(BytesIO(MESSAGE))
    assert (status, out) == (1, "")
    assert "'queue' and 'show' tell what has become of the mail" in err


def test_a_message_that_is_not_typed_to_its_end_is_not_queued(send_here):
    class Typed(BytesIO):
        read = interrupted

    status, out, err = send_here(Typed())
    assert (status, out) == (1, "")
    assert "stopped before the end; nothing was queued" in err


def test_without_a_standard_input_nothing_is_queued(site):
    ended = site.ctl_without_input("send", "-f", "a@x.org", "b@x.org")
    assert ended.status == 2
    assert "standard input is closed; nothing was queued" in ended.err
    assert ended.err.count("\n") == 1
