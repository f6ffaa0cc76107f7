"""An app in three releases: the second takes one message more, the third stores one field more."""
