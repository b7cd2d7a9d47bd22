// A P-256 key from the user's own file: it signs in this page, is kept in memory only and never leaves it.

/** @param {ArrayBuffer | Uint8Array} data @returns {string} */
function base64(data) {
  return btoa(String.fromCharCode(...new Uint8Array(data)));
}

/** Canonical JSON (RFC 8785) of what our statements hold: objects, texts, whole numbers, truth values, lists, null.
 * @param {any} value @returns {string} */
export function canonical(value) {
  if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
  if (value !== null && typeof value === "object") {
    return "{" + Object.keys(value).sort().map((name) => JSON.stringify(name) + ":" + canonical(value[name])).join(",") + "}";
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Error("not a whole number");
  return JSON.stringify(value);
}

/** @param {string} text a PEM file, PKCS #8, without a passphrase */
async function scalar(text) {
  const body = text.match(/-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/);
  if (!body) throw new Error("pem");
  const bytes = Uint8Array.from(atob(body[1].replace(/\s/g, "")), (c) => c.charCodeAt(0));
  return crypto.subtle.importKey("pkcs8", bytes, { name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
}

export class Signer {
  /** @param {CryptoKey} key @param {string} point the public key, 33 bytes in base64 */
  constructor(key, point) {
    this.key = key;
    this.point = point;
    this.centre = "";
    this.token = "";
    this.role = "";
  }

  /** Open a key file and log in with it. @param {File} file @returns {Promise<Signer>} */
  static async open(file) {
    const key = await scalar(await file.text());
    const jwk = await crypto.subtle.exportKey("jwk", key);
    const bytes = (/** @type {string | undefined} */ part) => atob((part || "").replace(/-/g, "+").replace(/_/g, "/"));
    const odd = bytes(jwk.y).charCodeAt(31) & 1;
    const point = btoa(String.fromCharCode(2 + odd) + bytes(jwk.x));
    // From here on the scalar cannot be read back out of the page.
    const kept = await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    const made = new Signer(kept, point);
    made.centre = (await (await fetch("/api/v1/centre")).json()).id;
    const asked = await made.post("/session/challenge", { key: point });
    const login = { challenge: asked.challenge, origin: asked.origin };
    if (login.origin !== location.origin) throw new Error("origin");
    const opened = await made.post("/session", await made.sign("login", login));
    made.token = opened.token;
    made.role = opened.role;
    return made;
  }

  /** @param {string} purpose @param {object} body @returns {Promise<object>} the signed statement */
  async sign(purpose, body) {
    const statement = { v: 1, suite: "P256-SHA256", purpose, centre: this.centre, ...body };
    const said = new TextEncoder().encode("kaibiao/statement/v1\n" + canonical(statement));
    const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, this.key, said);
    return { statement, key: this.point, signature: base64(signature) };
  }

  /** A command: signed afresh, for now. @param {string} purpose @param {object} body @param {number} at ms UTC */
  command(purpose, body, at) {
    const nonce = base64(crypto.getRandomValues(new Uint8Array(18))).replace(/\+/g, "-").replace(/\//g, "_");
    return this.sign(purpose, { ...body, nonce, at });
  }

  /** @param {string} path @param {object} body @returns {Promise<any>} the answer, null for none; throws a refusal's words */
  async post(path, body) {
    return this.ask(path, { method: "POST", body: JSON.stringify(body) });
  }

  /** A file of one's own. @param {string} path @returns {Promise<Blob>} */
  async file(path) {
    const answer = await fetch("/api/v1" + path, { headers: { authorization: "Bearer " + this.token } });
    if (!answer.ok) throw new Error((await answer.json()).title);
    return answer.blob();
  }

  /** @param {string} path @param {RequestInit} more @returns {Promise<any>} */
  async ask(path, more = {}) {
    const headers = /** @type {Record<string, string>} */ ({ "content-type": "application/json" });
    if (this.token) headers.authorization = "Bearer " + this.token;
    const answer = await fetch("/api/v1" + path, { ...more, headers });
    if (answer.status === 204) return null;
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.title + (told.rule ? "（" + told.rule + "）" : "") + "。" + told.detail);
    return told;
  }
}
