"""What a user may write: both checkers must be content with every line."""

from __future__ import annotations

import magnetar.runtime

public: list[str] = list(magnetar.runtime.__all__)
