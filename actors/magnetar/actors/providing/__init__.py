"""The payment provider: what the shop asks of it, the adapter that asks over HTTP, and a double for tests.

The emulator, a provider as a process of its own, is in `magnetar.actors.providing.emulator`.
"""

from magnetar.actors.providing.errors import Contradicted, Doubt, NotAdmitted, NotSent, ProviderError, Refused, Unsure
from magnetar.actors.providing.port import Charge, Deed, Provider, Receipt, Refund

__all__ = [
    "Charge",
    "Contradicted",
    "Deed",
    "Doubt",
    "NotAdmitted",
    "NotSent",
    "Provider",
    "ProviderError",
    "Receipt",
    "Refund",
    "Refused",
    "Unsure",
]
