"""The queue: one database, and the operations that keep its promises.

There are two kinds of operations. Nearly all take an open transaction first, so that
what must happen together shares one commit:

    with queue.write() as tx:
        settle(tx, settlements, now)
        waiting = due(tx, most, now)
        claims = claim(tx, owner, chosen_of(waiting), now)

A few take a Queue, because one transaction would be too large, or would be no use:
`transfer`, `pull_back` and `pull_back_new` go through any number of messages in several
transactions, between which others get to write; `tidy` and `empty_large_wal` look after
the file of a queue.
"""

from .batches import (
    Batch,
    PreparedBatch,
    Undecidable,
    aside_length,
    check_decidable,
    check_whole,
    open_batches,
    prepared_batches,
    remember_batch,
)
from .claim import Claim, claim
from .daemons import (
    Daemon,
    alive_and_lost,
    all_daemons,
    doorbells,
    may_retire,
    register,
    renew,
    retire,
)
from .database import moment, up_since, wake
from .due import Due, due, next_due
from .enqueue import discard, enqueue, new_batch, prepare, release
from .errors import QueueError, Refused, Unheard
from .fastclocks import pull_back_new
from .giveback import (
    give_back,
    give_back_last,
    give_back_unheard,
    ownerless,
    recover,
    recover_ownerless,
)
from .health import Health, Reason, health_of, in_doubt, look, sentence, unreadable
from .heldlanes import held_lanes, hold_lane, release_lane
from .hours import recently_sent
from .imported import import_mail
from .listing import (
    AttemptRecord,
    MessageRecord,
    attempts,
    content,
    get_message,
    records,
)
from .openrecipients import OpenRecipient
from .operator import (
    Done,
    delete_messages,
    hold_messages,
    release_messages,
    retry_messages,
    still_in,
    taking_part,
)
from .pace import take_turn
from .present import Present, newest_id, present_now
from .prune import prune, prune_files
from .putoff import put_off_large
from .relays import (
    RelayPause,
    clear,
    end_probe,
    mark_told,
    may_probe,
    pause,
    pause_of,
    pauses,
)
from .search import (
    Found,
    Search,
    Sort,
    count_matching,
    find_by_message_id,
    ids_matching,
    keys_in_order,
    list_messages,
    search,
)
from .setback import pull_back
from .settle import settle
from .settlement import AS_SAID, Settled, Settlement
from .sqlite.housekeeping import empty_large_wal, tidy
from .standing import MessageKey
from .states import IN_QUEUE, RecipientState, State
from .stats import (
    Stats,
    Vitals,
    due_length,
    no_stats,
    pauses_in_use,
    queue_length,
    stats,
)
from .store import Queue, Transaction, check_schema, exists, is_shared, open_queue
from .takenfiles import forget_files, take_file
from .transfer import Transferred, transfer

__all__ = [
    "AS_SAID",
    "IN_QUEUE",
    "AttemptRecord",
    "Batch",
    "Claim",
    "Daemon",
    "Done",
    "Due",
    "Found",
    "Health",
    "MessageKey",
    "MessageRecord",
    "OpenRecipient",
    "PreparedBatch",
    "Present",
    "Queue",
    "QueueError",
    "Reason",
    "RecipientState",
    "Refused",
    "RelayPause",
    "Search",
    "Settled",
    "Settlement",
    "Sort",
    "State",
    "Stats",
    "Transaction",
    "Transferred",
    "Undecidable",
    "Unheard",
    "Vitals",
    "alive_and_lost",
    "all_daemons",
    "aside_length",
    "attempts",
    "check_decidable",
    "check_schema",
    "check_whole",
    "claim",
    "clear",
    "content",
    "count_matching",
    "delete_messages",
    "discard",
    "doorbells",
    "due",
    "due_length",
    "empty_large_wal",
    "end_probe",
    "enqueue",
    "exists",
    "find_by_message_id",
    "forget_files",
    "get_message",
    "give_back",
    "give_back_last",
    "give_back_unheard",
    "health_of",
    "held_lanes",
    "hold_lane",
    "hold_messages",
    "ids_matching",
    "import_mail",
    "in_doubt",
    "is_shared",
    "keys_in_order",
    "list_messages",
    "look",
    "mark_told",
    "may_probe",
    "may_retire",
    "moment",
    "new_batch",
    "newest_id",
    "next_due",
    "no_stats",
    "open_batches",
    "open_queue",
    "ownerless",
    "pause",
    "pause_of",
    "pauses",
    "pauses_in_use",
    "prepare",
    "prepared_batches",
    "present_now",
    "prune",
    "prune_files",
    "pull_back",
    "pull_back_new",
    "put_off_large",
    "queue_length",
    "recently_sent",
    "records",
    "recover",
    "recover_ownerless",
    "register",
    "release",
    "release_lane",
    "release_messages",
    "remember_batch",
    "renew",
    "retire",
    "retry_messages",
    "search",
    "sentence",
    "settle",
    "stats",
    "still_in",
    "take_file",
    "take_turn",
    "taking_part",
    "tidy",
    "transfer",
    "unreadable",
    "up_since",
    "wake",
]
