"""How a question to a provider ends without success. What may be concluded from each is its class.

```
ProviderError ─┬─ Refused        the provider will never do it under this key: the only failure that is final
               ├─ NotSent        the question never left: as if it had not been asked
               ├─ Unsure         it may have been done, or be done later: ask again with the same key, or look it up
               ├─ NotAdmitted    the provider does not know us: a person must mend the token
               └─ Contradicted   the provider says what cannot be: a person must look
```
"""

from __future__ import annotations

from enum import StrEnum


class Doubt(StrEnum):
    """Why nobody here can say whether something was done."""

    SILENCE = "no whole answer within the time-out"
    BROKEN = "the connection broke after the question was sent"
    FAILED = "the provider failed"
    IN_HAND = "the provider has another question with this key in hand"
    BUSY = "the provider is busy"
    ASTRAY = "the answer is to another question"
    UNREADABLE = "the answer is not one of this provider's"
    OVERSIZED = "the answer is too long"


class ProviderError(Exception):
    """A question to the provider that did not succeed. The text holds no secret."""

    def __init__(self, key: str, text: str) -> None:
        """Of which key, and what happened in words."""
        super().__init__(f"key {key}: {text}")
        self.key = key


class Refused(ProviderError):
    """Final: under this key nothing was done, and nothing will be. `reason` is the provider's code: `no_cover`."""

    def __init__(self, key: str, reason: str, said: str) -> None:
        """`said`: the provider's words."""
        super().__init__(key, f"the provider refuses for good, {reason}: {said}")
        self.reason, self.said = reason, said


class NotSent(ProviderError):
    """The provider cannot be reached: no connection was made, so this question has done nothing. Ask again."""

    def __init__(self, key: str, what: str) -> None:
        """`what` went wrong on the way."""
        super().__init__(key, f"nothing was sent, {what}; ask again when the provider can be reached")


class Unsure(ProviderError):
    """Unknown: it may have been done, or be done when the question arrives late. Ask again with the same key.

    `wait`: seconds that the provider asks us to wait; None: it says nothing.
    """

    def __init__(self, key: str, doubt: Doubt, what: str, wait: float | None = None) -> None:
        """`what` was seen."""
        super().__init__(key, f"{doubt}, {what}; it may have been done: ask again with the same key, or look it up")
        self.doubt, self.wait = doubt, wait


class NotAdmitted(ProviderError):
    """The provider does not admit us: this question did nothing. Of an earlier one with the key that says nothing."""

    def __init__(self, key: str, status: int) -> None:
        """`status`: 401 or 403."""
        super().__init__(key, f"the provider answers {status}: mend the token, MAGNETAR_PROVIDER_TOKEN, and ask again")


class Contradicted(ProviderError):
    """The provider says what cannot be: the key stands for something else, or another amount was taken."""

    def __init__(self, key: str, what: str) -> None:
        """`what` does not fit."""
        super().__init__(key, f"{what}; compare the provider's books with ours before anything is repeated")
