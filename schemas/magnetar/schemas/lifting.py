"""Reading what a contract was, and making of it what it is: one declared upcast, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import msgspec

from magnetar.schemas.derivation import key_field
from magnetar.schemas.errors import EncodeFailed
from magnetar.schemas.malformed import Malformed

if TYPE_CHECKING:
    from magnetar.schemas.codec import RecordCodec
    from magnetar.schemas.upcasting import Upcast

T = TypeVar("T", bound=msgspec.Struct)
T_co = TypeVar("T_co", covariant=True)


class Reads(Protocol[T_co]):
    """Reads what one schema wrote."""

    def read(self, data: bytes, at: int) -> T_co:
        """Return the value at a position that reaches exactly to the end, or raise Malformed."""
        ...


class Lifted(Generic[T]):
    """Reads what the version before reads, and upcasts it.

    What comes out is what would have been read, had it been written and read again in between: so a chain and its
    single steps say the same.
    """

    def __init__(self, before: Reads[Any], upcast: Upcast[Any, Any], codec: RecordCodec[T]) -> None:
        """`before` reads what the upcast takes, `codec` is of what it makes."""
        self._before = before
        self._upcast = upcast
        self._codec = codec
        before_type: type[msgspec.Struct] = upcast.before
        self._keys = key_field(before_type), key_field(codec.type)

    def read(self, data: bytes, at: int) -> T:
        """Return the value at a position that reaches exactly to the end, or raise Malformed."""
        old = self._before.read(data, at)
        made = self._made(old)
        name = self._upcast.name
        try:
            written = self._codec.encode(made)
        except EncodeFailed as error:
            raise Malformed(error.path, f"what upcast {name} made does not fit: {error.reason}") from error
        schema = self._codec.schema
        return self._codec.pair(schema.fingerprint, schema.shape.root, schema.shape).read(written, 0)

    def _made(self, old: Any) -> T:  # noqa: ANN401 - a value of the type before
        name, wanted = self._upcast.name, self._codec.type
        try:
            made = self._upcast(old)
        except MemoryError:
            raise
        except Exception as error:  # whatever the application's function raises is a verdict on the bytes
            raise Malformed("$", f"upcast {name} raised {type(error).__name__}: {error}") from error
        if type(made) is not wanted:
            raise Malformed("$", f"upcast {name} returned a {type(made).__name__}, not a {wanted.__name__}")
        was, now = self._keys
        if now is not None and (was is None or getattr(old, was) != getattr(made, now)):
            raise Malformed(f"$.{now}", f"upcast {name} has changed the key: its message would belong to another shard")
        return made
