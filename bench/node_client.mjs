// Runs the client twitter-api-v2 for bench/client.py. For each line `CALLS IN_FLIGHT` on standard
// input, the program creates CALLS posts and prints the microseconds of CPU time. The client's agent
// sends all requests to the server of fixed responses.
import http from "node:http";
import net from "node:net";
import readline from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(process.env.CLIENT_FOLDER + "/");
const { TwitterApi } = require("twitter-api-v2");

class RedirectingAgent extends http.Agent {
  protocol = "https:"; // The library requires https, but the connection below is not encrypted.
  createConnection(options, done) {
    return net.connect({ host: "127.0.0.1", port: Number(process.env.PORT) }, done);
  }
}

const httpAgent = new RedirectingAgent({ keepAlive: true });
const client = new TwitterApi("token".repeat(20), { httpAgent });
let number = 0;

async function create(calls) {
  for (let done = 0; done < calls; done++) {
    await client.v2.tweet(`Number ${number++}: the tide turns at nine, and the boats go out.`);
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [calls, inFlight] = line.split(" ").map(Number);
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: inFlight }, () => create(calls / inFlight)));
  const used = process.cpuUsage(before);
  console.log(used.user + used.system);
}
