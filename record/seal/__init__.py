"""The seal: rows of the ledger in a Merkle tree whose roots are signed, read, watched and checked again."""
