// The REST API as the panel uses it. Errors are {code, message, fields?, retry_after?}, "offline" when no answer came.

const TIMEOUT_MS = 20_000;

export class Rest {
  /** @param {string} base ends with /api/v1/ @param {typeof fetch} [fetcher] */
  constructor(base, fetcher) {
    this.base = base;
    this.fetch = fetcher || globalThis.fetch.bind(globalThis);
    this.token = "";
  }

  /** @param {string} path @param {AbortSignal} [signal] */
  get(path, signal) {
    return this.call("GET", path, undefined, signal);
  }

  /** @param {string} path @param {any} [body] */
  post(path, body = {}) {
    return this.call("POST", path, body);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {any} body
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  async call(method, path, body, signal) {
    const answer = await this.send(path, {
      method,
      // A long poll is ended by its owner; everything else has a limit.
      signal: signal || AbortSignal.timeout(TIMEOUT_MS),
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (answer.status === 204) return null;
    return answer.json().catch(() => null);
  }

  /** @param {string} path @returns {Promise<Blob>} */
  async blob(path) {
    return (await this.send(path, { method: "GET" })).blob();
  }

  /** @param {string} path @param {RequestInit} options */
  async send(path, options) {
    const headers = { ...options.headers, ...this.authorization() };
    let answer;
    try {
      answer = await this.fetch(this.base + path, { cache: "no-store", credentials: "omit", ...options, headers });
    } catch {
      throw { code: "offline", message: "" };
    }
    if (answer.ok) return answer;
    throw await refusal(answer);
  }

  /** @returns {Record<string, string>} */
  authorization() {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }
}

/** @param {Response} answer */
async function refusal(answer) {
  const body = await answer.json().catch(() => ({}));
  const after = Number(answer.headers.get("Retry-After"));
  const fallback = answer.status === 429 ? "too_many" : answer.status >= 500 ? "unavailable" : "failed";
  return { code: fallback, message: "", ...(after ? { retry_after: after } : {}), ...body, status: answer.status };
}
