"""The update pipelines of a thread's document: queue, known uids, lease and fence change in one write.

Pure: builds documents, runs nothing. Time is the server's (`$$NOW`). What people wrote stands in `$literal`,
since a text like "$owner" would otherwise be read as a field.
"""

# The document: `_id` thread key, `place`, `q` items (each with its arrival number `k`), `np` their number,
# `ring` uids seen, `owner` and `until` the lease, `fence`, `k` arrivals so far, `held` the highest arrival
# that an owner was handed, `n` next seq, `from_seq`, `tries`, `stop` who asked, `ingest` what the last ingest
# did, `attempt` {uid, fence, at, called, sending, pages}, `fresh` where somebody started afresh,
# `active_at` and `last_order` what ActivityStore tells, `summary` {upto_seq, text}, `title`,
# `chores` {name: until when somebody is at it}.

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

from bson.int64 import Int64

from bot.core.place import Place
from bot.core.turn_record import Claim, Item, ItemKind, Summary
from bot.storage.codec import Document, storable, to_document

QUEUE_CAP: Final = 50
#: A platform that was away may deliver its last 100 messages of a channel again.
RING_SIZE: Final = 128

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HEAD: Final[Document] = {"$arrayElemAt": ["$q.uid", 0]}
LEASE_OVER: Final[Document] = {"$lt": ["$until", "$$NOW"]}
LEASE_LIVE: Final[Document] = {"$gte": ["$until", "$$NOW"]}


def renewed(lease_s: float) -> Document:
    """When a lease that is renewed now runs out."""
    return {"$add": ["$$NOW", round(lease_s * 1000)]}


def ingest(place: Place, item: Item, owner: str, lease_s: float) -> list[Document]:
    """Enqueue an item that is not known yet, and claim the thread when its lease is over."""
    uid, order = {"$literal": item.uid}, {"$literal": item.order}
    known = {"$or": [{"$in": [uid, "$ring"]}, {"$in": [uid, "$q.uid"]}]}
    full = {"$gte": [{"$size": "$q"}, QUEUE_CAP]}
    cases = [{"case": known, "then": "duplicate"}, {"case": full, "then": "full"}]
    queued = {"$eq": ["$ingest.did", "queued"]}
    # A lease of ours that ran out in an outage: the lane may run still, and the sweep knows whether it does.
    free = {"$and": [LEASE_OVER, {"$ne": ["$owner", {"$literal": owner}]}]}
    return [
        {"$set": {"place": {"$literal": to_document(place)}, "account": {"$literal": place.account_key}}},
        {"$set": _blank()},
        {"$set": {"ingest": {"did": {"$switch": {"branches": cases, "default": "queued"}}, "free": free}}},
        {
            "$set": {
                "k": {"$cond": [queued, {"$add": ["$k", 1]}, "$k"]},
                "q": {"$cond": [queued, _with(item, order), "$q"]},
                "active_at": {"$cond": [queued, "$$NOW", "$active_at"]},
                "last_order": {"$cond": [queued, {"$max": ["$last_order", order]}, "$last_order"]},
                "ring": {"$cond": [queued, {"$slice": [{"$concatArrays": ["$ring", [uid]]}, -RING_SIZE]}, "$ring"]},
            }
        },
        {"$set": {"np": {"$size": "$q"}}},
        {"$set": {"ingest.claimed": {"$and": ["$ingest.free", {"$gt": ["$np", 0]}]}}},
        _only_if("$ingest.claimed", _claimed(owner, lease_s)),
    ]


def takeover(owner: str, lease_s: float) -> list[Document]:
    """Claim a thread; the filter has made sure that its lease is over and that something waits."""
    return [{"$set": _claimed(owner, lease_s)}]


def finish(claim: Claim, uids: Collection[str], from_seq: int, owner: str, lease_s: float) -> list[Document]:
    """Take uids off the queue and keep the lease for what waits, or give it back. Twice does no harm."""
    left = _without({"$in": ["$$item.uid", {"$literal": list(uids)}]})
    waiting = {"$gt": ["$np", 0]}
    same_head = {"$and": [waiting, {"$eq": ["$was", _HEAD]}]}
    return [
        {
            "$set": {
                "was": _HEAD,
                "q": left,
                "n": {"$max": ["$n", Int64(claim.next_seq + 1)]},
                "from_seq": {"$max": ["$from_seq", Int64(from_seq)]},
            }
        },
        {"$set": {"np": {"$size": "$q"}}},
        {
            "$set": {
                "owner": {"$cond": [waiting, {"$literal": owner}, None]},
                "until": {"$cond": [waiting, renewed(lease_s), NEVER]},
                "held": "$k",
                "attempt": {"$cond": [same_head, "$attempt", "$$REMOVE"]},
                "tries": {"$cond": [same_head, "$tries", 0]},
                "stop": "$$REMOVE",
                "was": "$$REMOVE",
            }
        },
    ]


def note(claim: Claim, changes: Document) -> list[Document]:
    """Merge `changes` into the notes on the claim's head item; notes on another item are replaced."""
    uid = claim.items[0].uid
    pages = changes.get("pages", {})
    same = {"$eq": ["$attempt.uid", {"$literal": uid}]}
    blank: Document = {"called": False, "sending": 0, "pages": {}}
    attempt = {"$cond": [same, "$attempt", {"$literal": blank}]}
    now = {"uid": {"$literal": uid}, "fence": Int64(claim.fence), "at": "$$NOW"}
    return [
        {
            "$set": {
                "attempt": {
                    "$mergeObjects": [
                        attempt,
                        now,
                        {"$literal": changes | {"pages": {}}},
                        _pages(same, pages),
                    ]
                }
            }
        }
    ]


