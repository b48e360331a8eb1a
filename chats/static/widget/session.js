// Who the customer is to the server: the session's token, and the proof of an identity.

/** @typedef {import("./rest.js").Rest} Rest */

export class Session {
  /**
   * @param {Rest} rest holds the token
   * @param {import("./poster.js").Keeper} keeper
   * @param {string} key the channel's public key
   */
  constructor(rest, keeper, key) {
    this.rest = rest;
    this.keeper = keeper;
    this.key = key;
    this.language = "en";
    /** Where the customer is on the site. @type {any} */
    this.page = null;
    /** Whom the site vouches for, and the id for which our token was given. @type {Record<string, any>|null} */
    this.identity = null;
    this.identifiedAs = "";
    /** Whether somebody else was here before on this browser: what that person left is not for this one. */
    this.isOther = false;
  }

  /** @param {Record<string, string>} saved */
  restore(saved) {
    this.rest.token = saved.token || "";
    this.identifiedAs = saved.identity || "";
  }

  /**
   * An identity is proven once, not on every page: proving it again would end the session of the other tabs.
   * @param {Record<string, any>|null} identity
   */
  proof(identity) {
    if (!identity || typeof identity.id !== "string") return null;
    this.identity = identity;
    if (this.identifiedAs === identity.id && this.rest.token) return null;
    this.isOther = Boolean(this.identifiedAs) && this.identifiedAs !== identity.id;
    if (this.isOther) this.rest.token = "";
    return identity;
  }

  /**
   * Take up our session, or begin one.
   * @param {Record<string, any>|null} [identity]
   * @returns {Promise<any>} the answer of POST widget/sessions
   */
  async open(identity = null) {
    const answer = await this.ask(identity);
    // Anonymous, though the site vouches for somebody: the identified session had ended.
    return !identity && this.identity && !answer.customer.is_identified ? this.ask(this.identity) : answer;
  }

  /** @param {Record<string, any>|null} identity @returns {Promise<any>} the answer of POST widget/sessions */
  async ask(identity) {
    const body = { key: this.key, language: this.language, token: this.rest.token, page: this.page, identity };
    let answer;
    try {
      answer = await this.rest.post("widget/sessions", strip(body));
    } catch (error) {
      const { code, message } = /** @type {any} */ (error);
      if (!identity || (code !== "forbidden" && code !== "invalid")) throw error;
      // A wrong or expired signature is the site's mistake: its customer can still write to us.
      console.warn("ContactCenter: identify was refused.", message);
      this.identity = null;
      return this.ask(null);
    }
    if (answer.token !== this.rest.token) await this.keeper.set("token", answer.token);
    this.rest.token = answer.token;
    this.identifiedAs = answer.customer.is_identified ? String(identity?.id ?? this.identifiedAs) : "";
    await this.keeper.set("identity", this.identifiedAs || null);
    return answer;
  }

  /** The server knows our token no longer: begin as somebody new. */
  async forget() {
    this.rest.token = this.identifiedAs = "";
    await Promise.all(["token", "chat", "identity"].map((name) => this.keeper.set(name, null)));
  }
}

/** Without what is empty: the API takes absent fields, not nulls. @param {Record<string, any>} body */
export function strip(body) {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined && value !== ""));
}
