// One live channel: a snapshot, then gapless deltas. A gap, a slow line or a restart leads to a new snapshot, never to a guess.
import { signal } from "../vendor/ui.js";

/**
 * @param {string} path e.g. "/api/v1/openings/sec_…/live"
 * @returns {{state: any, feed: any, connection: any}} signals: the state, the newest 200 events, and the connection
 */
export function follow(path) {
  const state = signal(/** @type {any} */ (null));
  const feed = signal(/** @type {any[]} */ ([]));
  const connection = signal({ up: false, since: Date.now(), missed: 0 });
  let at = /** @type {{log: string, seq: number} | null} */ (null);
  let wait = 500;

  function take(/** @type {any} */ message) {
    if (message.type === "snapshot") {
      at = { log: message.log_id, seq: message.seq };
      state.value = message.state;
      feed.value = (message.state.feed || []).slice(-200);
      return true;
    }
    if (message.type !== "delta") return true;
    if (!at || message.seq !== at.seq + 1) return false;
    at.seq = message.seq;
    state.value = { ...state.value, ...(message.set || {}) };
    if (message.event) feed.value = [...feed.value, message.event].slice(-200);
    return true;
  }

  function open() {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const resume = at ? "?since=" + encodeURIComponent(at.log + ":" + at.seq) : "";
    const socket = new WebSocket(scheme + location.host + path + resume, "kaibiao.v1");
    socket.onmessage = (frame) => {
      connection.value = { up: true, since: Date.now(), missed: 0 };
      wait = 500;
      if (!take(JSON.parse(frame.data))) {
        at = null;
        socket.close();
      }
    };
    socket.onclose = () => {
      connection.value = { ...connection.value, up: false, missed: connection.value.missed + 1 };
      setTimeout(open, wait * (0.5 + Math.random()));
      wait = Math.min(wait * 2, 8000);
    };
  }

  open();
  return { state, feed, connection };
}
