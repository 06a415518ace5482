"""What needs no crash point: steps that touch no mail, operations that only read."""

from __future__ import annotations

_MADE_ANEW = "it is made anew at every start, and lost with the process"
_BY_ITSELF = "undoes what a step before it has done, which is a crash point"
_OF_AN_OPERATOR = "a new file without mail, which an operator looks at"
NO_MAIL = {
    "engine.cli.init._write_new open 1": _OF_AN_OPERATOR,
    "engine.cli.init._write_new open 2": _OF_AN_OPERATOR,
    "engine.cli.init._write_new unlink": _OF_AN_OPERATOR,
    "engine.cli.program._have_where_to_print open": "opens what takes anything",
    "engine.cli.zdaemon.Supervisor._prepare unlink": _MADE_ANEW,
    "engine.cli.zdaemon.Supervisor._prepare write_text": _MADE_ANEW,
    "engine.cli.zdaemon.Supervisor._begin_transcript replace": "words for a person",
    "engine.cli.zdaemon.Supervisor._begin_transcript touch": "words for a person",
    "engine.daemon.pidfile._overwrite open": _MADE_ANEW,
    "engine.daemon.pidfile._remove unlink": _MADE_ANEW,
    "engine.daemon.pidfile._write unlink": _MADE_ANEW,
    "engine.daemon.pidfile._write open": _MADE_ANEW,
    "engine.delivery.bookkeeper._keep write_text": "names the process, in /proc",
    "engine.doorbell.Doorbell.close unlink": _MADE_ANEW,
    "engine.doorbell.Doorbell.hang_again unlink": _MADE_ANEW,
    "engine.doorbell._remove_dead unlink": _MADE_ANEW,
    "engine.queue.sqlite.presence.Presence._make_lock open": "empty, only to be locked",
    "engine.system.socketaddress.socket_address symlink": (
        "a link for a moment, to bind by"
    ),
    "engine.tokens.replacing.write open": "writes into the file of `mkstemp`",
    "engine.tokens.replacing.write unlink": _BY_ITSELF,
    "testing.MaildropHostLayer.setUp write_text": "a layer for tests",
    "testing.MaildropHostLayer.testSetUp": "a layer for tests",
}
"""Durable steps without a crash point, each with its reason."""

READS = {
    *(
        "alive_and_lost",
        "all_daemons",
        "attempts",
        "check_decidable",
        "check_whole",
        "content",
        "count_matching",
        "doorbells",
        "due",
        "due_length",
    ),
    *(
        "find_by_message_id",
        "get_message",
        "open_batches",
        "prepared_batches",
        "held_lanes",
        "ids_matching",
        "in_doubt",
    ),
    *(
        "list_messages",
        "keys_in_order",
        "records",
        "look",
        "may_retire",
        "moment",
        "newest_id",
        "next_due",
        "pause_of",
        "pauses",
        "present_now",
    ),
    *("ownerless", "aside_length", "queue_length", "recently_sent", "search", "stats"),
    *("still_in", "up_since", "wake"),
}
"""Operations of the queue that change nothing."""
