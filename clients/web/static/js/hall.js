// What both halls share: words, the connection, the step bar, big numbers, panels, papers and the feed of events.
import { html, render, computed, effect } from "../vendor/ui.js";
import { beijing, left, now, sync } from "./clock.js";
import { follow } from "./live.js";

/** @type {Record<string, string>} */
let words = {};
export const lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

/** A word of the catalogue, with {names} filled in. @param {string} key @param {Record<string, any>} [facts] */
export function t(key, facts = {}) {
  return (words[key] || key).replace(/\{(\w+)\}/g, (_, name) => String(facts[name] ?? ""));
}

/** Thousands separators for a decimal string; nothing is computed. @param {string | null | undefined} text */
export function grouped(text) {
  if (text === null || text === undefined || text === "") return "—";
  const [whole, part] = String(text).split(".");
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",") + (part === undefined ? "" : "." + part);
}

/** A hash in groups of eight, as an eye compares them. @param {string} hex @param {number} groups how many are shown */
export function hash(hex, groups = 8) {
  const shown = (hex.match(/.{1,8}/g) || []).slice(0, groups).join(" ");
  return html`<span class="mono" title=${hex}>${shown}${hex.length > groups * 8 ? " …" : ""}</span>`;
}

/** @param {{phases: any[]}} props */
export function Steps({ phases }) {
  return html`<ol class="steps">${phases.map(
    (p) => html`<li key=${p.id} class=${p.state} aria-current=${p.state === "now" ? "step" : undefined}>
      <span><span aria-hidden="true">${p.state === "done" ? "✓ " : p.state === "now" ? "▶ " : ""}</span>${p[lang]}</span>
      ${p.at ? html`<time>${beijing(p.at)}</time>` : null}</li>`,
  )}</ol>`;
}

/** @param {{label: string, value: any, under?: any, small?: string, long?: boolean}} props */
export function Big({ label, value, under, small, long }) {
  return html`<div class=${long ? "big long" : "big"}><p class="label">${label}</p>
    <p class="value">${value}${small ? html`<small>${small}</small>` : null}</p>
    <div class="under">${under}</div></div>`;
}

/** @param {{tone: string, icon: string, children?: any}} props */
export function Chip({ tone, icon, children }) {
  return html`<span class=${"chip " + tone}><span aria-hidden="true">${icon}</span>${children}</span>`;
}

/** @param {{title: string, children?: any, kind?: string}} props */
export function Panel({ title, children, kind = "" }) {
  return html`<section class=${"panel " + kind} aria-label=${title}><h2>${title}</h2>${children}</section>`;
}

/** @param {{feed: any[], title: string}} props */
export function Feed({ feed, title }) {
  return html`<${Panel} title=${title} kind="feed">
    ${feed.length === 0 ? html`<p class="empty">${t("hall.quiet")}</p>` : null}
    <ol tabindex="0">${[...feed].reverse().map(
      (e, i) => html`<li key=${feed.length - i}><time>${beijing(e.t)}</time><span>${e[lang]}</span></li>`,
    )}</ol><//>`;
}

/** Time left of the current phase, in server time. @param {{ends: number | null}} props */
export function Countdown({ ends }) {
  const text = computed(() => (ends === null || ends === undefined ? "—" : left(ends - now.value)));
  return html`<span role="timer">${text}</span>`;
}

/** The signed papers of a section or session, on paper. @param {{papers: any, title: string, why: string}} props */
export function Papers({ papers, title, why }) {
  const { records, dossier, about } = papers;
  return html`<section class="slip" aria-label=${title}><span class="stamp" aria-hidden="true">${t("hall.stamp")}</span>
    <div><h2>${title}</h2><p class="quiet">${why}</p>
    <ul>${records.map(
      (/** @type {any} */ r) => html`<li key=${r.record}><a href=${`/api/v1/records/${r.record}.pdf`}><b>${t("record." + r.type)}</b> <span class="num">${r.number}</span></a>
        <span>${t("col.sha256")} ${hash(r.sha256, 2)}</span></li>`,
    )}${dossier
      ? html`<li><a href=${`/api/v1/dossiers/${about}.zip`} download><b>${t("hall.dossier")}</b></a><span class="quiet">${t("hall.dossier_why")}</span></li>`
      : null}</ul></div></section>`;
}

