"""After a break ten thousand pages come back at moments of their own: the live channel of every hall."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.places import REPOSITORY

STATIC = REPOSITORY / "clients" / "web" / "static"
STORY = """
const timers = [], lines = [];
globalThis.setTimeout = (f, ms) => timers.push([f, ms]);
globalThis.setInterval = () => 0;
globalThis.location = { protocol: "http:", host: "centre" };
globalThis.WebSocket = class {
  static OPEN = 1;
  readyState = 1;
  constructor(address) { this.address = address; lines.push(this); }
  send() {}
  close() { this.onclose(); }
};
const { follow } = await import("./js/live.js");
const waits = [];
for (let page = 0; page < 300; page += 1) {
  const mine = [];
  follow("/live");
  for (let time = 0; time < 7; time += 1) {
    timers.length = 0;
    lines.at(-1).onclose();
    const [again, ms] = timers.at(-1);
    mine.push(ms);
    again();
  }
  waits.push(mine);
}
const here = lines.length;
follow("/live");
const line = lines[here];
line.onmessage({ data: JSON.stringify({ type: "snapshot", log_id: "log_a", seq: 7, state: {} }) });
timers.length = 0;
line.onclose();
timers.at(-1)[0]();
console.log(JSON.stringify({ waits, resumes: lines.at(-1).address }));
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What 300 pages do when their lines break seven times."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    folder = tmp_path_factory.mktemp("live")
    shutil.copytree(STATIC / "js", folder / "js")
    shutil.copytree(STATIC / "vendor", folder / "vendor")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "story.js").write_text(STORY)
    done = subprocess.run(
        [node, "story.js"], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(done.stdout)


def test_pages_come_back_at_moments_of_their_own_and_wait_longer_each_time(told: Any) -> None:
    for time, base in enumerate((500, 1000, 2000, 4000, 8000, 8000, 8000)):
        waits = [page[time] for page in told["waits"]]
        assert all(base * 0.5 <= wait <= base * 1.5 for wait in waits)
        assert min(waits) < base * 0.7
        assert max(waits) > base * 1.3


def test_a_page_resumes_where_it_was(told: Any) -> None:
    assert told["resumes"] == "ws://centre/live?since=log_a%3A7"
