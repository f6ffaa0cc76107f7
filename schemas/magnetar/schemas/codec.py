"""Values to bytes and back, with the writer's exact schema; a value or a typed error, never a guess."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar
from uuid import UUID

import msgspec

from magnetar.schemas.bytewise import BadBytes
from magnetar.schemas.derivation import MOST_CLASSES, contract_name, schema_of
from magnetar.schemas.errors import DecodeFailed, EncodeFailed, UnknownType
from magnetar.schemas.inspection import inspect
from magnetar.schemas.lifting import Lifted, Reads
from magnetar.schemas.lowering import KEPT, Lowering
from magnetar.schemas.malformed import Ahead, Malformed
from magnetar.schemas.opinion import Opinion
from magnetar.schemas.reading import reader
from magnetar.schemas.resolution import resolve
from magnetar.schemas.shapes import UPCASTS, Record
from magnetar.schemas.upcasting import declared_in, upcasts_of
from magnetar.schemas.weights import Weights
from magnetar.schemas.writing import writer

if TYPE_CHECKING:
    from magnetar.schemas.schema import Schema
    from magnetar.schemas.shapes import Node, Shape

T = TypeVar("T", bound=msgspec.Struct)
V = TypeVar("V")

READ: Final = tuple(kind for kind in KEPT if kind is not UUID)
"""Types that our reader makes; a UUID is left to msgspec, which makes one of its text in a fifth of the time."""

MOST_BYTES: Final = 5 << 20
"""Largest body in bytes, both ways: the broker's own limit."""

SMALL: Final = 64 << 10
"""Up to so many bytes a message cannot hold too many values, as each takes a byte; above, they are counted."""

MOST_PAIRS: Final = 1024
"""So many writers' schemas are kept resolved; beyond, all are resolved anew."""


