"""Whether the records agree: the ledger against the histories, the register and the answers from outside."""
