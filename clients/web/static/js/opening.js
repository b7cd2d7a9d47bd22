// The opening hall 开标大厅, read only: where are we, who has answered, what was read out.
import { html } from "../vendor/ui.js";
import { Big, Chip, Countdown, Feed, Steps, grouped, lang, mount, t } from "./hall.js";

const STATUS = {
  sealed: ["", "▣"], opened: ["ok", "✓"], deemed_revoked: ["bad", "✕"], deemed_withdrawn: ["warn", "!"],
  withdrawn: ["", "↩"], refused: ["bad", "✕"], undetermined: ["warn", "?"],
};
const CUSTODIAN = { waiting: ["", "…"], answered: ["ok", "✓"], wrong: ["bad", "✕"], silent: ["warn", "—"], refused: ["warn", "!"] };

function row(/** @type {any} */ r) {
  const [tone, icon] = STATUS[/** @type {keyof typeof STATUS} */ (r.status)] || ["", "·"];
  const reason = r["reason_" + lang];
  return html`<tr key=${r.no} class=${r.status === "opened" ? "" : "out"}>
    <td class="num">${r.no}</td>
    <td data-label=${t("col.bidder")}>${r.bidder}${reason ? html`<span class="reason">${reason}</span>` : null}</td>
    <td data-label=${t("col.state")}><${Chip} tone=${tone} icon=${icon}>${t("bid." + r.status)}<//></td>
    <td data-label=${t("col.price")} class="right num">${grouped(r.price)}</td>
    <td data-label=${t("col.duration")} class="right num">${r.duration_days ?? "—"}</td>
    <td data-label=${t("col.quality")}>${r.quality || "—"}</td>
    <td data-label=${t("col.deposit")}>${r.deposit ? t("deposit." + r.deposit) : "—"}</td>
    <td data-label=${t("col.sha256")} class="mono">${r.sha256 ? r.sha256.slice(0, 4) + "…" + r.sha256.slice(-4) : "—"}</td>
    <td data-label=${t("col.confirmation")}>${r.confirmation ? t("confirm." + r.confirmation) : "—"}</td>
  </tr>`;
}

mount((s, feed) => {
  const answered = s.custody.custodians.filter((/** @type {any} */ c) => c.status === "answered").length;
  const chips = s.custody.custodians.map((/** @type {any} */ c) => {
    const [tone, icon] = CUSTODIAN[/** @type {keyof typeof CUSTODIAN} */ (c.status)] || ["", "·"];
    return html`<${Chip} key=${c.index} tone=${tone} icon=${icon}>${c.organisation}<//>`;
  });
  return html`<${Steps} phases=${s.phases} />
    <div class="stage"><div>
      <div class="bigs">
        <${Big} label=${t("opening.opened")} value=${s.counted === null ? t("opening.hidden") : s.opened + " / " + s.counted}
          under=${s.counted === null ? t("opening.hidden_why") : t("opening.opened_why")} />
        <${Big} label=${t("opening.shares", { t: s.custody.t, n: s.custody.n })} value=${answered + " / " + s.custody.n} under=${chips} />
        <${Big} label=${t(s.ends_at ? "opening.left" : "opening.deadline")} value=${html`<${Countdown} ends=${s.ends_at ?? s.deadline} />`}
          under=${s.control_price ? t("opening.control_price", { price: grouped(s.control_price) }) + (s.float_point ? "　" + t("opening.float", { point: s.float_point }) : "") : ""} />
      </div>
      <div class="scroll"><table class="stack"><caption>${t("opening.table")}</caption>
        <thead><tr><th>${t("col.no")}</th><th>${t("col.bidder")}</th><th>${t("col.state")}</th><th class="right">${t("col.price")}</th>
          <th class="right">${t("col.duration")}</th><th>${t("col.quality")}</th><th>${t("col.deposit")}</th><th>${t("col.sha256")}</th><th>${t("col.confirmation")}</th></tr></thead>
        <tbody>${s.rows.map(row)}</tbody></table>
        ${s.rows.length === 0 ? html`<p class="empty">${t("opening.sealed_until")}</p>` : null}</div>
    </div><${Feed} feed=${feed} title=${t("hall.feed")} /></div>`;
});
