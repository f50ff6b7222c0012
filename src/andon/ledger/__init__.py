"""The ledger: entries, the Merkle tree over them, signed checkpoints, proofs, holds. Pure."""