class Origin(Protocol):
    """Where bytes came from; read only when an error is raised."""

    @property
    def topic(self) -> str:
        """The topic."""
        ...

    @property
    def message_id(self) -> str:
        """The message's id."""
        ...

    @property
    def schema_version(self) -> str:
        """The schema version or fingerprint that the message carried."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """The origin of bytes that were kept by ourselves, such as a stored state: what they are of, and whose."""

    topic: str
    message_id: str
    schema_version: str = "current"


class Codec(Protocol[V]):
    """Encodes and decodes values of one contract, or of one topic. Thread-safe."""

    @property
    def schema(self) -> Schema:
        """The schema that `encode` writes."""
        ...

    def encode(self, value: V) -> bytes:
        """Return the bytes of a value, or raise EncodeFailed."""
        ...

    def decode(self, data: bytes, writer: Schema, origin: Origin) -> V:
        """Return the value in bytes that were written with a schema, or raise DecodeFailed."""
        ...


class Pair(Generic[T]):
    """Reads what one schema wrote as one contract type."""

    def __init__(self, cls: type[T], written: Node, shape: Shape, schema: Schema) -> None:
        """Resolve the two schemas, or raise Malformed."""
        resolution = resolve(written, shape, schema.shape.root, schema.shape)
        self._type = cls
        self._node = resolution.node
        self._names = resolution.names
        self._weights = Weights(resolution.names)
        self._careful = self._weights.is_careful(resolution.node)
        self._read = reader(resolution.node, resolution.names, self._weights)
        self._change = resolution.change
        self._opinion = Opinion(written, shape)

    def read(self, data: bytes, at: int) -> T:
        """Return the value at a position that reaches exactly to the end, or raise Malformed."""
        try:
            if self._careful or len(data) > SMALL:
                self.inspect(data, at)
            return self._value(data, at)
        except (Malformed, MemoryError):
            raise
        except Exception as error:  # whatever the reader, msgspec or a type's own check raises: a verdict on the bytes
            self.inspect(data, at)
            raise Malformed.of(error) from error

    def _value(self, data: bytes, at: int) -> T:
        tree, end = self._read(data, at)
        if end != len(data):
            raise BadBytes
        if self._change is not None:
            tree = self._change(tree)
        value = msgspec.convert(tree, self._type, builtin_types=READ)
        if self._opinion.wanted:
            self._opinion.on_reading(data, at, value, self._made)
        return value

    def _made(self, tree: Any) -> T:  # noqa: ANN401 - of the writer's type
        """The value of a tree that fastavro has read."""
        return msgspec.convert(tree if self._change is None else self._change(tree), self._type, builtin_types=KEPT)

    def inspect(self, data: bytes, at: int) -> None:
        """Raise Malformed with the path of the first thing that is wrong, if anything is."""
        end = inspect(data, at, self._node, self._names, self._weights)
        if end != len(data):
            raise Malformed("$", f"{len(data) - end} bytes are left after the value")


class RecordCodec(Generic[T]):
    """The codec of one message, state or timer type."""

    def __init__(self, cls: type[T]) -> None:
        """Derive the schema and compile the way there; ContractInvalid for a wrong type."""
        self.schema = schema_of(cls)
        self.type = cls
        self._name = contract_name(cls)
        self._lowering = Lowering(cls, self.schema.shape)
        self._write = writer(cls, self.schema.shape.root, self.schema.shape.names)
        self._opinion = Opinion(self.schema.shape.root, self.schema.shape)
        self._weights = Weights(self.schema.shape.names)
        self._careful = self._weights.is_careful(self.schema.shape.root)
        self._pairs: dict[str, Reads[T] | Malformed] = {}
        self._upcasts = upcasts_of(cls)
        self._upcast = declared_in(cls)[0] if self._upcasts else None

    def encode(self, value: T, prefix: bytes = b"") -> bytes:
        """Return the bytes of a value behind a prefix, or raise EncodeFailed; exact, never rounded."""
        if type(value) is not self.type:
            raise EncodeFailed(self._name, "$", f"is a {type(value).__qualname__}")
        try:
            data = self._write(value, prefix)
            if self._opinion.wanted:
                self._opinion.on_writing(self._lowering.tree(value), prefix, data)
            if len(data) > SMALL or self._careful:
                self._check_size(data, len(prefix))
        except MemoryError:
            raise
        except Exception as error:  # whatever the writer or msgspec raises is a verdict on the value
            raise self._refused(value, error) from error
        return data

    def decode(self, data: bytes, writer: Schema, origin: Origin) -> T:
        """Return the value in bytes that a record schema wrote, or raise DecodeFailed."""
        try:
            check_length(data)
            return self.pair(writer.fingerprint, writer.shape.root, writer.shape).read(data, 0)
        except Ahead as error:
            raise UnknownType(origin.topic, origin.message_id, origin.schema_version, self._name, error.path) from error
        except Malformed as error:
            raise failed(origin, error) from error

    def before(self, upcasts: int) -> RecordCodec[Any]:
        """The codec of what this contract was after so many upcasts; KeyError where it never was."""
        if upcasts == self._upcasts:
            return self
        if self._upcast is None or upcasts > self._upcasts:
            raise KeyError(upcasts)
        return codec_for(self._upcast.before).before(upcasts)

    def pair(self, key: str, written: Node, shape: Shape) -> Reads[T]:
        """Return how to read one writer's record, resolved once; Malformed if it cannot be."""
        found = self._pairs.get(key)
        if found is None:
            if len(self._pairs) >= MOST_PAIRS:
                self._pairs.clear()
            try:
                found = self._resolved(key, written, shape)
            except Malformed as error:
                found = error
            self._pairs[key] = found
        if isinstance(found, Malformed):
            raise Malformed.again(found)
        return found

    def _resolved(self, key: str, written: Node, shape: Shape) -> Reads[T]:
        """As what the contract was when it was written, and through the upcasts that followed."""
        then = written.upcasts if isinstance(written, Record) else self._upcasts
        if then > self._upcasts:
            raise Ahead("$", f"was written after {then} upcasts; this code has {self._upcasts}")
        if self._upcast is not None and then < self._upcasts:
            before = codec_for(self._upcast.before)
            if then == self._upcasts - 1:
                self._check_mark(written, before)
            return Lifted(before.pair(key, written, shape), self._upcast, self)
        return Pair(self.type, written, shape, self.schema)

    def _check_mark(self, written: Node, before: RecordCodec[Any]) -> None:
        """A foreign writer may have today's fields and not say so: it must not be taken for one of before."""
        then = {field.name for field in before.schema.record.fields}
        now = {field.name for field in self.schema.record.fields}
        for name in [field.name for field in written.fields] if isinstance(written, Record) else ():
            if name in now - then:
                reason = f"is of a later version than the schema it was written with says: that lacks {UPCASTS}"
                raise Malformed(f"$.{name}", reason)

    def _check_size(self, data: bytes, at: int) -> None:
        check_length(data)
        inspect(data, at, self.schema.shape.root, self.schema.shape.names, self._weights)

    def _refused(self, value: T, error: Exception) -> EncodeFailed:
        found = self._lowering.refusal(value) or (error if isinstance(error, Malformed) else Malformed.of(error))
        return EncodeFailed(self._name, found.path, found.reason)


def check_length(data: bytes) -> None:
    """Raise Malformed for a body above the limit."""
    if len(data) > MOST_BYTES:
        raise Malformed("$", f"{len(data)} bytes are more than {MOST_BYTES}")


def failed(origin: Origin, error: Malformed) -> DecodeFailed:
    """Return the error that says to which message it happened."""
    return DecodeFailed(origin.topic, origin.message_id, origin.schema_version, error.path, error.reason)


def codec_for(cls: type[T]) -> RecordCodec[T]:
    """Return the codec of a message, state or timer type; one per type. ContractInvalid for a wrong type."""
    codec: RecordCodec[T] = _codec(cls)
    return codec


@lru_cache(maxsize=MOST_CLASSES)
def _codec(cls: type[Any]) -> RecordCodec[Any]:
    return RecordCodec(cls)
