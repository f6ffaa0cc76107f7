"""An app as an AsyncAPI 3 document: what is on which topic, and which actor takes and sends it."""

from magnetar.runtime.cli.asyncapi.blocks import rendered
from magnetar.runtime.cli.asyncapi.document import document_of

__all__ = ["document_of", "rendered"]