def withdraw(author_key: str | None, running: Collection[str]) -> list[Document]:
    """Drop the author's items (None: everyone's) but for the running ones."""
    gone: list[object] = [{"$not": [{"$in": ["$$item.uid", {"$literal": list(running)}]}]}]
    if author_key is not None:
        gone.append({"$eq": ["$$item.author_key", {"$literal": author_key}]})
    return _drop({"$and": gone})


def revise(message_id: str, text: str | None) -> list[Document]:
    """Rewrite or drop the waiting items of a message."""
    chosen = _waiting(message_id)
    if text is None:
        return _drop(chosen)
    changed = {"$cond": [chosen, {"$mergeObjects": ["$$item", {"$literal": {"text": storable(text)}}]}, "$$item"]}
    return [{"$set": {"q": {"$map": {"input": "$q", "as": "item", "in": changed}}}}]


def has_waiting(message_id: str) -> Document:
    """An expression: is there something for `revise` to do?"""
    return {"$gt": [{"$size": {"$filter": {"input": "$q", "as": "item", "cond": _waiting(message_id)}}}, 0]}


def start_afresh() -> list[Document]:
    """The context begins after the stored turns, and after the one that is running or about to."""
    running = {"$cond": [{"$gt": ["$np", 0]}, 1, 0]}
    afresh = {"$max": ["$from_seq", {"$add": ["$n", running]}]}
    return [{"$set": {"from_seq": afresh, "fresh": afresh, "summary": "$$REMOVE"}}]


def chore_free(chore: str) -> Document:
    """An expression: nobody is at a chore."""
    return {"$lt": [{"$ifNull": [f"$chores.{chore}", NEVER]}, "$$NOW"]}


def begin_chore(chore: str, lease_s: float) -> list[Document]:
    """Be at a chore until the lease runs out."""
    return [{"$set": {f"chores.{chore}": renewed(lease_s)}}]


def takes_summary(summary: Summary) -> Document:
    """A filter: nobody started afresh behind the summary, and no other one stands for as much. Cuts do not matter."""
    upto = Int64(summary.upto_seq)
    older = [{"summary": {"$exists": False}}, {"summary.upto_seq": {"$lt": upto}}, {"summary": to_document(summary)}]
    return {"$and": [{"$or": [{"fresh": {"$exists": False}}, {"fresh": {"$lte": upto}}]}, {"$or": older}]}


def set_summary(summary: Summary) -> Document:
    """The summary stands for the turns up to its number; what comes after them is the context."""
    return {"$set": {"summary": to_document(summary)}, "$max": {"from_seq": Int64(summary.upto_seq + 1)}}


def _blank() -> Document:
    """What a thread's document holds before anything happened in it."""
    empty: Document = {
        "q": [],
        "ring": [],
        "owner": None,
        "until": NEVER,
        "fence": Int64(0),
        "k": Int64(0),
        "held": Int64(0),
        "n": Int64(0),
        "from_seq": Int64(0),
        "tries": 0,
        "v": 1,
    }
    return {name: {"$ifNull": [f"${name}", value]} for name, value in empty.items()}


def _with(item: Item, order: Document) -> Document:
    """The queue with the item: what an owner was handed stays in place, what came since is sorted by `order`.

    Webhooks that run in parallel would otherwise reorder one chat's messages.
    """
    earlier = {"$or": [{"$lte": ["$$item.k", "$held"]}, {"$lte": ["$$item.order", order]}]}
    new = {"$mergeObjects": [{"$literal": to_document(item)}, {"k": {"$add": ["$k", 1]}}]}
    return {"$concatArrays": [_without({"$not": [earlier]}), [new], _without(earlier)]}


def _claimed(owner: str, lease_s: float) -> Document:
    handed_before = {"$lte": [{"$arrayElemAt": ["$q.k", 0]}, "$held"]}
    return {
        "owner": {"$literal": owner},
        "until": renewed(lease_s),
        "fence": {"$add": ["$fence", 1]},
        "held": "$k",
        "tries": {"$cond": [handed_before, {"$add": ["$tries", 1]}, 0]},
    }


def _only_if(condition: str, fields: Document) -> Document:
    return {"$set": {name: {"$cond": [condition, value, f"${name}"]} for name, value in fields.items()}}


def _without(condition: Document) -> Document:
    return {"$filter": {"input": "$q", "as": "item", "cond": {"$not": [condition]}}}


def _drop(condition: Document) -> list[Document]:
    return [{"$set": {"q": _without(condition)}}, {"$set": {"np": {"$size": "$q"}}}]


def _waiting(message_id: str) -> Document:
    """Of this message and not running: an owner runs the head, a message with all it was handed of its author."""
    handed = {"$lte": ["$$item.k", "$held"]}
    of_head = {"$eq": ["$$item.author_key", {"$arrayElemAt": ["$q.author_key", 0]}]}
    merged = {"$eq": [{"$arrayElemAt": ["$q.kind", 0]}, ItemKind.MESSAGE.value]}
    with_head = {"$or": [{"$eq": ["$$item.uid", _HEAD]}, {"$and": [handed, of_head, merged]}]}
    running = {"$and": [LEASE_LIVE, with_head]}
    return {"$and": [{"$eq": ["$$item.message_id", {"$literal": message_id}]}, {"$not": [running]}]}


def _pages(same: Document, pages: Document) -> Document:
    """Ids of sent pages by number: those known of the same item, and the new ones."""
    known = {"$cond": [same, "$attempt.pages", {"$literal": {}}]}
    return {"pages": {"$mergeObjects": [known, {"$literal": pages}]}}
