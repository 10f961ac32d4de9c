"""What tests share."""

OWN = "the client's own"
