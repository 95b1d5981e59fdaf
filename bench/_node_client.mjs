// twitter-api-v2 for bench/client.py: for each line `CALLS IN_FLIGHT` it creates so many posts
// and answers with the microseconds of CPU that it took. Its agent goes to the canned server.
import http from "node:http";
import net from "node:net";
import readline from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(process.env.CLIENT_FOLDER + "/");
const { TwitterApi } = require("twitter-api-v2");

class ToCanned extends http.Agent {
  protocol = "https:"; // what the library asks for; the connection below is a plain one
  createConnection(options, done) {
    return net.connect({ host: "127.0.0.1", port: Number(process.env.PORT) }, done);
  }
}

const httpAgent = new ToCanned({ keepAlive: true });
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
