// What every part of the desk holds in common: the page's configuration, the store, the wire and the REST door.
import { Poster } from "./poster.js";
import { Rest } from "./rest.js";
import { Socket } from "./socket.js";
import { Store } from "./store.js";

/**
 * @typedef {{center: {id: string, slug: string, name: string, accent: string}, agent: {id: string, name: string, role: string},
 *   language: string, words: Record<string, string>, icons: string, csrf: string, api: string, socket: string,
 *   signInUrl: string, signOutUrl: string, accountUrl: string, adminUrl: string, seatsUrl: string, languages: {code: string, name: string}[],
 *   languageUrl: string, waitingTargetSeconds: number}} Config
 */

/** @type {Config} */
export const config = JSON.parse(document.getElementById("desk-config")?.textContent || "{}");

export const isSupervisor = ["supervisor", "admin"].includes(config.agent.role);

export const store = new Store();

export const rest = new Rest({ api: config.api, csrf: config.csrf, center: config.center.slug });

export const socket = new Socket({
  url: new URL(config.socket, location.href.replace(/^http/, "ws")).href,
  ticket: async () => (await rest.call("agent/ticket", { method: "POST" })).ticket,
  hello: () => ({ epoch: store.state.epoch || undefined, cursors: store.cursors() }),
  cursors: () => store.cursors(),
  onFrame: (frame) => store.receive(frame, Date.now()),
  onLink: (link) => store.setLink(link),
});

export const poster = new Poster(store, (frame) => socket.request(frame), localStorage, `desk.post.${config.agent.id}.`);
