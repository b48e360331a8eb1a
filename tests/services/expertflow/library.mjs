// What both programs share: JSON lines in and out, and the client library in the version that is asked for.
//   node gadget.mjs '<settings>', with at least {modules: the directory of node_modules, library: its name there, url, transports}
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

export const settings = JSON.parse(process.argv[2]);
const library = createRequire(`${settings.modules}/`)(settings.library);
const PATIENCE = 15_000; // ms for an answer over HTTP
const PAUSE = 200; // ms before something is tried again

export const tell = (said) => process.stdout.write(`${JSON.stringify(said)}\n`);
export const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

/** A connection that returns by itself. `options`: of this version. */
export function connect(options = {}) {
  const transports = settings.transports ? { transports: settings.transports.split(",") } : {};
  // 2.5 is the function itself; it keeps a connection per address where nobody says otherwise.
  const socket = (library.io ?? library)(settings.url, {
    ...transports, forceNew: true, reconnectionDelay: 100, reconnectionDelayMax: 400, ...options,
  });
  socket.on("connect", () => tell({ connected: socket.id }));
  socket.on("disconnect", (reason) => tell({ disconnected: reason }));
  socket.on("connect_error", (error) => tell({ refused: error.message ?? String(error) }));
  socket.on("error", (error) => tell({ error: error.message ?? error })); // 2.5 is refused here
  return socket;
}

/** An event and what its acknowledgement carries; null without a connection, or when it ended first. */
export async function ask(socket, name, data) {
  if (!socket.connected) return null; // the library would keep it, and say it before anything is joined
  return await new Promise((resolve) => {
    const lose = () => resolve(null);
    socket.once("disconnect", lose);
    socket.emit(name, data, (answer) => {
      socket.off("disconnect", lose);
      resolve(answer);
    });
  });
}

/** {status, answer}, asked again until the server is there. */
export async function post(path, body) {
  for (;;) {
    try {
      const found = await fetch(`${settings.url}${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (found.status < 500) return { status: found.status, answer: await found.json() };
    } catch {
      // away: it comes back
    }
    await pause();
  }
}

/** Each line of the input, as an object. */
export async function* commands() {
  for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line);
}
