// The real client library, told what to do: one JSON command a line in, what happens as JSON lines out.
//   node browser.mjs <directory of node_modules> <url> <transport, …> <origin> <JSON for auth>
// {"ask": [name, data]} → {"answer": …}; {"stop": true} ends; each event → {"event": name, "data": …}
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [modules, url, transports, origin, auth] = process.argv.slice(2);
const { io } = createRequire(`${modules}/`)("socket.io-client");

const tell = (said) => process.stdout.write(`${JSON.stringify(said)}\n`);
const socket = io(url, {
  path: "/v1/socket.io",
  transports: transports.split(","),
  extraHeaders: { Origin: origin },
  auth: JSON.parse(auth),
  reconnectionDelay: 100,
  reconnectionDelayMax: 200,
});

socket.on("connect", () => tell({ connected: socket.id }));
socket.on("connect_error", (error) => tell({ refused: error.message, data: error.data ?? null }));
socket.on("disconnect", (reason) => tell({ disconnected: reason }));
socket.onAny((event, data) => tell({ event, data }));

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.stop) break;
  const [name, data] = command.ask;
  socket.timeout(10_000).emit(name, data, (error, answer) => {
    tell({ answer: error ? String(error) : answer, transport: socket.io.engine.transport.name });
  });
}
socket.disconnect();
