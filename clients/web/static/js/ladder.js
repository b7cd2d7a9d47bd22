// The ladder of offers, drawn to scale: the best offer as steps, each accepted offer a dot, each refused one a cross.
// A refused amount beyond the scale stands at its edge with an arrow: it is never drawn as if it were another amount.
import { html } from "../vendor/ui.js";
import { beijing } from "./clock.js";
import { grouped, t } from "./hall.js";

const WIDE = 720;
const HIGH = 390;
const RIGHT = 46;
const TOP = 34;
const BOTTOM = 40;

/** @typedef {{t: number, amount: string, code: string | null, paddle: string, parcel: string}} Offer */

/** The offers that led when they came, in order. @param {Offer[]} accepted @param {boolean} up @returns {Offer[]} */
function leaders(accepted, up) {
  /** @type {Offer[]} */
  const found = [];
  for (const offer of accepted) {
    const best = found.length ? Number(found[found.length - 1].amount) : null;
    if (best === null || (up ? Number(offer.amount) > best : Number(offer.amount) < best)) found.push(offer);
  }
  return found;
}

/** Round values for the axis. @param {number} low @param {number} high @returns {number[]} */
function marks(low, high) {
  const rough = (high - low || Math.abs(high) || 1) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * unit).find((n) => n >= rough) || rough;
  const first = Math.floor(low / step) * step;
  return Array.from({ length: Math.max(2, Math.ceil((high - first) / step) + 1) }, (_, i) => first + i * step);
}

/** How the axis is written: no more decimals than its steps need, so that 亿 of 元 stay readable. @param {number[]} scale @returns {string[]} */
function written(scale) {
  const fine = scale.some((m) => Math.abs(m - Math.round(m)) > 1e-9);
  return scale.map((m) => grouped(m.toFixed(fine ? 2 : 0)));
}

/** @param {{offers: any[], unit: string, direction: string}} props */
export function Ladder({ offers, unit, direction }) {
  const told = /** @type {Offer[]} */ (offers.filter((o) => /^\d+(\.\d+)?$/.test(String(o.amount))));
  const accepted = told.filter((o) => o.code === null);
  if (accepted.length < 2) return null;
  const up = direction !== "down";
  const best = leaders(accepted, up);
  const [t0, t1] = [told[0].t, told[told.length - 1].t];
  const amounts = accepted.map((o) => Number(o.amount));
  const scale = marks(Math.min(...amounts), Math.max(...amounts));
  const labels = written(scale);
  const LEFT = 18 + Math.max(...labels.map((l) => l.length)) * 15; // room for the longest label, also at a telephone's size
  const [a0, a1] = [scale[0], scale[scale.length - 1]];
  const x = (/** @type {number} */ v) => LEFT + ((v - t0) / Math.max(1, t1 - t0)) * (WIDE - LEFT - RIGHT);
  const y = (/** @type {number} */ v) => HIGH - BOTTOM - ((v - a0) / (a1 - a0)) * (HIGH - TOP - BOTTOM);
  const beyond = (/** @type {number} */ v) => (v > a1 ? "↑" : v < a0 ? "↓" : "");
  const edge = (/** @type {number} */ v) => (v > a1 ? TOP - 16 : y(Math.max(a0, v)));
  let path = "";
  best.forEach((o, i) => (path += i === 0 ? `M${x(o.t)} ${y(Number(o.amount))}` : `H${x(o.t)}V${y(Number(o.amount))}`));
  path += `H${x(t1)}`;
  const last = t1 - t0 >= 3000 ? 3 : t1 - t0 >= 1000 ? 1 : 0; // no second is written twice
  const times = Array.from({ length: last + 1 }, (_, i) => t0 + ((t1 - t0) * i) / (last || 1));
  return html`<figure class="chart"><figcaption><b>${t("auction.ladder")}</b><span><i class="dot">●</i> ${t("auction.taken")}　<i class="cross">×</i> ${t("auction.turned")}　${unit}</span></figcaption>
    <svg class="ladder" viewBox=${`0 0 ${WIDE} ${HIGH}`} role="img" aria-label=${t("auction.ladder")}>
    ${scale.map((m, i) => html`<g key=${m}><line class="grid" x1=${LEFT} x2=${WIDE - RIGHT} y1=${y(m)} y2=${y(m)} /><text x=${LEFT - 10} y=${y(m) + 5} text-anchor="end">${labels[i]}</text></g>`)}
    ${times.map((v, i) => html`<text key=${i} x=${x(v)} y=${HIGH - 12} text-anchor=${i === 0 ? "start" : i === last ? "end" : "middle"}>${beijing(v)}</text>`)}
    <path class="line" d=${path} />
    ${told.map((o, i) =>
      o.code === null
        ? html`<circle key=${i} class="dot" cx=${x(o.t)} cy=${y(Number(o.amount))} r="5"><title>${o.parcel || o.paddle} ${o.amount}</title></circle>`
        : html`<text key=${i} class="cross" x=${x(o.t)} y=${edge(Number(o.amount)) + 6} text-anchor="middle"><title>${o.parcel || o.paddle} ${o.amount}</title>×${beyond(Number(o.amount))}</text>`,
    )}
    ${best.map((o, i) => html`<text key=${"b" + i} class="who" x=${x(o.t)} y=${y(Number(o.amount)) - 12} text-anchor=${x(o.t) > WIDE - 120 ? "end" : "start"}>${o.parcel || o.paddle}</text>`)}
  </svg></figure>`;
}
