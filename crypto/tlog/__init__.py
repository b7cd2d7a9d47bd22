"""The transparency log: Merkle trees, signed notes, checkpoints, cosignatures, proofs, tiles.

All of it is published specification, so that any witness or auditor's own tools can check us.
"""
