"""Nothing is lost: what is not taken is in the spool, until it is taken. Beam steps run in process (`FnApiRunner`)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import apache_beam as beam
import pytest
from apache_beam.metrics import MetricsFilter
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.sinks.delivery.alerts import alert, ids
from tests.pipeline.sinks.delivery.receiver import HOOK, TOKEN, Receiver, receiver, silence, status
from uncommon_im.pipeline.sinks.delivery import delivery as delivery_module
from uncommon_im.pipeline.sinks.delivery.deliver_alerts import DeliverAlerts
from uncommon_im.pipeline.sinks.delivery.delivery import Delivered, Delivery
from uncommon_im.pipeline.sinks.delivery.http import HttpTarget
from uncommon_im.pipeline.sinks.delivery.options import Delivering
from uncommon_im.pipeline.sinks.delivery.sending import Secret, Unsent
from uncommon_im.pipeline.sinks.delivery.spool import read_unsent, spooled_files, write_unsent
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.transforms.rules.alerts.formats import Document


@dataclass
class Moody:
    """A target in memory that takes what `takes` says."""

    takes: Callable[[str], str]
    got: list[str] = field(default_factory=list)
    failing: bool = False

    def open(self, retried: Callable[[], None]) -> Moody:
        return self

    def send(self, documents: Iterable[Document]) -> Iterator[Unsent]:
        for document in documents:
            outcome = self.takes(document.alert_id)
            if outcome == "taken":
                self.got.append(document.alert_id)
            else:
                self.failing = outcome == "away"
                yield Unsent(document, f"it was {outcome}", outcome == "refused")

    def close(self) -> None:
        pass


def documents(*numbers: int) -> list[Document]:
    return [Document(f"{number:032x}", "native", '{"text": "a\\nb"}') for number in numbers]


def in_spool(folder: Path) -> list[str]:
    """The ids in a spool."""
    return [each.alert_id for path in spooled_files(str(folder)) for each in read_unsent(path)]


@given(
    moods=st.lists(st.sampled_from(["taken", "refused", "not answered"]), max_size=60),
    random=st.randoms(use_true_random=False),
)
def test_every_alert_is_taken_or_in_the_spool_however_often_it_is_sent_again(
    moods: list[str], random: Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    spool = tmp_path_factory.mktemp("spool")
    target = Moody(lambda alert_id: moods[int(alert_id, 16)])
    everything = set(ids(*range(len(moods))))
    with Delivery(target, str(spool)) as delivery:
        found = delivery.send(documents(*range(len(moods))))
        counted = Counter(moods)
        assert found == Delivered(counted["taken"], len(moods) - counted["taken"], counted["refused"])
        while in_spool(spool):
            assert set(target.got) | set(in_spool(spool)) == everything
            moods[:] = [mood if random.random() < 0.5 else "taken" for mood in moods]
            delivery.send_spooled()
    assert Counter(target.got) == Counter(everything)


def test_a_file_of_the_spool_goes_only_once_what_is_left_of_it_is_in_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_unsent(str(tmp_path), [Unsent(each, "before", False) for each in documents(1, 2, 3)])

    def dies(paths: Iterable[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery_module, "delete", dies)
    target = Moody(lambda alert_id: "refused" if alert_id in ids(2) else "taken")
    with Delivery(target, str(tmp_path)) as delivery, pytest.raises(KeyboardInterrupt):
        delivery.send_spooled()
    assert Counter(in_spool(tmp_path)) == Counter([*ids(1), *ids(2), *ids(2), *ids(3)])


def test_once_the_other_side_fails_files_behind_are_not_tried_and_counted(tmp_path: Path) -> None:
    for number in range(4):
        write_unsent(str(tmp_path), [Unsent(each, "before", False) for each in documents(number)])
    before = {path: Path(path).read_bytes() for path in spooled_files(str(tmp_path))}
    tried: list[str] = []

    def away(alert_id: str) -> str:
        tried.append(alert_id)
        return "away"

    with Delivery(Moody(away), str(tmp_path)) as delivery:
        assert delivery.send_spooled() == Delivered(0, 4, 0)
    assert len(tried) == 1
    assert {path: Path(path).read_bytes() for path in spooled_files(str(tmp_path))} == before


def test_other_files_in_the_spool_are_left_alone_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / f"unsent-{'a' * 32}.jsonl").write_text('{"alert_id": "1"}\n')
    with (
        Delivery(Moody(lambda alert_id: "taken"), str(tmp_path)) as delivery,
        pytest.raises(ConfigurationError, match=r"unsent-a+\.jsonl, line 1: no alert of a spool"),
    ):
        delivery.send_spooled()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_spool_that_cannot_be_written_fails_so_that_the_engine_tries_the_bundle_again(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file")
    with (
        Delivery(Moody(lambda alert_id: "refused"), str(tmp_path / "spool")) as delivery,
        pytest.raises(OSError, match="spool"),
    ):
        delivery.send(documents(1))


def target_of(server: Receiver) -> HttpTarget:
    url, token = Secret("--alerts-url", plain=server.url + HOOK), Secret("--alerts-token-file", plain=TOKEN)
    return HttpTarget("webhook", url, "native", token, rate=1000, attempts=3, backoff=0.001)


def test_a_stream_sends_each_alert_counts_and_goes_on_when_some_are_refused(tmp_path: Path) -> None:
    with receiver() as server:
        server.refuses, server.faults = ids(2), [status(500), silence]
        pipeline = beam.Pipeline(FnApiRunner())
        delivering = Delivering(target_of(server), str(tmp_path), server.url)
        alerts = pipeline | beam.Create([alert(n) for n in range(5)], reshuffle=False)
        _ = (
            alerts
            | DeliverAlerts(delivering, "native")
            | beam.combiners.ToList()
            | beam.Map(lambda found: (tmp_path / "ids").write_text(json.dumps(sorted(found))))
        )
        result = pipeline.run()
        result.wait_until_finish()
        assert server.indexed == ids(0, 1, 3, 4)
    assert in_spool(tmp_path) == [*ids(2)]
    assert set(json.loads((tmp_path / "ids").read_text())) == ids(*range(5))
    counters = result.metrics().query(MetricsFilter())["counters"]
    named = {each.key.metric.name: each.result for each in counters}
    assert {name: named[name] for name in named if name.startswith("delivery.")} == {
        "delivery.sent": 4,
        "delivery.retried": 2,
        "delivery.spooled": 1,
    }


SENDS = """
import sys
from uncommon_im.pipeline.sinks.delivery.delivery import Delivery
from uncommon_im.pipeline.sinks.delivery.http import HttpTarget
from uncommon_im.pipeline.sinks.delivery.sending import Secret
from uncommon_im.transforms.rules.alerts.formats import Document
url, spool, number = sys.argv[1:]
target = HttpTarget("webhook", Secret("--alerts-url", plain=url), "native", rate=1000)
ids = [f"{n:032x}" for n in range(int(number))]
with Delivery(target, spool) as delivery:
    if ids:
        delivery.send(Document(each, "native", '{"alert_id": "%s"}' % each) for each in ids)
    else:
        delivery.send_spooled()
