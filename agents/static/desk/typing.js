// "Somebody types": told to the other side while it is true.
import { socket } from "./desk.js";

/** @type {{chat: string, at: number, timer: any}} */
const typing = { chat: "", at: 0, timer: 0 };

/** Told at most every four seconds, taken back after six silent ones. @param {string} chat @param {boolean} active */
export function setTyping(chat, active) {
  clearTimeout(typing.timer);
  const told = typing.chat === chat && Date.now() - typing.at < 4000;
  if (!active) {
    if (typing.chat === chat && typing.at) socket.send({ type: "typing", chat, active: false });
    Object.assign(typing, { chat: "", at: 0 });
    return;
  }
  if (!told) {
    socket.send({ type: "typing", chat, active: true });
    Object.assign(typing, { chat, at: Date.now() });
  }
  typing.timer = setTimeout(() => setTyping(chat, false), 6000);
}
