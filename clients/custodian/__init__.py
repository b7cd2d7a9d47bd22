"""An escrow custodian 密钥托管人: its own home, its own process, outbound calls only.

``home`` keeps one host secret under a passphrase and derives every key from it; ``state`` remembers what was
said, durably, before it is said; ``card`` introduces the keys to others; ``ceremony`` takes part in a key
generation; ``cosigner`` witnesses the log; ``release`` answers a release request or refuses by a named check;
``serve`` is the loop around them and ``cli`` the verbs. What decides lies in ``bidding.release``, pure.
"""
