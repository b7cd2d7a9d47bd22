"""What an Idempotency-Key must not do: keep a secret, or let a stranger fill the disk."""

from sqlmodel import select

from crypto.encoding import b64
from crypto.statement import sign
from tests.acceptance.hostile.whole import CENTRE, Whole
from trading.ground.tables import AnswerRow
from trading.model import Role


def kept(whole: Whole) -> list[bytes]:
    """Bodies of the answers that the database keeps."""
    with whole.ground.database.reader() as session:
        return [bytes(row.body) for row in session.exec(select(AnswerRow)).all()]


def test_a_key_keeps_no_token_and_nothing_for_a_stranger(whole: Whole) -> None:
    who = whole.one(Role.OPERATOR)

    def post(path: str, body: object, token: str) -> dict[str, str]:
        headers = {"authorization": f"Bearer {token}", "idempotency-key": "key-00000001"}
        answer = whole.runner.run(whole.client.post(f"/api/v1{path}", json=body, headers=headers))
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    asked = {"key": b64(who.key.public)}
    for _ in range(3):  # nobody's token is no caller
        said = post("/session/challenge", asked, "nobody")
    assert kept(whole) == []
    login = {"challenge": said["challenge"], "origin": said["origin"]}
    again = post("/session", sign(who.key, "login", CENTRE, login), who.token)["token"]
    ticket = post("/session/ticket", {}, who.token)["ticket"]
    assert not any(secret.encode() in body for body in kept(whole) for secret in (again, ticket))
    assert len(post("/session/challenge", asked, who.token)) == 3
    assert len(kept(whole)) == 1  # of somebody known, whose answer is no secret
