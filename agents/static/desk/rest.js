// The REST door, for what is asked once: older events, customers, canned replies, uploads.

export class Rest {
  /** @param {{api: string, csrf: string, center: string}} config */
  constructor({ api, csrf, center }) {
    this.api = api;
    this.headers = { "X-CSRFToken": csrf, "X-Contact-Center": center, Accept: "application/json" };
  }

  /**
   * @param {string} path below /api/v1/
   * @param {{method?: string, body?: any, query?: Record<string, any>, signal?: AbortSignal}} [options]
   * @returns {Promise<any>} rejects with {code, message, fields?}
   */
  async call(path, { method = "GET", body, query, signal } = {}) {
    const url = new URL(this.api + path, location.href);
    for (const [key, value] of Object.entries(query || {})) if (value !== undefined && value !== "") url.searchParams.set(key, value);
    const isForm = body instanceof FormData;
    /** @type {Record<string, string>} */
    const headers = { ...this.headers };
    if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
    let response;
    try {
      const payload = body === undefined || isForm ? body : JSON.stringify(body);
      response = await fetch(url, { method, headers, body: payload, signal, credentials: "same-origin" });
    } catch (error) {
      throw { code: /** @type {any} */ (error).name === "AbortError" ? "aborted" : "offline", message: "" };
    }
    const data = response.status === 204 ? null : await response.json().catch(() => null);
    if (response.ok) return data;
    const fallback = { 401: "unauthorized", 403: "forbidden", 404: "not_found", 413: "too_large" }[response.status] || "failed";
    throw { code: data?.code || fallback, message: data?.message || "", fields: data?.fields };
  }

  /**
   * An upload with progress, which fetch cannot tell.
   * @param {File} file
   * @param {string} chat
   * @param {(share: number) => void} onProgress
   * @returns {Promise<any>}
   */
  upload(file, chat, onProgress) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", new URL(`${this.api}attachments`, location.href));
      for (const [name, value] of Object.entries(this.headers)) request.setRequestHeader(name, value);
      request.responseType = "json";
      request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
      request.onerror = () => reject({ code: "offline", message: "" });
      request.onload = () => {
        if (request.status < 300) resolve(request.response);
        else reject({ code: request.response?.code || "failed", message: request.response?.message || "" });
      };
      const form = new FormData();
      form.append("chat", chat);
      form.append("file", file, file.name || "image.png");
      request.send(form);
    });
  }
}
