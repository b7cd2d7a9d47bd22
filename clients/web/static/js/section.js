// Speaking about a section's documents: a key from one's own file logs in; what the role may do appears.
import { Signer } from "./signing.js";
import { now } from "./clock.js";

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const desk = document.getElementById("desk");
const base = "/sections/" + encodeURIComponent(main.dataset.section || "");
/** @type {Record<string, string>} */
let words = {};

/** @param {string} key @returns {string} */
const t = (key) => words[key] || "";

/** @param {string} name @param {Record<string, string>} members @param {(Node | string)[]} inside @returns {any} */
function made(name, members = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(members)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
}

/** One form with a text. `act` gets the fields; what it returns or throws is said beneath.
 * @param {string} title @param {string} hint @param {Node[]} more @param {(text: string, form: any) => Promise<void>} act */
function form(title, hint, more, act) {
  const text = made("textarea", { name: "text", required: "", maxlength: "6000" });
  const said = made("output", { "aria-live": "polite" });
  const button = made("button", { class: "button first", type: "submit" }, t("section.send"));
  const element = made("form", {}, made("fieldset", {}, made("legend", {}, title), made("label", {}, hint, text), ...more, button, said));
  element.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await act(text.value.trim(), element);
      said.className = "ok";
      said.textContent = "✓ " + t("section.sent");
      text.value = "";
    } catch (error) {
      said.className = "bad";
      said.textContent = "✕ " + (error instanceof Error ? error.message : String(error));
    }
    button.disabled = false;
  });
  return element;
}

/** A button that brings home a file which only its owner may have.
 * @param {Signer} signer @param {string} path @param {string} name @param {string} label */
function saving(signer, path, name, label) {
  const button = made("button", { class: "button", type: "button" }, label);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const address = URL.createObjectURL(await signer.file(path));
      made("a", { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60000);
    } catch (error) {
      button.after(made("output", { class: "bad" }, "✕ " + (error instanceof Error ? error.message : String(error))));
    }
    button.disabled = false;
  });
  return button;
}

/** What one's own organisation has handed in, with its receipts; a delegate without that power sees nothing of it.
 * @param {Signer} signer @param {HTMLElement} place */
async function own(signer, place) {
  let told;
  try {
    told = await signer.ask(base + "/submissions/me");
  } catch {
    return;
  }
  const list = made("ul", { class: "talk" });
  for (const act of told.acts) {
    const when = new Date(act.arrival + 28800000).toISOString().slice(0, 19).replace("T", " ");
    const line = made("li", { class: "signs" }, made("span", { class: "num" }, when + " " + t("section.act_" + act.kind)));
    if (act.id === told.counts) line.append(made("span", { class: "chip ok" }, "✓ " + t("section.counts")));
    if (act.id === told.counts && told.overtaken) line.append(made("span", { class: "chip warn" }, "! " + t("section.overtaken")));
    const path = base + "/receipts/" + act.id;
    line.append(
      saving(signer, path, act.id + ".receipt.json", t("section.receipt")),
      saving(signer, path + ".pdf", act.id + ".receipt.pdf", t("section.receipt_paper")),
    );
    list.append(line);
  }
  place.append(made("fieldset", {}, made("legend", {}, t("section.mine")),
    told.acts.length ? list : made("p", { class: "empty" }, t("section.none_mine"))));
}

/** @param {Signer} signer @param {HTMLElement} place */
async function bidder(signer, place) {
  const section = main.dataset.section;
  await own(signer, place);
  if (!main.dataset.open) return;
  place.append(
    form(t("section.ask"), t("section.ask_hint"), [], async (text) => {
      await signer.post(base + "/questions", { text });
    }),
    form(t("section.object"), t("section.object_hint"), [], async (text) => {
      await signer.post(base + "/objections", await signer.command("document_objection", { section, text }, Math.round(now.value)));
    }),
  );
}

/** @param {Signer} signer @param {HTMLElement} place */
async function tenderer(signer, place) {
  const section = main.dataset.section;
  const waiting = await signer.ask(base + "/questions");
  const shown = await signer.ask(base + "/announcement");
  for (const one of waiting) {
    const tick = made("input", { type: "checkbox", name: "affects" });
    const check = made("label", { class: "check" }, tick, t("section.affects"));
    const asked = made("p", { class: "asked" }, one.text);
    place.append(form(t("section.answer_question"), t("section.answer_hint"), [check], async (text) => {
      const body = { section, question: one.id, text, affects_bids: tick.checked, addendum: 0 };
      await signer.post(base + "/questions/" + one.id + "/answer", await signer.command("answer", body, Math.round(now.value)));
    }));
    place.lastElementChild?.querySelector("legend")?.after(asked);
  }
  for (const one of shown.objections.filter((/** @type {any} */ o) => o.answered_at === null)) {
    place.append(form(t("section.answer_objection"), t("section.answer_hint"), [], async (text) => {
      const body = { section, objection: one.id, text, addendum: 0 };
      await signer.post(base + "/objections/" + one.id + "/answer", await signer.command("objection_answer", body, Math.round(now.value)));
    }));
    place.lastElementChild?.querySelector("legend")?.after(made("p", { class: "asked" }, one.text));
  }
  if (!place.childElementCount) place.append(made("p", { class: "empty" }, t("section.nothing_waits")));
}

async function begin() {
  if (!desk) return;
  words = await (await fetch(/** @type {string} */ (main.dataset.words))).json();
  const file = made("input", { type: "file", accept: ".pem", name: "key" });
  const said = made("output", { "aria-live": "polite" });
  const place = made("div", { class: "desk" });
  desk.append(made("div", { class: "desk" }, made("label", {}, t("section.key"), file), said), place);
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    place.replaceChildren();
    try {
      const signer = await Signer.open(chosen);
      said.className = "ok";
      said.textContent = "✓ " + (t("role." + signer.role) || t("role.none"));
      if (signer.role === "bidder" || signer.role === "delegate") await bidder(signer, place);
      else if (signer.role === "tenderer" || signer.role === "agent") await tenderer(signer, place);
    } catch (error) {
      said.className = "bad";
      const told = error instanceof Error ? error.message : String(error);
      said.textContent = "✕ " + (t("section.key_" + told) || told);
    }
    file.value = "";
  });
}

begin();
