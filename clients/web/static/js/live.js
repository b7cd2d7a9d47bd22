// One live channel: a snapshot, then gapless deltas. A gap, a slow line or a restart leads to a new snapshot, never to a guess.
import { signal } from "../vendor/ui.js";

export const FEED = 200;
const PROBE_MS = 20000;
const SILENT_MS = 12000;

/**
 * @typedef {{up: boolean, lost: number | null, back: {seconds: number, updates: number} | null}} Connection
 * `lost`: when the line broke, ms of this page's own clock; `back`: what was made up for after the last break.
 */

/**
 * @param {string} path e.g. "/api/v1/openings/sec_…/live"
 * @returns {{state: {value: any}, feed: {value: any[]}, connection: {value: Connection}}}
 */
export function follow(path) {
  const state = signal(/** @type {any} */ (null));
  const feed = signal(/** @type {any[]} */ ([]));
  const connection = signal(/** @type {Connection} */ ({ up: false, lost: null, back: null }));
  let at = /** @type {{log: string, seq: number} | null} */ (null);
  let seen = 0; // seq when the line broke
  let wait = 500;
  let heard = 0;
  let asked = 0;
  let socket = /** @type {WebSocket | null} */ (null);

  /** @param {any} message @returns {boolean} false where something is missing in between */
  function take(message) {
    if (message.type === "snapshot") {
      at = { log: message.log_id, seq: message.seq };
      state.value = message.state;
      feed.value = (message.state.feed || []).slice(-FEED);
      return true;
    }
    if (message.type !== "delta") return true;
    if (!at || message.seq !== at.seq + 1) return false;
    at.seq = message.seq;
    const { rows_changed: touched, ...set } = message.set || {};
    if (touched) set.rows = state.value.rows.map((/** @type {any} */ row) => touched.find((/** @type {any} */ one) => one.submission === row.submission) || row);
    const lists = Object.entries(message.add || {}).map(([name, fresh]) => [name, [...(state.value[name] || []), ...fresh].slice(-FEED)]);
    state.value = { ...state.value, ...set, ...Object.fromEntries(lists) };
    // Talk has a list of its own, so that it never pushes out of the feed what happened.
    if (message.event && message.event.kind === "said") state.value = { ...state.value, messages: [...(state.value.messages || []), message.event].slice(-FEED) };
    else if (set.feed) feed.value = set.feed.slice(-FEED);
    else if (message.event) feed.value = [...feed.value, message.event].slice(-FEED);
    return true;
  }

  function up() {
    const { lost } = connection.value;
    if (connection.value.up) return;
    const back = lost === null ? null : { seconds: Math.ceil((performance.now() - lost) / 1000), updates: Math.max(0, (at?.seq ?? 0) - seen) };
    connection.value = { up: true, lost: null, back };
    if (back) setTimeout(() => (connection.value = { ...connection.value, back: null }), 6000);
  }

  function down() {
    if (connection.value.up || connection.value.lost === null) {
      seen = at?.seq ?? 0;
      connection.value = { up: false, lost: performance.now(), back: null };
    }
  }

  function open() {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const resume = at ? "?since=" + encodeURIComponent(at.log + ":" + at.seq) : "";
    const line = (socket = new WebSocket(scheme + location.host + path + resume, "kaibiao.v1"));
    // A line that resumes with nothing missed gets no frame: being open is all there is to know.
    line.onopen = () => {
      heard = asked = performance.now();
      if (at) setTimeout(up, 200);
    };
    line.onmessage = (frame) => {
      heard = performance.now();
      wait = 500;
      if (take(JSON.parse(frame.data))) return up();
      at = null;
      line.close();
    };
    line.onclose = () => {
      down();
      setTimeout(open, wait * (0.5 + Math.random()));
      wait = Math.min(wait * 2, 8000);
    };
  }

  // A line that died without a word is found by asking: the server answers a probe at once.
  setInterval(() => {
    if (!socket || socket.readyState !== WebSocket.OPEN) return;
    const moment = performance.now();
    if (asked > heard && moment - asked > SILENT_MS) return socket.close();
    if (moment - Math.max(asked, heard) > PROBE_MS) {
      asked = moment;
      socket.send(JSON.stringify({ type: "probe", t0: Math.round(moment) }));
    }
  }, 2000);

  open();
  return { state, feed, connection };
}
