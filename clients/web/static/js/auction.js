// The auction hall 竞价大厅, read only: the best offer, the time left, who stands where. The server decides everything.
import { html, signal } from "../vendor/ui.js";
import { beijing } from "./clock.js";
import { Big, Chip, Countdown, Feed, Panel, Papers, Steps, grouped, mount, papersOf, t } from "./hall.js";
import { Ladder } from "./ladder.js";

const papers = signal(/** @type {any} */ (null));
const parcels = signal(/** @type {any[]} */ ([]));

/** Parcels and rules stand still after the notice: one look is enough. @param {string} lot @param {{value: any}} state */
async function prepare(lot, state) {
  papersOf(lot, state, (s) => s.outcome !== null, (found) => (papers.value = found));
  try {
    parcels.value = (await (await fetch("/api/v1/lots/" + encodeURIComponent(lot))).json()).parcels;
  } catch {
    // without them a row only lacks its explanation
  }
}

/** A decimal string without trailing zeros: 10000.00 → 10,000. @param {string} text */
function plain(text) {
  return grouped(text.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, ""));
}

/** How what a winner pays comes about. @param {any} r @param {any} parcel */
function sum(r, parcel) {
  if (!parcel || !parcel.start_floor_price || !parcel.added_gfa) return null;
  return html`<small>${t("auction.sum", { price: plain(parcel.start_floor_price), amount: plain(r.amount), area: plain(parcel.added_gfa) })}</small>`;
}

