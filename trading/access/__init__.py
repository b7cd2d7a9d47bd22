"""Who may use which route: the table, and the gate that enforces it.

`table` Rule, Access, PUBLIC · `gate` Gate (ASGI), `guard` (builds it), `actor` and `maybe_actor` (dependencies).
"""

from trading.access.gate import TICKET, Gate, Login, Logins, actor, guard, known, maybe_actor
from trading.access.table import EVERY_ROLE, MOUNT, POWER, PUBLIC, WS, Access, Rule, routes_of

__all__ = [
    "EVERY_ROLE",
    "MOUNT",
    "POWER",
    "PUBLIC",
    "TICKET",
    "WS",
    "Access",
    "Gate",
    "Login",
    "Logins",
    "Rule",
    "actor",
    "guard",
    "known",
    "maybe_actor",
    "routes_of",
]
