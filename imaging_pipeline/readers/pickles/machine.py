"""The state of a pickle while it is read: the stack, the memo, and how much of each limit is used.

Nothing of Python's own unpickler runs. It calls whatever a pickle names and changes the state of whatever
it made: with numpy's own dtype at hand, a pickle enlarges the items of an array that exists already, and
reads the memory behind it.
"""

from __future__ import annotations

from typing import Any

from imaging_pipeline.errors import FormatError, UnsafeContentError

# The largest outputs that labs have, of 40,000 ROIs, take 11 million operations and 2 million containers.
MAX_OPERATIONS = 30_000_000
MAX_CONTAINERS = 4_000_000

# Old protocols hold the bytes of an array as text, which becomes bytes, which become the array.
_MAX_COPIES = 4

ASK = "Ask where the file comes from; do not open it with numpy or pickle."
COPY_AGAIN = "Copy the file again from where it was written."


def damaged(what: str) -> FormatError:
    """Return the error for a pickle that is not what a program writes."""
    return FormatError("A pickle is damaged or cut off", found=what, remedy=COPY_AGAIN)


def unsafe(what: str) -> UnsafeContentError:
    """Return the error for a pickle that asks for more than data."""
    return UnsafeContentError(
        "A pickle wants more than arrays and plain values",
        found=what,
        allowed="numpy arrays and plain builtin types",
        remedy=ASK,
    )


def too_large(what: str, limit: str) -> UnsafeContentError:
    """Return the error for a pickle whose content would take more time or memory than any real one."""
    return UnsafeContentError("A pickle unfolds into too much", found=what, allowed=limit, remedy=ASK)


_NOTHING = object()


class Draft:
    """A value that a pickle creates empty and fills later: an array, a dtype, or a number of ruamel.yaml.

    It is never part of a result. Filling it makes the value, which takes its place on the stack and in
    the memo; a pickle that uses it before is refused.

    Attributes
    ----------
    kind
        ``array``, ``dtype`` or ``number``.
    content
        What was known when it was created.
    memo_keys
        Under which numbers the pickle remembers it.
    """

    __slots__ = ("content", "kind", "memo_keys")

    def __init__(self, kind: str, content: Any = None) -> None:
        self.kind = kind
        self.content = content
        self.memo_keys: list[int] = []


class Machine:
    """A pickle, how far it is read, and what was made of it so far.

    Attributes
    ----------
    content
        The pickle.
    position
        Of the next byte.
    stack, marks
        Values that no operation has used yet, and how many there were at each open mark.
    memo
        Values that the pickle may refer to, by its own numbers.
    max_containers, num_containers
        How many there may be: lists, tuples, dictionaries, sets and arrays made so far, with their elements.
    num_odd_keys
        Keys of dictionaries and sets so far that are not text.
    copied_bytes
        Bytes of all arrays, and of what was made of texts, so far.
    """

    __slots__ = (
        "content",
        "copied_bytes",
        "has_stopped",
        "marks",
        "max_containers",
        "memo",
        "num_containers",
        "num_drafts",
        "num_odd_keys",
        "position",
        "stack",
    )

    def __init__(self, content: bytes, max_containers: int = MAX_CONTAINERS) -> None:
        self.content = content
        self.max_containers = max_containers
        self.position = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: list[Any] = []
        self.num_containers = 0
        self.num_drafts = 0
        self.num_odd_keys = 0
        self.copied_bytes = 0
        self.has_stopped = False

    def take(self, num_bytes: int) -> bytes:
        """Return the next bytes."""
        end = self.position + num_bytes
        if end > len(self.content):
            raise damaged(f"{num_bytes:,} bytes at {self.position:,} of {len(self.content):,}")
        taken = self.content[self.position : end]
        self.position = end
        return taken

    def take_number(self, num_bytes: int) -> int:
        """Return the next bytes as a number without sign, the lowest byte first."""
        return int.from_bytes(self.take(num_bytes), "little")

    def take_line(self) -> str:
        """Return the text up to the next line break, which is passed."""
        end = self.content.find(b"\n", self.position)
        if end < 0:
            raise damaged("a line without its end")
        line = self.content[self.position : end]
        self.position = end + 1
        return line.decode("utf-8")

    def push_container(self, value: Any) -> None:
        """Put a new container on the stack."""
        self.count(1)
        self.stack.append(value)

    def count(self, num_elements: int) -> None:
        """Add to the number of elements in containers."""
        self.num_containers += num_elements
        if self.num_containers > self.max_containers:
            raise too_large("more elements", f"{self.max_containers:,} elements")

    def count_bytes(self, num_bytes: int) -> None:
        """Add to the bytes that were copied out of the pickle."""
        self.copied_bytes += num_bytes
        limit = _MAX_COPIES * len(self.content)
        if self.copied_bytes > limit:
            raise too_large("arrays that are larger than the file", f"{limit:,} bytes")

    def pop_to_mark(self) -> list[Any]:
        """Remove what lies above the last mark, and return it."""
        start = self.marks.pop()
        if start > len(self.stack):
            raise damaged("an operation that takes what lies below a mark")
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def remember(self, key: int | None = None) -> None:
        """Let the pickle refer to the top of the stack by a number, or by the next one."""
        value = self.stack[-1]
        if type(value) is Draft:
            value.memo_keys.append(len(self.memo) if key is None else key)
        if key is None:
            self.put_next(value)
        else:
            self.put(key, value)

    def put(self, key: int, value: Any) -> None:
        """Keep a value under a number; Python counts from 0, Python 2 from 1."""
        may_be_left_out = 1 if not self.memo else 0
        # A few bytes with a large number would otherwise reserve any amount of memory.
        if not 0 <= key <= len(self.memo) + may_be_left_out:
            raise damaged("a value that is remembered out of order")
        if key > len(self.memo):
            self.memo.append(_NOTHING)
        if key == len(self.memo):
            self.memo.append(value)
        self.memo[key] = value

    def put_next(self, *values: Any) -> None:
        """Keep values under the next numbers, which differ between unpicklers where one was left out."""
        if self.memo and self.memo[0] is _NOTHING:
            raise damaged("a value that is remembered out of order")
        self.memo.extend(values)

    def recall(self, key: int) -> Any:
        """Return the value under a number."""
        value = self.memo[key] if key >= 0 else _NOTHING
        if value is _NOTHING:
            raise damaged("a value that was never remembered")
        return value

    def open_draft(self, draft: Draft) -> None:
        """Put a value on the stack that is filled later."""
        self.count(1)
        self.num_drafts += 1
        self.stack.append(draft)

    def close_draft(self, value: Any) -> None:
        """Put the finished value in place of the draft on top of the stack."""
        draft = self.stack[-1]
        for key in draft.memo_keys:
            if self.memo[key] is draft:
                self.memo[key] = value
        self.stack[-1] = value
        self.num_drafts -= 1
