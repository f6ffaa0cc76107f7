"""What a user may not write: each marked line must be an error to both checkers, and no other line.

The text of the mark must be in both messages: the name of a type is what both say.
"""

from __future__ import annotations

import magnetar.runtime

public: int = magnetar.runtime.__all__  # E: int
