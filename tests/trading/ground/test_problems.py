"""Every refusal has one form (RFC 9457) and says whose move it is."""

from trading.ground.problems import STATUS, Conflict, Gone, Kind, Problem, StorageFailed


def test_a_problem_has_the_members_of_rfc_9457_and_the_server_time():
    refusal = Gone(
        "bid-deadline-passed", "投标截止时间已过", "It arrived late.", rule="§3", arrival=7
    )
    assert refusal.document("2026-11-24T01:00:00.000Z") == {
        "type": "urn:kaibiao:problem:bid-deadline-passed",
        "title": "投标截止时间已过",
        "status": 410,
        "detail": "It arrived late.",
        "rule": "§3",
        "arrival": 7,
        "server_time": "2026-11-24T01:00:00.000Z",
    }


def test_facts_never_override_the_standard_members():
    assert Conflict("x", "y", status=200).document("t")["status"] == 409


def test_every_kind_has_a_status_and_none_is_500():
    assert set(STATUS) == set(Kind)
    assert 500 not in STATUS.values()


def test_a_floor_derives_its_own_family():
    class TradingError(Problem):
        pass

    class Taken(TradingError, Conflict):
        pass

    assert Taken("taken", "已存在").status == 409
    assert StorageFailed().status == 503