/**
 * Fetch the papers until the dossier, the last of them, is there: at once, then ever more seldom, and again soon after the end.
 * @param {string} about section or auction @param {{value: any}} state @param {(state: any) => boolean} ended @param {(papers: any) => void} tell
 */
export function papersOf(about, state, ended, tell) {
  let wait = 1000;
  let timer = 0;
  let over = false;
  const look = async () => {
    let done = false;
    try {
      const shown = await (await fetch("/api/v1/records?subject=" + encodeURIComponent(about))).json();
      const shelf = await (await fetch("/api/v1/dossiers")).json();
      done = shelf.dossiers.includes(about);
      tell({ about, records: shown.records, dossier: done });
    } catch {
      // offline: the connection's own banner says so; the next look comes
    }
    wait = Math.min(wait * 2, 60000);
    clearTimeout(timer);
    if (!done) timer = setTimeout(look, wait * (0.5 + Math.random()));
  };
  effect(() => {
    if (over || !state.value || !ended(state.value)) return;
    over = true;
    wait = 1000;
    clearTimeout(timer);
    timer = setTimeout(look, 500 + Math.random() * 1000); // everybody sees the end at once, and need not ask at once
  });
  if (!over) look();
}

/** Show the state of the line in the top bar. @param {any} connection */
function showConnection(connection) {
  const place = document.querySelector("[data-connection]");
  if (!place) return;
  effect(() => {
    const { up, lost } = connection.value;
    const error = sync.value.error;
    place.className = up ? "chip ok" : "chip warn";
    if (up) place.textContent = "● " + t("hall.connected") + (error === null ? "" : " ±" + error + " ms");
    else place.textContent = "○ " + t(lost === null ? "hall.connecting" : "hall.lost");
  });
}

/** Repeat the time left in the title of the tab. @param {any} state */
function showTitle(state) {
  const title = document.title;
  effect(() => {
    const ends = state.value?.ends_at;
    document.title = ends && ends > now.value ? left(ends - now.value) + " · " + title : title;
  });
}

/** Mount a hall. @param {(state: any, feed: any[]) => any} view @param {(about: string, state: {value: any}) => void} [prepare] */
export async function mount(view, prepare) {
  const main = /** @type {HTMLElement} */ (document.getElementById("main"));
  const heading = /** @type {HTMLElement} */ (main.querySelector("h1")).textContent;
  words = await (await fetch(/** @type {string} */ (main.dataset.words))).json();
  const channel = follow(/** @type {string} */ (main.dataset.hall));
  showConnection(channel.connection);
  showTitle(channel.state);
  if (prepare) prepare(/** @type {string} */ (main.dataset.about), channel.state);
  function Hall() {
    const state = channel.state.value;
    const { up, lost, back } = channel.connection.value;
    const newest = channel.feed.value[channel.feed.value.length - 1];
    return html`<h1 class="unseen">${heading}</h1>
      <p class="unseen" role="status">${newest ? newest[lang] : ""}</p>
      ${up || lost === null ? null : html`<p class="banner" role="alert"><span aria-hidden="true">○ </span>${t("hall.reconnecting")}</p>`}
      ${back ? html`<p class="banner good" role="status"><span aria-hidden="true">● </span>${t("hall.back", back)}</p>` : null}
      ${state ? view(state, channel.feed.value) : html`<p class="empty">${t("hall.connecting")}</p>`}`;
  }
  main.textContent = "";
  render(html`<${Hall} />`, main);
}