"""
"""Sends some alerts, or the spool: a process that starts fast, so that it can be killed often."""


def test_who_is_killed_again_and_again_loses_nothing_and_ids_tell_what_came_twice(tmp_path: Path) -> None:
    """Ten times SIGKILL in the middle of sending, then a whole run; then the same with its spool."""
    number, random, kills = 200, Random(5), 0
    with receiver() as server:
        server.refuses = ids(*range(0, number, 2))

        def sending(*arguments: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen([sys.executable, "-c", SENDS, server.url + HOOK, str(tmp_path), *arguments])

        def killed(*arguments: str) -> bool:
            before, moment = server.requests, random.randrange(1, 60)
            with sending(*arguments) as process:
                while server.requests - before < moment and process.poll() is None:
                    time.sleep(0.001)
                os.kill(process.pid, signal.SIGKILL)
                return process.wait() == -signal.SIGKILL

        kills += sum(killed(str(number)) for _ in range(5))
        with sending(str(number)) as process:
            assert process.wait() == 0
        assert server.indexed == ids(*range(1, number, 2))
        assert set(in_spool(tmp_path)) == server.refuses
        server.refuses = set()
        for _ in range(5):
            kills += killed("0")
            assert server.indexed | set(in_spool(tmp_path)) == ids(*range(number))
        with sending("0") as process:
            assert process.wait() == 0
    assert (server.indexed, in_spool(tmp_path)) == (ids(*range(number)), [])
    assert kills >= 5
    print(f"{kills} kills: {number} alerts, {len(server.got)} taken, {len(server.indexed)} by id, 0 lost")
