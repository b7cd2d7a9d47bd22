// The server's clock, shown and never decided upon: probes keep the smallest round trip, the page shows its error.
import { signal } from "../vendor/ui.js";

/** @type {{value: {offset: number, error: number | null, unfit: boolean}}} */
export const sync = signal({ offset: 0, error: null, unfit: false });
export const now = signal(Date.now());

const format = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
});

/** 北京时间 of an instant. @param {number} ms @returns {string} "09:00:00" */
export function beijing(ms) {
  return format.format(new Date(ms));
}

/** Time left, never negative. @param {number} ms @returns {string} "04:18" or "1:04:18" */
export function left(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600);
  return (h ? h + ":" : "") + two(Math.floor(s / 60) % 60) + ":" + two(s % 60);
}

async function probe() {
  const sent = performance.now();
  const answer = await fetch("/api/v1/time", { cache: "no-store" });
  const body = await answer.json();
  const trip = performance.now() - sent;
  return { trip, unfit: body.clock === "unfit", offset: body.server_now + trip / 2 - (performance.timeOrigin + performance.now()) };
}

export async function synchronise(rounds = 5) {
  let best = null;
  for (let i = 0; i < rounds; i += 1) {
    try {
      const one = await probe();
      if (!best || one.trip < best.trip) best = one;
    } catch {
      // offline: the banner of the live channel says so; the clock keeps its last offset
    }
  }
  if (best) sync.value = { offset: best.offset, error: Math.ceil(best.trip / 2), unfit: best.unfit };
}

export function tick() {
  now.value = performance.timeOrigin + performance.now() + sync.value.offset;
  for (const place of document.querySelectorAll("[data-clock]")) place.textContent = beijing(now.value);
  for (const place of document.querySelectorAll("[data-clock-error]")) {
    const said = sync.value.error === null ? "" : "±" + sync.value.error + " ms";
    place.textContent = sync.value.unfit ? said + " ✕ " + /** @type {HTMLElement} */ (place).dataset.unfit : said;
  }
  for (const place of document.querySelectorAll("[data-until]")) {
    const until = Number(/** @type {HTMLElement} */ (place).dataset.until);
    place.textContent = left(until - now.value);
  }
}

synchronise().then(tick);
setInterval(tick, 250);
setInterval(() => synchronise(3), 60000);
