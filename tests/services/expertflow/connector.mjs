// A connector of a messaging network: it carries what phones send to conversations, and what is said there to phones.
//   settings: channel, secret, center, proof = "query" | "auth" (how its socket shows the secret), wire = tell all that the socket brings
// In:  {sms: {id, from, text, attachments?, …init's own members}} · {drop: true} · {stop: true}
// Out: {connected} {disconnected} {refused} {registered} {carried: id, conversationId} {network: {by, to, text, id, attachments}} {arrived}
import { ask, commands, connect, pause, post, settings, tell } from "./library.mjs";

const keys = { contactCenterId: settings.center, secret: settings.secret };
const socket = connect(settings.proof === "auth" ? { auth: keys } : { query: keys });
const inbox = [];
let isWorking = false;

socket.on("connect", async () => {
  const { channel } = settings;
  tell({ registered: await ask(socket, "registerConnector", { id: channel, name: `The ${channel} bridge`, channel }) });
});
socket.on("messageArrived", (message) => {
  if (settings.wire) tell({ wire: message });
  if (message.type === "ChatMessage" && message.refId) {
    const { from, refId, text, id, attachments } = message;
    tell({ network: { by: from.name, to: refId, text, id, attachments } });
  } else tell({ arrived: message });
});
socket.on("conversationInfo", (info) => settings.wire && tell({ wire: info }));

/** One after another, each until it is acknowledged: a network hands over a message once. */
async function carry() {
  if (isWorking) return;
  isWorking = true;
  for (; inbox.length; inbox.shift()) {
    const { id } = inbox[0];
    let conversationId;
    while (!(conversationId = await bring(inbox[0]))) await pause();
    tell({ carried: id, conversationId });
  }
  isWorking = false;
}

/** The conversation in which the message is stored by now: begun, joined, said. Nothing where it could not be. */
async function bring({ id, from, text, attachments = [], ...own }) {
  const { channel } = settings;
  const facts = { firstName: from, phone: from, refId: from, channel, language: "en", reqestId: id, timestamp: now() };
  const { status, answer } = await post(`/api/customer/init?${new URLSearchParams(keys)}`, { ...facts, ...own });
  if (settings.wire) tell({ wire: answer });
  if (status !== 200) return void tell({ failed: "init", answer });
  const { conversationId, participant: { id: me, name } } = answer;
  const joined = await ask(socket, "joinConversation", { conversationId, id: me, name });
  if (joined?.code !== 200) return void tell({ failed: "joinConversation", answer: joined });
  const message = { conversationId, type: "ChatMessage", from: { id: me, name }, to: [], tag: "" };
  const sent = await ask(socket, "sendMessage", { ...message, id, text, attachments });
  return sent?.code === 200 ? conversationId : void tell({ failed: "sendMessage", answer: sent });
}

const now = () => new Date().toISOString();

const DOING = {
  sms: (sms) => {
    inbox.push(sms);
    void carry();
  },
  drop: () => socket.io.engine.close(),
};

for await (const command of commands()) {
  if (command.stop) break;
  for (const [name, how] of Object.entries(command)) DOING[name](how);
}
socket.disconnect();
process.exit(0);