function Standing(/** @type {{s: any}} */ { s }) {
  const known = new Map(parcels.value.map((p) => [p.id, p]));
  const silent = s.slots ? parcels.value.filter((p) => !s.standing.some((/** @type {any} */ r) => r.parcel === p.id)) : [];
  const amount = s.slots ? t("col.amount", { unit: s.unit }) : t("col.offer") + (s.unit ? `（${s.unit}）` : "");
  return html`<div class="standing"><table class="stack"><caption>${t(s.outcome ? "auction.result" : "auction.standing")}<small>${s.slots ? t("auction.rank_why", { k: s.slots }) : ""}</small></caption>
    <thead><tr><th>${t("col.rank")}</th><th>${t(s.slots ? "col.parcel" : "col.paddle")}</th><th class="right">${amount}</th>${s.slots ? html`<th class="right">${t("col.payable")}</th>` : null}<th>${t("col.state")}</th></tr></thead>
    <tbody>${s.standing.map((/** @type {any} */ r) => html`<tr key=${r.parcel || r.paddle} class=${r.inside ? "lead" : "out"}>
        <td class="num tight" data-label=${t("col.rank")}>${r.rank}</td>
        <td data-label=${t(s.slots ? "col.parcel" : "col.paddle")}><b>${r.parcel || r.paddle}</b> ${r.holder}<small>${r.parcel ? t("auction.paddle", { n: r.paddle }) : ""}</small></td>
        <td class="right num tight" data-label=${amount}><b>${grouped(r.amount)}</b></td>
        ${s.slots ? html`<td class="right num tight" data-label=${t("col.payable")}><b>${grouped(r.payable)}</b>${sum(r, known.get(r.parcel))}</td>` : null}
        <td class="tight" data-label=${t("col.state")}><${Chip} tone=${r.inside ? "ok" : ""} icon=${r.inside ? "✓" : "–"}>${t(r.inside ? (s.outcome ? "auction.won" : s.slots ? "auction.inside" : "auction.leading") : s.outcome ? "auction.lost" : "auction.outside")}<//></td>
      </tr>`)}
      ${silent.map((p) => html`<tr key=${p.id} class="out"><td class="tight">—</td>
        <td data-label=${t("col.parcel")}><b>${p.id}</b> ${p.holder}</td><td class="right tight" data-label=${amount}>—</td>
        <td class="right num tight" data-label=${t("col.payable")}><small>${t("auction.starts_from", { total: plain(p.start_total || "") })}</small></td>
        <td class="tight" data-label=${t("col.state")}><${Chip} tone="" icon="…">${t("auction.silent")}<//></td></tr>`)}
    </tbody></table>
    ${s.standing.length + silent.length === 0 ? html`<p class="empty">${t("auction.no_offers")}</p>` : null}</div>`;
}

function Offers(/** @type {{offers: any[]}} */ { offers }) {
  return html`<${Panel} title=${t("auction.offers")} kind="offers">
    ${offers.length === 0 ? html`<p class="empty">${t("auction.no_offers")}</p>` : null}
    <ol tabindex="0">${[...offers].reverse().map((o, i) => html`<li key=${offers.length - i} class=${o.code === null ? "" : "out"}>
      <time>${beijing(o.t)}</time><span>${o.parcel ? html`<b>${o.parcel}</b> ${t("auction.paddle", { n: o.paddle })}` : html`<b>${o.paddle}</b>`}</span><b class="num">${o.amount === "" ? "—" : grouped(o.amount)}</b>
      ${o.code === null ? html`<${Chip} tone="ok" icon="✓">${t("offer.ok")}<//>` : html`<${Chip} tone="bad" icon="✕">${refused(o)}<//>`}</li>`)}</ol><//>`;
}

/** Why an offer was refused, in the words of its ladder: what is too low on a rising one is too high on a falling one. @param {any} o */
function refused(o) {
  return t("offer." + o.code + (o.down && TURNS.has(o.code) ? "_down" : ""));
}

const TURNS = new Set(["ABOVE_CAP", "BELOW_MIN_NEXT", "NOT_MULTIPLE"]);

function bigs(/** @type {any} */ s) {
  const who = s.standing[0];
  const leader = !s.leader ? t("auction.nobody") : html`<${Chip} tone="ok" icon="▲">${t(s.outcome ? "auction.first" : "auction.leads", { who: who && who.parcel ? who.parcel + " " + who.holder : t("auction.paddle", { n: s.leader }) })}<//>`;
  const down = s.direction === "down";
  const ends = s.second_item ? (down ? "auction.limit_down" : "auction.limit") : down ? "auction.cap_down" : "auction.cap";
  const step = html`<span>${t(down ? "auction.step_down" : "auction.step", { step: grouped(s.increment), unit: s.unit })}</span>${s.cap ? html`<span>${t(ends, { cap: grouped(s.cap), unit: s.unit })}</span>` : null}`;
  const label = s.second_item ? t(s.outcome ? "auction.second_won" : "auction.second", { name: s.second_item }) : t(s.outcome ? (s.slots ? "auction.final" : "auction.deal_price") : s.slots ? "auction.best_surcharge" : "auction.best");
  const stands = s.price ? html`<span>${t(s.price_direction === "down" ? "auction.price_stands_down" : "auction.price_stands", { price: s.price })}</span>` : null;
  const best = html`<${Big} label=${label} value=${s.best === null ? "—" : grouped(s.best)} small=${s.unit} under=${html`${leader}${step}${stands}${right(s)}`} />`;
  if (s.outcome) {
    const won = s.outcome.winners.length;
    return html`${best}<${Big} label=${t(s.slots ? "auction.winners" : "auction.result")} value=${s.slots ? html`${won}<i>/</i>${s.standing.length}` : t("outcome." + s.outcome.status)}
        under=${html`<${Chip} tone=${won ? "ok" : "warn"} icon=${won ? "✓" : "—"}>${t("outcome." + s.outcome.status)}<//>${s.outcome.reason ? html`<span>${t("reason." + s.outcome.reason)}</span>` : null}<span>${t("auction.closed_at", { time: beijing(Date.parse(s.outcome.closed_at)) })}</span><span>${t("auction.extended", { k: s.extensions })}</span>`} />
      ${s.total ? html`<${Big} label=${t("auction.total")} value=${grouped(s.total)} long=${true} under=${t("auction.total_why")} />` : null}`;
  }
  const rule = CLIMBS.has(s.phase) ? html`<span>${t("auction.rule_" + s.rule, { n: s.extend_s })}</span><span>${t("auction.extended", { k: s.extensions })}</span>` : null;
  return html`${best}<${Big} label=${t(s.phase === "MATCHING" ? "auction.left_match" : "auction.left")} value=${html`<${Countdown} ends=${s.ends_at} />`} under=${rule} />${JOINS.has(s.phase) ? joined(s) : s.phase === "MATCHING" ? matching(s) : next(s)}`;
}

/** What the rules say of 优先购买权; who held it, once the result stands. @param {any} s */
function right(s) {
  if (!s.preemption) return null;
  const held = (s.preemption.held || []).map((/** @type {string} */ n) => t("auction.paddle", { n })).join(" ");
  return html`<span>${s.outcome ? (held ? t("auction.preemption_held", { who: held }) : t("auction.preemption_none")) : t("auction.preemption", { n: s.preemption.window_s })}</span>`;
}

/** The price that holders of the right may match; which paddles they have, nobody is told yet. @param {any} s */
function matching(s) {
  const named = s.preemption && s.preemption.holders.length ? html`<span>${t("auction.preemption_of", { who: s.preemption.holders.join("、") })}</span>` : null;
  return html`<${Big} label=${t("auction.match")} value=${s.price || grouped(s.best)} small=${s.price ? "" : s.unit} under=${html`<span>${t("auction.match_why")}</span>${named}`} />`;
}

/** The least that would be taken; for a falling ladder the most. @param {any} s */
function next(s) {
  const down = s.direction === "down";
  const why = s.next === null ? t("auction.no_next") : s.raise_base ? t("auction.base_" + s.raise_base) : t(down ? "auction.next_why_down" : "auction.next_why");
  return html`<${Big} label=${t(down ? "auction.next_down" : "auction.next")} value=${s.next === null ? "—" : grouped(s.next)} small=${s.next === null ? "" : s.unit} under=${why} />`;
}

/** Who goes on after the cap; a quote shows only that it was made. @param {any} s */
function joined(s) {
  const who = s.joined.map((/** @type {string} */ paddle) => html`<span key=${paddle}>${t("auction.paddle", { n: paddle })}</span>`);
  return html`<${Big} label=${t("auction.joined")} value=${String(s.joined.length)} under=${html`${who}${s.phase === "QUOTING" ? html`<span>${t("auction.quoted", { k: s.quoted.length })}</span>` : null}`} />`;
}

const CLIMBS = new Set(["TIMED", "SECOND_ITEM"]);
const JOINS = new Set(["ASKING", "QUOTING", "REVEALING"]);

/** @type {Record<string, string>} */
const TONES = { SUSPENDED: "warn", SOLD: "good", TERMINATED: "bad" };

mount((s, feed) => {
  const shown = papers.value && papers.value.records.length ? papers.value : null;
  const mark = s.phase === "SUSPENDED" ? "‖ " : s.phase === "SOLD" ? "✓ " : s.outcome ? "! " : "";
  return html`<${Steps} phases=${s.phases} />
    <p class=${"note " + (TONES[s.phase] || "")} role="status"><b>${mark}${t(s.outcome ? "hall.ended" : "hall.now")}</b>${t("phase." + s.phase)}</p>
    <div class="stage"><div class="work">
      <div class="bigs">${bigs(s)}</div>
      <div class="pair"><${Standing} s=${s} /><${Ladder} offers=${s.second_item ? s.offers.filter((/** @type {any} */ o) => o.second) : s.offers} unit=${s.unit} direction=${s.direction} /></div>
      ${shown ? html`<${Papers} papers=${shown} title=${t("hall.papers")} why=${t("hall.papers_why")} />` : null}
    </div><div class="side"><${Offers} offers=${s.offers} /><${Feed} feed=${feed.filter((e) => e.kind !== "bid")} title=${t("hall.feed")} /></div></div>`;
}, prepare);
