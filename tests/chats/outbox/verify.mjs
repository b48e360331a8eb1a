// Verifies calls with the reference library of Standard Webhooks; argument: the folder with node_modules. Each call comes as one line
// of JSON {secret, body, headers}; each is answered by one: the payload as it was read, or {error}.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { Webhook } = createRequire(`${process.argv[2]}/`)("standardwebhooks");

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, body, headers } = JSON.parse(line);
  let answer;
  try {
    answer = { payload: new Webhook(secret).verify(body, headers) };
  } catch (error) {
    answer = { error: error.message };
  }
  console.log(JSON.stringify(answer));
}
