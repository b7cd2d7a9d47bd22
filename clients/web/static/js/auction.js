// The auction hall 竞价大厅, read only: the best offer, the time left, who stands where. The server decides everything.
import { html } from "../vendor/ui.js";
import { beijing } from "./clock.js";
import { Big, Chip, Countdown, Feed, Steps, grouped, mount, t } from "./hall.js";

const WIDE = 960;
const HIGH = 260;
const EDGE = 56;

/** The ladder of accepted offers as steps, drawn to scale. @param {{offers: any[], unit: string}} props */
function Ladder({ offers, unit }) {
  const accepted = offers.filter((o) => o.code === null || o.code === "ok");
  if (accepted.length < 2) return null;
  const times = accepted.map((o) => o.t);
  const amounts = accepted.map((o) => Number(o.amount));
  const [t0, t1] = [Math.min(...times), Math.max(...times)];
  const [a0, a1] = [Math.min(...amounts), Math.max(...amounts)];
  const x = (/** @type {number} */ v) => EDGE + ((v - t0) / Math.max(1, t1 - t0)) * (WIDE - EDGE - 24);
  const y = (/** @type {number} */ v) => HIGH - 36 - ((v - a0) / Math.max(1e-9, a1 - a0)) * (HIGH - 64);
  let path = "";
  accepted.forEach((o, i) => {
    path += i === 0 ? `M${x(o.t)} ${y(amounts[i])}` : `H${x(o.t)}V${y(amounts[i])}`;
  });
  const marks = [0, 1, 2, 3, 4].map((i) => a0 + ((a1 - a0) * i) / 4);
  const ends = [accepted[0], accepted[accepted.length - 1]];
  return html`<svg class="ladder" viewBox=${`0 0 ${WIDE} ${HIGH}`} role="img" aria-label=${t("auction.ladder")}>
    ${marks.map((m) => html`<g key=${m}><line class="grid" x1=${EDGE} x2=${WIDE - 24} y1=${y(m)} y2=${y(m)} /><text x="8" y=${y(m) + 4}>${m.toFixed(2)}</text></g>`)}
    <text x=${WIDE - 24} y="18" text-anchor="end">${unit}</text>
    ${ends.map((o, i) => html`<text key=${i} x=${x(o.t)} y=${HIGH - 12} text-anchor=${i ? "end" : "start"}>${beijing(o.t)}</text>`)}
    <path class="line" d=${path} />
    ${accepted.map((o, i) => html`<circle key=${i} class="dot" cx=${x(o.t)} cy=${y(amounts[i])} r="4" />`)}
  </svg>`;
}

mount((s, feed) => {
  const leader = s.leader ? html`<${Chip} tone="ok" icon="▲">${t("auction.leads", { who: s.leader })}<//>` : t("auction.nobody");
  const rule = t("auction.rule_" + s.rule, { n: s.extend_s });
  return html`<${Steps} phases=${s.phases} />
    ${s.phase === "SUSPENDED" ? html`<p class="banner" role="status">${t("auction.suspended")}</p>` : null}
    <div class="stage"><div>
      <div class="bigs">
        <${Big} label=${t(s.slots ? "auction.best_surcharge" : "auction.best")} value=${s.best === null ? "—" : grouped(s.best)} small=${s.unit} under=${leader} />
        <${Big} label=${t("auction.left", { k: s.extensions })} value=${html`<${Countdown} ends=${s.outcome ? null : s.ends_at} />`} under=${rule} />
        <${Big} label=${t("auction.next")} value=${s.next === null ? "—" : grouped(s.next)} small=${s.unit}
          under=${t("auction.step", { step: grouped(s.increment), unit: s.unit }) + (s.slots ? "　" + t("auction.slots", { k: s.slots }) : "")} />
      </div>
      <${Ladder} offers=${s.offers} unit=${s.unit} />
      <div class="scroll"><table class="stack"><caption>${t(s.outcome ? "auction.result" : "auction.standing")}</caption>
        <thead><tr><th>${t("col.rank")}</th><th>${t("col.parcel")}</th><th>${t("col.holder")}</th><th class="right">${t("col.amount", { unit: s.unit })}</th><th class="right">${t("col.payable")}</th><th>${t("col.state")}</th></tr></thead>
        <tbody>${s.standing.map((/** @type {any} */ r) => html`<tr key=${r.parcel || r.paddle} class=${r.inside ? "lead" : "out"}>
          <td class="num" data-label=${t("col.rank")}>${r.rank}</td>
          <td data-label=${t("col.parcel")}>${r.parcel || r.paddle}</td>
          <td data-label=${t("col.holder")}>${r.holder || "—"}</td>
          <td class="right num" data-label=${t("col.amount", { unit: s.unit })}>${grouped(r.amount)}</td>
          <td class="right num" data-label=${t("col.payable")}>${grouped(r.payable)}</td>
          <td data-label=${t("col.state")}><${Chip} tone=${r.inside ? "ok" : ""} icon=${r.inside ? "✓" : "·"}>${t(r.inside ? (s.outcome ? "auction.won" : "auction.inside") : "auction.outside")}<//></td>
        </tr>`)}</tbody></table>
        ${s.standing.length === 0 ? html`<p class="empty">${t("auction.no_offers")}</p>` : null}</div>
    </div><${Feed} feed=${feed} title=${t("hall.feed")} /></div>`;
});
