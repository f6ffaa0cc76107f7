"""The codec of a topic: one record whose `body` is a union, so bytes are a union index and one message's body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from magnetar.schemas.bytewise import BadBytes, read_long
from magnetar.schemas.codec import MOST_PAIRS, Origin, RecordCodec, check_length, codec_for, failed
from magnetar.schemas.derivation import contract_name, topic_schema
from magnetar.schemas.errors import EncodeFailed, UnknownType
from magnetar.schemas.malformed import Ahead, Malformed
from magnetar.schemas.shapes import Record, Shape, Union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.schemas.contracts import Message
    from magnetar.schemas.lifting import Reads
    from magnetar.schemas.schema import Schema
    from magnetar.schemas.shapes import Node


@dataclass(frozen=True, slots=True)
class Branch:
    """One type that a writer may put into the topic: how to read it, or why it cannot be."""

    name: str
    pair: Reads[Any] | Malformed | None  # None: no reader here


@dataclass(frozen=True, slots=True)
class Framing:
    """What precedes a body in one writer's bytes: a union index, or nothing where it has a single type."""

    branches: tuple[Branch, ...]
    indexed: bool


class TopicCodec:
    """Encodes and decodes the messages of one topic. Thread-safe."""

    def __init__(self, topic: str, namespace: str, types: Sequence[type[Message]]) -> None:
        """Derive the topic's schema and the codecs of its types; ContractInvalid for wrong ones."""
        self.schema = topic_schema(topic, namespace, types)
        self._name = self.schema.name
        self._codecs = {cls: (_index(at), codec_for(cls)) for at, cls in enumerate(types)}
        self._readers: dict[str, RecordCodec[Any]] = {contract_name(cls): codec_for(cls) for cls in types}
        self._framings: dict[str, Framing | Malformed] = {}

    def encode(self, value: Message) -> bytes:
        """Return the bytes of a message (union index, body), or raise EncodeFailed."""
        found = self._codecs.get(type(value))
        if found is None:
            raise EncodeFailed(self._name, "$.body", f"{type(value).__qualname__} is not one of the topic's types")
        prefix, codec = found
        return codec.encode(value, prefix)

    def decode(self, data: bytes, writer: Schema, origin: Origin) -> Message:
        """Return the message in bytes that a topic schema wrote, or raise DecodeFailed or UnknownType.

        The writer's schema may also be the bare record of one message, or a bare union, as foreign producers
        have them; what counts is the message's own full name.
        """
        try:
            return self._decode(data, self._framing(writer), origin)
        except Malformed as error:
            raise failed(origin, error) from error

    def _decode(self, data: bytes, framing: Framing, origin: Origin) -> Message:
        check_length(data)
        at = 0
        index = 0
        if framing.indexed:
            index, at = _read_index(data)
            if not 0 <= index < len(framing.branches):
                raise Malformed("$.body", f"union branch {index} does not exist; there are {len(framing.branches)}")
        branch = framing.branches[index]
        if branch.pair is None:
            raise UnknownType(origin.topic, origin.message_id, origin.schema_version, branch.name)
        if isinstance(branch.pair, Malformed):
            raise Malformed(branch.pair.path, branch.pair.reason)
        message: Message = branch.pair.read(data, at)
        return message

    def _framing(self, writer: Schema) -> Framing:
        found = self._framings.get(writer.fingerprint)
        if found is None:
            if len(self._framings) >= MOST_PAIRS:
                self._framings.clear()
            found = self._framings[writer.fingerprint] = self._frame(writer)
        if isinstance(found, Malformed):
            raise Malformed(found.path, found.reason)
        return found

    def _frame(self, writer: Schema) -> Framing | Malformed:
        shape = writer.shape
        body = _body(shape, self._readers.keys())
        if isinstance(body, Union):
            return Framing(tuple(self._branch(node, writer) for node in body.branches), indexed=True)
        if isinstance(body, Record):
            return Framing((self._branch(body, writer),), indexed=False)
        return Malformed("$.body", f"was written as {body}, but a topic holds records")

    def _branch(self, node: Node, writer: Schema) -> Branch:
        actual = writer.shape.actual(node)
        codec = self._readers.get(actual.name) if isinstance(actual, Record) else None
        if codec is None or not isinstance(actual, Record):
            return Branch(str(node) if not isinstance(actual, Record) else actual.name, None)
        try:
            return Branch(actual.name, codec.pair(f"{writer.fingerprint}/{actual.name}", actual, writer.shape))
        except Ahead:
            return Branch(actual.name, None)
        except Malformed as error:
            return Branch(actual.name, error)


def topic_codec(topic: str, namespace: str, types: Sequence[type[Message]]) -> TopicCodec:
    """Return the codec of a topic that carries some message types, in the order of its union."""
    return TopicCodec(topic, namespace, types)


def _body(shape: Shape, known: Any) -> Node:  # noqa: ANN401 - a set of names
    root = shape.root
    if isinstance(root, Record) and root.name not in known:
        fields = root.fields
        if len(fields) == 1 and fields[0].name == "body":
            return shape.actual(fields[0].type)
    return root


def _index(at: int) -> bytes:
    return bytes([2 * at]) if at < 64 else bytes([2 * at & 127 | 128, at >> 6])  # noqa: PLR2004 - a varint


def _read_index(data: bytes) -> tuple[int, int]:
    try:
        return read_long(data, 0)
    except IndexError as error:
        raise Malformed("$.body", "the bytes end inside the union index") from error
    except BadBytes as error:
        raise Malformed("$.body", str(error)) from error
