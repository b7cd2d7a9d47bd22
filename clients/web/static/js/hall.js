// What both halls share: words, the connection banner, the step bar, big numbers and the feed of events.
import { html, render, computed } from "../vendor/ui.js";
import { beijing, left, now } from "./clock.js";
import { follow } from "./live.js";

/** @type {Record<string, string>} */
let words = {};
export const lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

/** A word of the catalogue, with {names} filled in. @param {string} key @param {Record<string, any>} [facts] */
export function t(key, facts = {}) {
  return (words[key] || key).replace(/\{(\w+)\}/g, (_, name) => String(facts[name] ?? ""));
}

/** Thousands separators for a decimal string; nothing is computed. @param {string | null} text */
export function grouped(text) {
  if (text === null || text === undefined || text === "") return "—";
  const [whole, part] = String(text).split(".");
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",") + (part === undefined ? "" : "." + part);
}

/** @param {{phases: any[]}} props */
export function Steps({ phases }) {
  return html`<ol class="steps">${phases.map(
    (p) => html`<li key=${p.id} class=${p.state} aria-current=${p.state === "now" ? "step" : undefined}>${p[lang]}</li>`,
  )}</ol>`;
}

/** @param {{label: string, value: any, under?: any, small?: string}} props */
export function Big({ label, value, under, small }) {
  return html`<div class="big"><p class="label">${label}</p>
    <p class="value">${value}${small ? html`<small>${small}</small>` : null}</p>
    <div class="under">${under}</div></div>`;
}

/** @param {{tone: string, icon: string, children?: any}} props */
export function Chip({ tone, icon, children }) {
  return html`<span class=${"chip " + tone}><span aria-hidden="true">${icon}</span>${children}</span>`;
}

/** @param {{feed: any[], title: string}} props */
export function Feed({ feed, title }) {
  return html`<aside class="feed" aria-label=${title}><h2>${title}</h2>
    ${feed.length === 0 ? html`<p class="empty">${t("hall.quiet")}</p>` : null}
    <ol>${[...feed].reverse().map(
      (e, i) => html`<li key=${feed.length - i}><time>${beijing(e.t)}</time><span>${e[lang]}</span></li>`,
    )}</ol></aside>`;
}

/** Time left of the current phase, in server time. @param {{ends: number | null}} props */
export function Countdown({ ends }) {
  const text = computed(() => (ends === null || ends === undefined ? "—" : left(ends - now.value)));
  return html`<span role="timer">${text}</span>`;
}

/** Mount a hall. @param {(state: any, feed: any[]) => any} view */
export async function mount(view) {
  const main = /** @type {HTMLElement} */ (document.getElementById("main"));
  words = await (await fetch(/** @type {string} */ (main.dataset.words))).json();
  const channel = follow(/** @type {string} */ (main.dataset.hall));
  function Hall() {
    const state = channel.state.value;
    const line = channel.connection.value;
    const banner = line.up ? null : html`<p class="banner" role="status">${t(state ? "hall.reconnecting" : "hall.connecting")}</p>`;
    return html`${banner}${state ? view(state, channel.feed.value) : null}`;
  }
  main.textContent = "";
  render(html`<${Hall} />`, main);
}
