// What calls an agent who looks elsewhere: a sound, the tab's title, one browser notification.
import { config, store } from "./desk.js";
import { setUi, toast, ui } from "./ui.js";
import { t } from "./words.js";
import { customerName } from "./views/bits.js";

/** @type {AudioContext|null} */
let audio = null;
let lastRing = 0;

/** Browsers allow sound after the first click or key; from then on it works by itself. */
export function unlockSound() {
  const unlock = () => {
    audio ??= new AudioContext();
    void audio.resume();
  };
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, unlock, { once: true, capture: true });
}

/** Soft bells, made here: no file, no download. @param {number[]} notes in hertz @param {number} volume */
function play(notes, volume) {
  if (!audio || !ui.sound || audio.state !== "running") return;
  notes.forEach((pitch, n) => {
    const context = /** @type {AudioContext} */ (audio);
    const start = context.currentTime + n * 0.14;
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.type = "sine";
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(volume, start + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + 0.5);
    tone.connect(gain).connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.55);
  });
}

/** Rings while an invitation waits, every four seconds. */
export function ring() {
  if (!store.state.invitations.size || Date.now() - lastRing < 4000) return;
  lastRing = Date.now();
  play([659, 784, 988], 0.16);
}

/** @param {import("./store.js").Signal[]} signals */
export function alertFor(signals) {
  for (const signal of signals) {
    if (signal.kind === "invitation") {
      lastRing = 0;
      ring();
      notify(t("invitation.title"), customerName(signal.invitation.chat), `invitation-${signal.invitation.id}`);
    } else if (signal.kind === "asked") {
      play([784, 659], 0.12);
      notify(t("guest.asked"), customerName(store.thread(signal.chat).chat), `guest-${signal.chat}`);
    } else if (signal.kind === "message" && store.state.mine.has(signal.chat)) {
      if (document.hidden || ui.open !== signal.chat) play([740], 0.08);
      const chat = store.thread(signal.chat).chat;
      notify(customerName(chat), signal.event.text || t("attachment"), `chat-${signal.chat}`);
    }
  }
}

/** Only to who looks elsewhere; the tag makes one of several. @param {string} title @param {string} body @param {string} tag */
function notify(title, body, tag) {
  if (!document.hidden || notifying() !== "on") return;
  const shown = new Notification(title, { body: body.slice(0, 160), tag, icon: `${config.icons.replace("icons.svg", "favicon.svg")}` });
  shown.onclick = () => {
    window.focus();
    shown.close();
  };
}

/** Whether the browser calls: the agent's choice within what the browser allows. @returns {"on"|"off"|"blocked"} */
export function notifying() {
  if (!("Notification" in window) || Notification.permission === "denied") return "blocked";
  return ui.notify && Notification.permission === "granted" ? "on" : "off";
}

export async function toggleNotify() {
  const wanted = notifying() !== "on";
  if (wanted && "Notification" in window && Notification.permission === "default") await Notification.requestPermission();
  if (wanted && notifying() === "blocked") return toast(t("notify.blocked.help"), { tone: "danger" });
  localStorage.setItem("desk.notify", wanted ? "on" : "off");
  setUi({ notify: wanted });
}

/** Asked once, when somebody goes online: then it is plain what for. */
export function askToNotify() {
  if (ui.notify && "Notification" in window && Notification.permission === "default") void Notification.requestPermission();
}

export function updateTitle() {
  const { mine, threads, invitations, asked } = store.state;
  let unread = 0;
  for (const id of mine) {
    const thread = threads.get(id);
    if (thread) unread += store.unread(thread);
  }
  const count = unread + invitations.size + asked.size;
  const what = invitations.size ? t("invitation.title") : config.center.name;
  document.title = count ? `(${count}) ${what}` : config.center.name;
}
