// The real client library, told what to do: one JSON command a line in, what happens as JSON lines out.
//   node browser.mjs <directory of node_modules> <library> <url> <transport, …> <origin> <JSON for auth>
// {"ask": [name, data]} → {"answer": …}; {"stop": true} ends; each event → {"event": name, "data": …}
// Socket.IO 2 says who it is in the address, and hears of a refusal as an error.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [modules, library, url, transports, origin, auth] = process.argv.slice(2);
const { io = undefined, ...old } = createRequire(`${modules}/`)(library);
const isOld = library.endsWith("-2");
const connect = io ?? old.connect;

const tell = (said) => process.stdout.write(`${JSON.stringify(said)}\n`);
const socket = connect(url, {
  path: "/v1/socket.io",
  transports: transports.split(","),
  extraHeaders: { Origin: origin },
  [isOld ? "query" : "auth"]: JSON.parse(auth),
  reconnectionDelay: 100,
  reconnectionDelayMax: 200,
});

socket.on("connect", () => tell({ connected: socket.id }));
socket.on("connect_error", (error) => tell({ refused: error.message, data: error.data ?? null }));
if (isOld) socket.on("error", (message) => tell({ refused: message, data: null }));
socket.on("disconnect", (reason) => tell({ disconnected: reason }));
const heard = socket.onevent;
socket.onevent = (packet) => {
  tell({ event: packet.data[0], data: packet.data[1] });
  heard.call(socket, packet);
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.stop) break;
  const [name, data] = command.ask;
  socket.emit(name, data, (answer) => tell({ answer, transport: socket.io.engine.transport.name }));
}
socket.disconnect();
