from clients.auditor.inputs import report
from clients.auditor.keys import Keys
from clients.auditor.show import text
from documents.trust import Trust


def test_look(played):
    keys = Keys(Trust.from_pem(played.trust.read_bytes()))
    for path in (played.public, played.full):
        print(text(report(path, keys, played.at)))
    from crypto.canonical import canonical
    from clients.auditor import receipts

    for one in played.receipts:
        print(receipts.check(canonical(one), keys, played.at))
    assert 0
