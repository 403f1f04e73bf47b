"""Merkle tree, checkpoints, receipts and signatures; pure, so that checking needs nothing else."""
