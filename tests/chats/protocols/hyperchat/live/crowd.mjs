// Many connections of the real client library in one process; each event below is a JSON line.
//   node crowd.mjs <directory of node_modules> <library> <url> <transport, …> <origin> <JSON for auth> <how many>
// {"number", "sid": the session's id, "transport"} when a connection has asked something, and has its last transport;
// {"number", "refused"} when it was not let in; it goes on to try. The end of the input is the end.
import { createRequire } from "node:module";

const [modules, library, url, transports, origin, auth, howMany] = process.argv.slice(2);
const { io = undefined, ...old } = createRequire(`${modules}/`)(library);
const wanted = transports.split(",");
const options = {
  path: "/v1/socket.io",
  transports: wanted,
  forceNew: true,
  extraHeaders: { Origin: origin },
  [library.endsWith("-2") ? "query" : "auth"]: JSON.parse(auth),
  reconnectionDelay: 100,
  reconnectionDelayMax: 500,
};

const tell = (said) => process.stdout.write(`${JSON.stringify(said)}\n`);
const sockets = [];
for (let number = 0; number < Number(howMany); number += 1) {
  const socket = (io ?? old.connect)(url, options);
  sockets.push(socket);
  socket.on("connect", () => {
    const { engine } = socket.io;
    const report = () => tell({ number, sid: engine.id, transport: engine.transport.name });
    socket.emit("users:chats", {}, () => {
      if (engine.transport.name === wanted.at(-1)) report();
      else engine.once("upgrade", report);
    });
  });
  for (const name of ["connect_error", "error"]) {
    socket.on(name, (error) => tell({ number, refused: String(error?.message ?? error) }));
  }
}
process.stdin.resume();
process.stdin.on("end", () => sockets.forEach((socket) => socket.disconnect()));
