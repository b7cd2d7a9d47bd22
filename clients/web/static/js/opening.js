// The opening hall 开标大厅, read only: where are we, who has answered, what was read out.
import { html, signal } from "../vendor/ui.js";
import { beijing } from "./clock.js";
import { Big, Chip, Countdown, Feed, Panel, Papers, Steps, grouped, hash, lang, mount, papersOf, t } from "./hall.js";

/** @type {Record<string, [string, string]>} */
const STATUS = {
  sealed: ["", "▣"], opened: ["ok", "✓"], remedied: ["ok", "✓"], deemed_revoked: ["bad", "✕"], deemed_withdrawn: ["warn", "!"],
  withdrawn: ["", "↩"], superseded: ["", "↻"], excluded: ["warn", "!"], refused: ["bad", "✕"], undetermined: ["warn", "?"],
};
/** @type {Record<string, [string, string]>} */
const CUSTODIAN = { waiting: ["", "…"], answered: ["ok", "✓"], wrong: ["bad", "✕"], silent: ["bad", "—"], unasked: ["", "·"], refused: ["bad", "!"] };
/** @type {Record<string, [string, string]>} */
const AWAKE = { awake: ["ok", "●"], stale: ["warn", "○"], red: ["bad", "✕"] };
/** @type {Record<string, [string, string]>} */
const CONFIRMATION = { no_objection: ["ok", "✓"], objection: ["warn", "!"], not_confirmed: ["", "—"], deemed_accepted: ["", "≈"] };
/** Who speaks, as the mark beside a name. @type {Record<string, string>} */
const PARTS = { host: "brand", supervisor: "warn", bidder: "" };
/** @type {Record<string, string>} */
const ENDS = { sealed: "good", failed_fewer_than_3: "", failed_quorum: "bad", terminated: "bad" };

const papers = signal(/** @type {any} */ (null));
/** Before the hour: custodian's index → awake, stale or red, as its cosignatures on the ledger tell. */
const duty = signal(/** @type {Record<string, string>} */ ({}));
const DUTY_MS = 120_000; // thousands may be watching, and a custodian is called by telephone

/** Ask while somebody's answer is still awaited; an answer tells more. @param {string} about @param {{value: any}} state */
async function watch(about, state) {
  try {
    const board = await (await fetch("/api/v1/custody/board")).json();
    const mine = board.sections.find((/** @type {any} */ s) => s.section === about);
    duty.value = Object.fromEntries((mine ? mine.custodians : []).map((/** @type {any} */ c) => [c.index, c.state]));
  } catch {
    duty.value = {}; // unreachable: say nothing rather than something old
  }
  const awaited = (/** @type {any} */ c) => c.status === "waiting";
  if (!state.value || state.value.custody.custodians.some(awaited)) setTimeout(() => watch(about, state), DUTY_MS);
}

