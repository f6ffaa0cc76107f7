"""What can be wrong with a contract, a schema or the bytes of a message.

SchemaError
├── ContractInvalid        a Python type cannot be a contract            mend the type
├── SchemaInvalid          a text is not a usable Avro schema            mend the text
│   └── SchemaUnsupported  right Avro, but no Python type can stand for it
├── EncodeFailed           a value does not fit its own contract         a bug in the code that made it
├── DecodeFailed           bytes contradict their schema, or it ours     permanent: the same bytes fail again
│   └── UnknownType        right bytes of a message type without reader  deploy a reader, then try again
├── SchemaUnavailable      the writer's schema cannot be had now         wait, then try again
└── GateInvalid            the gate's own settings cannot be used        mend `gate.toml`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SchemaError(Exception):
    """Something about contracts, schemas or encoded messages is wrong; the subclass says what."""


class ContractInvalid(SchemaError):
    """A Python type cannot be a contract. All its problems are listed at once, each with what to do."""

    def __init__(self, subject: str, problems: Iterable[str]) -> None:
        """Name the type (or topic) and every problem found in it."""
        self.subject = subject
        self.problems = tuple(problems)
        super().__init__(f"{subject} cannot be a contract:" + "".join(f"\n  - {problem}" for problem in self.problems))


class SchemaInvalid(SchemaError):
    """A text is not an Avro schema that can be trusted: broken JSON, an undefined name, a bad default."""

    def __init__(self, path: str, reason: str) -> None:
        """Name the place inside the schema (``$`` is the whole) and what is wrong there."""
        self.path = path
        self.reason = reason
        super().__init__(f"Avro schema at {path}: {reason}")


class SchemaUnsupported(SchemaInvalid):
    """The schema is right Avro, but there is no contract type for one of its constructs."""


class EncodeFailed(SchemaError):
    """A value does not fit its own contract. Nothing was rounded, cut or guessed; no bytes were made."""

    def __init__(self, type: str, path: str, reason: str) -> None:  # noqa: A002 - the word the reader knows
        """Name the contract, the field's path (``$`` is the whole value) and what is wrong there."""
        self.type = type
        self.path = path
        self.reason = reason
        super().__init__(f"cannot encode {type} at {path}: {reason}")


class DecodeFailed(SchemaError):
    """Bytes contradict the schema they were written with, or that schema contradicts ours.

    The same bytes will fail again in the same way, so the message is one for the dead letters.
    """

    def __init__(self, topic: str, message_id: str, version: str, path: str, reason: str) -> None:
        """Name the message (topic, id, schema version), the field's path and what is wrong there."""
        self.topic = topic
        self.message_id = message_id
        self.version = version
        self.path = path
        self.reason = reason
        super().__init__(
            f"cannot decode message {message_id} of {topic} (schema version {version}) at {path}: {reason}",
        )


class UnknownType(DecodeFailed):
    """The bytes may be right, but their message type has no reader here: an older worker meets a newer sender (R30)."""

    def __init__(
        self,
        topic: str,
        message_id: str,
        version: str,
        type: str,  # noqa: A002 - as in EncodeFailed
        path: str = "$.body",
    ) -> None:
        """Name the message and the full Avro name of the type that has no reader."""
        self.type = type
        super().__init__(
            topic,
            message_id,
            version,
            path,
            f"{type} has no reader here; deploy a version that knows it, then retry",
        )


class GateInvalid(SchemaError):
    """`gate.toml` cannot be used; the message names the file, the place and what belongs there."""


class SchemaUnavailable(SchemaError):
    """The schema a message was written with cannot be had now; without it the bytes mean nothing (R30: wait)."""

    def __init__(self, topic: str, version: int | None, reason: str) -> None:
        """Name the topic and the schema version (None: the message carried none) and why it is missing."""
        self.topic = topic
        self.version = version
        self.reason = reason
        super().__init__(f"schema version {version} of {topic} cannot be had: {reason}")
