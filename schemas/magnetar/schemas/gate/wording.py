"""Every rule of the gate: what to do in place of the change that it refuses. A rule's id never changes its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ANEW: Final = "keep the field as it is and add another one with a default"
BEFORE: Final = "give it back what it had, and put the new thing into a new field with a default"
APPEND: Final = "put it back where it was; append what is new at the end"
FROZEN: Final = "restore the file (`git checkout`); what is released never changes, a change is a new version"

RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # between two versions
        "type-changed": ANEW,
        "number-widened": ANEW,
        "number-narrowed": ANEW,
        "number-inexact": ANEW,
        "text-bytes": ANEW,
        "decimal-scale": f"{ANEW}: digits are for life",
        "decimal-precision": f"{ANEW}: digits are for life",
        "time-unit": f"{ANEW}: a unit of time is for life",
        "logical-type": ANEW,
        "fixed-size": ANEW,
        "name-changed": "keep the class's name; a new name is a new type: add it beside the old one",
        "namespace-changed": 'set `__namespace__ = "…"` on the class to what it was',
        "field-added": "give it a default",
        "field-removed": "keep it until no version without a default for it is in use; or give it a default first",
        "field-renamed": "keep the old field, add the new one with a default, and fill both while both are read",
        "default-changed": "keep the default: data older than the field has got it; set the new value in code",
        "enum-symbol-removed": "keep the symbol, and stop writing it",
        "enum-symbol-added": "give the enum a default, release that, and add the symbol in a later release",
        "enum-default": "keep the first member first: it is what a reader takes for a symbol it does not know",
        "enum-order": APPEND,
        "made-optional": "keep the type, or add another, optional field with default None",
        "made-required": "keep `| None`, and refuse None in the handler",
        "union-branch-added": "add a field with a default for it",
        "union-branch-removed": "keep accepting it, or retire its contract in gate.toml once nothing holds any",
        "union-order": APPEND,
        "contract-removed": "keep it, or retire it in gate.toml once nothing holds any",
        "actor-removed": "keep it, or retire it in gate.toml ([actors.…]) once nothing is under its name",
        "handler-removed": "keep it, or put it into retired_handlers of its actor in gate.toml once none is armed",
        "state-field-removed": "keep it, or put it into retired_fields of its contract in gate.toml: nothing reads it",
        "still-produced": "keep its taker for one release more, in which nothing makes it; then remove it",
        "accept-then-send": "release the taker first, with nothing that sends it; send it in the next release",
        "state-generation": "raise `contracts` of the App by one: older workers then leave shards of newer ones alone",
        "upcast": 'set `mode = "BACKWARD_TRANSITIVE"` with the reason in gate.toml, once old readers need not read it',
        "upcast-removed": "keep the upcast, and the type that it takes, while anything of before may be left",
        # in one version
        "schema-invalid": "mend the schema",
        "default-invalid": "give it a default of its own type (of a union: of its first type)",
        "doc-missing": 'say what it is: `Annotated[…, Doc("…")]`',
        "enum-no-default": "give the enum a default; `magnetar schema generate` makes it the first member",
        "money-double": "use Money, or Annotated[Decimal, Digits(…)]: a double cannot hold 0.10",
        "alias": "remove it: readers here match by name alone, and others would take one field for another",
        # what is kept
        "released-file": FROZEN,
        "drift": "run `magnetar schema generate` and commit what it writes",
        "golden": "make the type read again what it once wrote; a stricter check belongs into the handler",
        "not-handled": "take what older versions have left as it is: a default stands where they had no field yet",
        "avro": "see what has changed there; it is not compatible by Avro's own rules",
        "codec": "see what has changed there; Magnetar's codec refuses the pair",
    }
)

NEW_READERS: Final = "new readers (of what is stored, parked, dead or still in a topic)"
OLD_READERS: Final = "old readers (workers of the release before, while both run or after going back)"