function row(/** @type {any} */ r) {
  const [tone, icon] = STATUS[r.status] || ["", "·"];
  const answer = CONFIRMATION[r.confirmation];
  const reason = r["reason_" + lang];
  const opened = r.status === "opened" || r.status === "remedied";
  return html`<tr key=${r.no} class=${opened || r.status === "sealed" ? "" : "out"}>
    <td class="num tight" data-label=${t("col.no")}>${r.no}</td>
    <td data-label=${t("col.bidder")}><b>${r.bidder}</b><small>${t("opening.arrived", { time: beijing(r.submitted_at) })}${r.sha256 && r.signed_in_at ? "　" + t("opening.signed_in") : ""}${r.sha256 ? html`　${t("col.sha256")} ${hash(r.sha256, 2)}` : null}</small>
      ${reason ? html`<span class="reason">${reason}${r.decided === false ? " · " + t("opening.undecided") : ""}</span>` : null}
      ${r.objection ? html`<${Said} word=${t("confirm.objection")} text=${r.objection.text} files=${r.objection.files} />` : null}
      ${r.objection && r.objection.reply ? html`<${Said} word=${t("opening.reply")} text=${r.objection.reply} files=${r.objection.reply_files} />` : null}</td>
    <td class="tight" data-label=${t("col.state")}><${Chip} tone=${tone} icon=${icon}>${t("bid." + r.status)}<//></td>
    <td data-label=${t("col.price")} class="right num tight"><b>${grouped(r.price)}</b>${r.of_limit ? html`<small>${t("opening.of_limit", { part: r.of_limit })}</small>` : null}</td>
    <td data-label=${t("col.duration")} class="right num tight">${r.duration_days ?? "—"}</td>
    <td class="tight" data-label=${t("col.quality")}>${r.quality || "—"}</td>
    <td class="tight" data-label=${t("col.manager")}>${r.project_manager || "—"}</td>
    <td class="tight" data-label=${t("col.deposit")}>${r.deposit ? t("deposit." + r.deposit) : "—"}</td>
    <td class="tight" data-label=${t("col.confirmation")}>${answer ? html`<${Chip} tone=${answer[0]} icon=${answer[1]}>${t("confirm." + r.confirmation)}<//>` : "—"}</td>
  </tr>`;
}

/** An objection or its answer, each file by its name and the hash that the record prints. @param {{word: string, text: string, files: any[]}} props */
function Said({ word, text, files }) {
  return html`<span class="said"><b>${word}</b> ${text}${files.map((f) => html` <span class="file" key=${f.sha256}>${f.name} <span class="mono" title=${f.sha256}>${f.sha256.slice(0, 8)}…</span></span>`)}</span>`;
}

/** What people say to everybody; a mute stops messages, never an objection. @param {{state: any}} props */
function Talk({ state }) {
  const all = state.muted.includes("");
  const said = [...(state.messages || [])].reverse();
  if (!said.length && !state.talks) return null;
  return html`<${Panel} title=${t("opening.talk")} kind="talk">
    ${state.muted.length ? html`<p class="quiet warned">${all ? t("opening.muted_all") : t("opening.muted_some", { n: state.muted.length })}</p>` : null}
    ${said.length ? null : html`<p class="empty">${t("opening.talk_quiet")}</p>`}
    <ol tabindex="0">${said.map((m) => html`<li key=${m.no}><p><b class=${PARTS[m.part] || ""}>${m.who}</b><i>${t("part." + m.part)}</i><time>${beijing(m.t)}</time></p><span>${m.zh}</span></li>`)}</ol><//>`;
}

function Rows(/** @type {{rows: any[]}} */ { rows }) {
  return html`<table class="stack reading"><caption>${t("opening.table")}<small>${t("opening.table_why")}</small></caption>
    <thead><tr><th>${t("col.no")}</th><th>${t("col.bidder")}</th><th>${t("col.state")}</th><th class="right">${t("col.price")}</th>
      <th class="right">${t("col.duration")}</th><th>${t("col.quality")}</th><th>${t("col.manager")}</th><th>${t("col.deposit")}</th><th>${t("col.confirmation")}</th></tr></thead>
    <tbody>${rows.map(row)}</tbody></table>`;
}

/** Before there are rows: what will happen, step by step. */
function Ahead(/** @type {{phases: any[]}} */ { phases }) {
  return html`<${Panel} title=${t("opening.ahead")}><ol class="ahead">${phases.map(
    (p) => html`<li key=${p.id} class=${p.state}><b>${p[lang]}</b><span>${t("step." + p.id)}</span></li>`,
  )}</ol><//>`;
}

function Custody(/** @type {{custody: any}} */ { custody }) {
  return html`<${Panel} title=${t("opening.custodians")}><p class="quiet">${t("opening.custodians_why", custody)}</p>
    <ul class="board">${custody.custodians.map((/** @type {any} */ c) => {
      const seen = c.status === "waiting" || c.status === "unasked" ? duty.value[c.index] : "";
      const [tone, icon] = AWAKE[seen] || CUSTODIAN[c.status] || ["", "·"];
      return html`<li key=${c.index}><span>${c.organisation}</span>${c.at ? html`<time>${beijing(c.at)}</time>` : null}
        <${Chip} tone=${tone} icon=${icon}>${t("custodian." + (AWAKE[seen] ? seen : c.status))}<//></li>`;
    })}</ul><//>`;
}

