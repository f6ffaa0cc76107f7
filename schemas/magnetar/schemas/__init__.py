"""Contracts: typed messages and states, their Avro, the codec and the compatibility gate."""

from magnetar.schemas.codec import Codec, Kept, Origin, codec_for
from magnetar.schemas.contracts import (
    Command,
    Digits,
    Doc,
    Effect,
    Event,
    Float32,
    Int32,
    Key,
    KeyMark,
    Message,
    Millis,
    Money,
    Outcome,
    Record,
    State,
    Timer,
    Unknown,
    replace,
)
from magnetar.schemas.derivation import check_state, contract_name, key_field, schema_of, topic_schema
from magnetar.schemas.errors import (
    ContractInvalid,
    DecodeFailed,
    EncodeFailed,
    SchemaError,
    SchemaInvalid,
    SchemaUnavailable,
    SchemaUnsupported,
    UnknownType,
)
from magnetar.schemas.generation import Contracts, drift, generate
from magnetar.schemas.importing import python_source
from magnetar.schemas.schema import Schema
from magnetar.schemas.topics import TopicCodec, topic_codec
from magnetar.schemas.upcasting import Upcast, upcast
from magnetar.schemas.writers import WriterSchemas

__all__ = [
    "Codec",
    "Command",
    "ContractInvalid",
    "Contracts",
    "DecodeFailed",
    "Digits",
    "Doc",
    "Effect",
    "EncodeFailed",
    "Event",
    "Float32",
    "Int32",
    "Kept",
    "Key",
    "KeyMark",
    "Message",
    "Millis",
    "Money",
    "Origin",
    "Outcome",
    "Record",
    "Schema",
    "SchemaError",
    "SchemaInvalid",
    "SchemaUnavailable",
    "SchemaUnsupported",
    "State",
    "Timer",
    "TopicCodec",
    "Unknown",
    "UnknownType",
    "Upcast",
    "WriterSchemas",
    "check_state",
    "codec_for",
    "contract_name",
    "drift",
    "generate",
    "key_field",
    "python_source",
    "replace",
    "schema_of",
    "topic_codec",
    "topic_schema",
    "upcast",
]
