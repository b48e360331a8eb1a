// A chat gadget of a web page: connect, init, join; on every reconnect it joins again and builds its list anew.
//   settings: init = the body of POST init; or conversation = its answer, for a second window of the same customer
// In:  {send: ChatMessage's own members} · {typing: true} · {end: true} · {ask: [name, data]} · {drop: true} · {show: true} · {stop: true}
// Out: {connected} {disconnected} {refused} {began} {joined} {info} {arrived} {sent, id} {typed} {ended} {answer} {shown, transport}
import { randomUUID } from "node:crypto";
import { ask, commands, connect, pause, post, settings, tell } from "./library.mjs";

let conversation = settings.conversation;
let beginning; // one init, however often the connection is lost meanwhile
let isJoined = false;
let isSending = false;
const shown = []; // what the customer sees: [{id, from, text, attachments}]
const outbox = []; // messages that nobody has acknowledged

const place = settings.center ? { query: { contactCenterId: settings.center } } : {};
const socket = connect(place);

socket.on("connect", join);
socket.on("disconnect", () => (isJoined = false));
socket.on("conversationInfo", (info) => {
  shown.length = 0;
  for (const message of info.messages) show(message);
  tell({ info });
});
socket.on("messageArrived", (message) => {
  if (message.type === "ChatMessage") show(message);
  tell({ arrived: message });
});

async function begin() {
  const { status, answer } = await post("/api/customer/init", settings.init);
  tell({ began: answer, status });
  if (status === 200) conversation = answer;
}

async function join() {
  if (!conversation) await (beginning ??= begin());
  if (!conversation) return;
  const joined = await ask(socket, "joinConversation", { conversationId: conversation.conversationId, ...me() });
  tell({ joined });
  isJoined = joined?.code === 200;
  await send();
}

function me() {
  const { id, name } = conversation.participant;
  return { id, name };
}

function show({ id, from, text, attachments }) {
  shown.push({ id, from: from.id === me().id ? "me" : from.name, text, attachments: attachments.length });
}

/** One after another; what was not acknowledged goes out again after the next join, under the same id. */
async function send() {
  if (isSending) return;
  isSending = true;
  while (isJoined && outbox.length) {
    const sent = await ask(socket, "sendMessage", outbox[0]);
    if (!sent) break;
    const message = outbox.shift();
    const isNew = sent.code === 200 && message.tag !== "whisper" && !shown.some(({ id }) => id === sent.id);
    if (isNew) show({ ...message, id: sent.id });
    tell({ sent, id: message.id });
  }
  isSending = false;
}

function message(said) {
  const envelope = { conversationId: conversation.conversationId, from: me(), to: [] };
  return { id: randomUUID(), type: "ChatMessage", text: "", attachments: [], tag: "", ...envelope, ...said };
}

const DOING = {
  send: (said) => {
    outbox.push(message(said));
    void send();
  },
  typing: async () => {
    const { conversationId, from, to } = message({});
    const typing = { conversationId, type: "ActivityMessage", from, to, activityType: "typing", info: {} };
    tell({ typed: await ask(socket, "sendMessage", typing) });
  },
  end: async () => {
    let ended = null;
    while (!(ended = await ask(socket, "endConversation", { conversationId: conversation.conversationId }))) await pause();
    tell({ ended });
  },
  ask: async ([name, data]) => tell({ answer: await ask(socket, name, data) }),
  drop: () => socket.io.engine.close(),
  show: () => tell({ shown, transport: socket.io.engine.transport.name }),
};

for await (const command of commands()) {
  if (command.stop) break;
  for (const [name, how] of Object.entries(command)) void DOING[name](how);
}
socket.disconnect();
process.exit(0);
