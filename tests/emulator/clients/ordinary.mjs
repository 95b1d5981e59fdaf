// An ordinary script with twitter-api-v2, run in its own process.
// Only hosts and credentials differ from a script for X: the agent connects to the emulator.
import http from "node:http";
import net from "node:net";
import { createRequire } from "node:module";

const require = createRequire(process.env.CLIENT_FOLDER + "/");
const { TwitterApi } = require("twitter-api-v2");
const { TwitterApiRateLimitPlugin } = require("@twitter-api-v2/plugin-rate-limit");

const emulator = new URL(process.env.EMULATOR);

class ToEmulator extends http.Agent {
  protocol = "https:"; // The library requires https, but the connection below is not encrypted.
  createConnection(options, done) {
    return net.connect({ host: emulator.hostname, port: emulator.port }, done);
  }
}

const httpAgent = new ToEmulator({ keepAlive: true });
const rateLimits = new TwitterApiRateLimitPlugin();
const settings = { httpAgent, plugins: [rateLimits] };
const ask = JSON.parse(process.env.ASK ?? "{}");

async function login() {
  const app = new TwitterApi(
    { clientId: ask.client_id, clientSecret: ask.client_secret },
    settings,
  );
  const link = app.generateOAuth2AuthLink(ask.callback, {
    scope: ["tweet.read", "tweet.write", "users.read", "media.write", "offline.access"],
  });
  const form = new URLSearchParams(new URL(link.url).search);
  form.set("user", "tidewatcher");
  form.set("decision", "allow");
  const consented = await fetch(`${emulator.origin}/i/oauth2/authorize`, {
    method: "POST",
    body: form,
    redirect: "manual",
  });
  const back = new URL(consented.headers.get("location"));
  const first = await app.loginWithOAuth2({
    code: back.searchParams.get("code"),
    codeVerifier: link.codeVerifier,
    redirectUri: ask.callback,
  });
  return app.refreshOAuth2Token(first.refreshToken);
}

async function sign() {
  const app = new TwitterApi({ appKey: ask.api_key, appSecret: ask.api_secret }, settings);
  const link = await app.generateAuthLink(ask.callback);
  const form = new URLSearchParams(new URL(link.url).search);
  form.set("user", "tidewatcher");
  form.set("decision", "allow");
  const consented = await fetch(`${emulator.origin}/oauth/authorize`, {
    method: "POST",
    body: form,
    redirect: "manual",
  });
  const back = new URL(consented.headers.get("location"));
  const keys = {
    appKey: ask.api_key,
    appSecret: ask.api_secret,
    accessToken: link.oauth_token,
    accessSecret: link.oauth_token_secret,
  };
  const { client } = await new TwitterApi(keys, settings).login(
    back.searchParams.get("oauth_verifier"),
  );
  return client;
}

const scripts = {
  async publish(client) {
    const me = await client.v2.me();
    const thread = await client.v2.tweetThread(["One", "Two", "Three", "Four", "Five", "Six"]);
    await client.v2.tweet("Sail today?", { poll: { options: ["Yes", "No"], duration_minutes: 60 } });
    const timeline = await client.v2.userTimeline(me.data.id, { max_results: 5 });
    const read = [];
    for await (const post of timeline) read.push(post.id);
    const gone = await client.v2.deleteTweet(thread[0].data.id);
    // The full URL is given, because the plugin's `.v2` uses the host of older releases.
    const limit = await rateLimits.getRateLimit("https://api.x.com/2/users/me", "GET");
    return {
      me: me.data.username,
      thread: thread.map((each) => each.data.id),
      read,
      deleted: gone.data.deleted,
      limit: { limit: limit.limit, remaining: limit.remaining },
    };
  },
  async media(client) {
    const fs = require("node:fs");
    const found = [];
    for (const each of ask.files) {
      const content = fs.readFileSync(each.path);
      const options = { media_type: each.media_type, media_category: each.category };
      found.push(await client.v2.uploadMedia(content, options, ask.segment));
    }
    await client.v2.tweet("Look", { media: { media_ids: [found[0]] } });
    return { found };
  },
  async legacy_media(client) {
    const found = [];
    for (const each of ask.files) {
      found.push(await client.v1.uploadMedia(each.path, { mimeType: each.media_type }));
    }
    await client.v1.createMediaMetadata(found[0], { alt_text: { text: "A tide" } });
    await client.v2.tweet("Look", { media: { media_ids: [found[0]] } });
    return { found };
  },
  async metrics(client) {
    const post = await client.v2.tweet("Springs and neaps");
    await fetch(`${emulator.origin}/_emulator/clock`, {
      method: "POST",
      body: JSON.stringify({ jump_seconds: 3600 }),
    });
    const fields = ["public_metrics", "non_public_metrics", "organic_metrics"];
    const response = await client.v2.tweets([post.data.id], { "tweet.fields": fields });
    return { post: response.data[0] };
  },
  async refusals(client) {
    await client.v2.tweet("Once");
    const duplicate = await client.v2.tweet("Once").catch((error) => error);
    return { code: duplicate.code, detail: duplicate.data.detail, limit: duplicate.rateLimit.limit };
  },
};

const client = ask.signed ? await sign() : (await login()).client;
console.log(JSON.stringify(await scripts[process.env.SCRIPT](client)));
httpAgent.destroy();
