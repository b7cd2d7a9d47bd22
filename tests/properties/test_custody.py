"""Ceremony and opening as a machine: drops, replays, restarts and lies in any order."""

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crypto import threshold
from crypto.cocktail import Participant, Share, SuccessCertificate, recover, share_bundle
from crypto.errors import CeremonyError, ProofError
from crypto.p256 import G, Secret
from crypto.threshold import Answer
from tests.crypto.ceremony import hosts, participants

EPHEMERALS = [Secret(2000), Secret(2001)]
POINTS = [secret.public() for secret in EPHEMERALS]


class Custody(RuleBasedStateMachine):
    """An untrusted centre carries messages between custodians that may restart at any time."""

    @initialize(size=st.sampled_from([(2, 2), (3, 2), (2, 2), (3, 2), (4, 3)]))
    def begin(self, size):
        self.n, self.t = size
        self.hosts = hosts(self.n, seed=3)
        self.people = participants(self.hosts, self.t)
        self.context = self.people[0].context
        self.saved = [json.dumps(each.to_json()) for each in self.people]
        self.first: dict[int, bytes] = {}
        self.signed: dict[int, bytes] = {}
        self.done: dict[int, Share] = {}
        self.recovered: dict[int, Share] = {}
        self.certificate: SuccessCertificate | None = None
        self.answers: dict[int, Answer] = {}
        self.lies: set[int] = set()

    who = st.integers(0, 3)

    @rule(i=who)
    def send_first_message_once_or_again(self, i):
        i %= self.n
        message = self.people[i].round1()
        assert self.first.setdefault(i, message) == message

    @rule()
    def everybody_sends_and_what_arrives_is_delivered(self):
        for i in range(self.n):
            self.send_first_message_once_or_again(i)
        for i in range(self.n):
            self.deliver_what_there_is(i)

    @rule(i=who)
    def restart(self, i):
        i %= self.n
        self.people[i] = Participant.from_json(self.hosts[i], json.loads(self.saved[i]))
        self.done.pop(i, None)

    @rule(i=who)
    def deliver_what_there_is(self, i):
        i %= self.n
        messages = [self.first[j] for j in sorted(self.first)]
        if len(messages) < self.n:
            try:
                self.people[i].round2(messages)
            except CeremonyError:
                return
            raise AssertionError("a ceremony went on without everybody")
        signature = self.people[i].round2(messages)
        assert self.signed.setdefault(i, signature) == signature
        self.saved[i] = json.dumps(self.people[i].to_json())

    @precondition(lambda self: len(self.first) == self.n)
    @rule(i=who, j=who)
    def deliver_a_replayed_message_in_anothers_place(self, i, j):
        i, j = i % self.n, j % self.n
        messages = [self.first[k] for k in range(self.n)]
        messages[j] = self.first[(j + 1) % self.n]
        try:
            self.people[i].round2(messages)
        except CeremonyError:
            return
        raise AssertionError("a replayed message was taken")

    @precondition(lambda self: len(self.first) == self.n)
    @rule(i=who)
    def finish(self, i):
        i %= self.n
        ready = len(self.signed) == self.n and self.people[i]._transcript is not None
        try:
            result = self.people[i].finish([self.signed[j] for j in sorted(self.signed)])
        except CeremonyError:
            assert not ready
            return
        assert ready
        certificate, self.done[i] = result
        assert self.certificate in {None, certificate}
        self.certificate = certificate

    @precondition(lambda self: self.certificate is not None)
    @rule(i=who, honest=st.booleans())
    def answer(self, i, honest):
        self.answer_of(i % self.n, honest=honest)

    @precondition(lambda self: self.certificate is not None)
    @rule(liar=who)
    def all_but_one_answer_honestly(self, liar):
        for i in range(self.n):
            self.answer_of(i, honest=i != liar)

    def answer_of(self, i, *, honest):
        if i not in self.recovered:
            messages = [self.first[j] for j in range(self.n)]
            bundle = share_bundle(messages, i + 1, self.t)
            self.recovered[i] = recover(self.hosts[i], self.certificate, bundle)
        share = self.recovered[i]
        partials, proof = threshold.partial(share.secret, POINTS)
        if i + 1 in self.answers and i + 1 not in self.lies:
            assert self.answers[i + 1] == Answer(tuple(partials), proof)
        self.lies.discard(i + 1)
        if not honest:
            partials[-1] += G
            self.lies.add(i + 1)
        self.answers[i + 1] = Answer(tuple(partials), proof)
        self.group = share.group

    @precondition(lambda self: self.answers)
    @rule(order=st.randoms(use_true_random=False), drop=st.sets(st.integers(1, 4)))
    def open(self, order, drop):
        numbers = [index for index in self.answers if index not in drop]
        order.shuffle(numbers)
        answers = {index: self.answers[index] for index in numbers}
        honest = [index for index in numbers if index not in self.lies]
        try:
            unlocked = threshold.unlock(self.group, POINTS, answers)
        except ProofError:
            assert len(honest) < self.t
            return
        assert len(honest) >= self.t
        assert set(unlocked.wrong) <= self.lies
        assert not set(unlocked.used) & self.lies
        truth = [secret.mul(self.group.public) for secret in EPHEMERALS]
        assert list(unlocked.points) == truth

    @invariant()
    def all_who_finished_hold_shares_of_one_key(self):
        groups = {share.group.public for share in getattr(self, "done", {}).values()}
        assert len(groups) <= 1


Custody.TestCase.settings = settings(max_examples=300, stateful_step_count=10, deadline=None)
TestCustody = Custody.TestCase
