"""Mathematics and formats: the ground floor of Kaibiao.

Here live the age file, threshold keys and their proofs, signed statements, canonical JSON and the
Merkle log. Nothing here asks a clock, opens a database or a socket, or imports a room above; the
one source of randomness is `crypto.random`. Wrong input raises the family of
`crypto.errors.CryptoError` and nothing else.
"""