/** How many bids came out otherwise than opened, as chips. */
function others(/** @type {any[]} */ rows) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const r of rows) if (r.status !== "opened" && r.status !== "sealed") counts[r.status] = (counts[r.status] || 0) + 1;
  return Object.entries(counts).map(([status, n]) => html`<${Chip} key=${status} tone=${STATUS[status]?.[0] || ""} icon=${STATUS[status]?.[1] || "·"}>${t("bid." + status)} ${n}<//>`);
}

function third(/** @type {any} */ s) {
  const limit = s.control_price
    ? html`<span>${t("opening.control_price", { price: grouped(s.control_price) })}</span>${s.float_point ? html`<span>${t("opening.float", { point: s.float_point })}</span>` : null}`
    : t("opening.deadline_why");
  if (s.paused && s.reconvene) return html`<${Big} label=${t("opening.until_reconvene")} value=${html`<${Countdown} ends=${s.reconvene} />`} under=${limit} />`;
  if (s.ends_at) return html`<${Big} label=${t("opening.left")} value=${html`<${Countdown} ends=${s.ends_at} />`} under=${limit} />`;
  if (s.phase === "bidding") return html`<${Big} label=${t("opening.deadline", { time: beijing(s.deadline) })} value=${html`<${Countdown} ends=${s.deadline} />`} under=${limit} />`;
  return html`<${Big} label=${t("opening.opened_at")} value=${beijing(s.deadline)} under=${limit} />`;
}

mount((s, feed) => {
  const answered = s.custody.custodians.filter((/** @type {any} */ c) => c.status === "answered").length;
  const short = Math.max(0, s.custody.t - answered);
  const here = s.phases.find((/** @type {any} */ p) => p.state === "now");
  const ended = s.phase in ENDS;
  const failed = ended && s.phase !== "sealed";
  const date = s.reconvene ? t(s.paused ? "opening.reconvenes" : "opening.meets", { time: beijing(s.reconvene) }) : "";
  const note = s.paused ? t("opening.paused_for", { reason: s.pause_reason }) + (date || t("opening.paused")) : ended && date ? t("ended." + s.phase) + date : ended ? t("ended." + s.phase) : here ? t("step." + here.id) : "";
  const shown = papers.value && papers.value.records.length ? papers.value : null;
  return html`<${Steps} phases=${s.phases} />
    ${note ? html`<p class=${"note " + (s.paused ? "warn" : ENDS[s.phase] || "")} role="status"><b>${s.paused ? "‖ " : ended ? (ENDS[s.phase] === "good" ? "✓ " : "! ") : ""}${ended ? t("hall.ended") : t("hall.now")}</b>${note}</p>` : null}
    <div class="stage"><div class="work">
      <div class="bigs">
        <${Big} label=${t("opening.opened")} value=${s.counted === null ? t("opening.hidden") : html`${s.opened}<i>/</i>${s.counted}`}
          under=${s.counted === null ? t("opening.hidden_why") : s.reading ? html`<span>${t("opening.opened_why")}</span>${others(s.rows)}` : t(failed ? "opening.not_unlocked" : "opening.not_yet")} />
        <${Big} label=${t("opening.shares")} value=${html`${answered}<i>/</i>${s.custody.n}`}
          under=${s.phase === "bidding" ? t("opening.shares_before", s.custody) : failed ? t("opening.not_unlocked") : short ? t("opening.shares_short", { k: short }) : html`<${Chip} tone="ok" icon="✓">${t("opening.shares_enough", s.custody)}<//>`} />
        ${third(s)}
      </div>
      ${s.rows.length ? html`<${Rows} rows=${s.rows} />` : html`<${Ahead} phases=${s.phases} />`}
      ${shown ? html`<${Papers} papers=${shown} title=${t(s.record ? "hall.papers" : "hall.papers_so_far")} why=${t(s.record ? "hall.papers_why" : "hall.papers_so_far_why")} />` : null}
    </div><div class="side"><${Talk} state=${s} /><${Custody} custody=${s.custody} /><${Feed} feed=${feed} title=${t("hall.feed")} /></div></div>`;
}, (about, state) => {
  papersOf(about, state, (s) => Boolean(s.record), (found) => (papers.value = found));
  watch(about, state);
});
