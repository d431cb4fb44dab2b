// Drives a server with the JavaScript SDK; prints what it saw, as one JSON object.
// Usage: node js_client.mjs URL
import { Client } from "@langchain/langgraph-sdk";

const client = new Client({ apiUrl: process.argv[2] });

async function collect(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

async function threads() {
  const thread = await client.threads.create({ metadata: { by: "js" } });
  const found = await client.threads.search({ metadata: { by: "js" } });
  await client.threads.update(thread.thread_id, { metadata: { more: 1 } });
  const changed = await client.threads.get(thread.thread_id);
  await client.threads.delete(thread.thread_id);
  return [found.length, changed.metadata];
}

async function runs() {
  const { thread_id } = await client.threads.create();
  const waited = await client.runs.wait(thread_id, "row", { input: { topic: "t" } });
  const run = await client.runs.create(thread_id, "counter", { input: { count: 1 } });
  await client.runs.join(thread_id, run.run_id);
  const listed = await client.runs.list(thread_id);
  return [waited, listed.map((one) => one.status)];
}

async function streams() {
  const seen = {};
  for (const streamMode of ["values", "updates", "custom", "tasks", "debug"]) {
    const { thread_id } = await client.threads.create();
    const parts = await collect(
      client.runs.stream(thread_id, "row", { input: { topic: "t" }, streamMode }),
    );
    seen[streamMode] = parts.map((part) => part.event);
  }
  return seen;
}

async function interrupts() {
  const { thread_id } = await client.threads.create();
  const paused = await client.runs.wait(thread_id, "approval", { input: { draft: "d" } });
  const state = await client.threads.getState(thread_id);
  const resumed = await client.runs.wait(thread_id, "approval", { command: { resume: "yes" } });
  const history = await client.threads.getHistory(thread_id);
  return [paused.__interrupt__[0].value, state.next, resumed, history.length];
}

async function storeAndCrons() {
  await client.store.putItem(["js"], "k", { n: 1 });
  const item = await client.store.getItem(["js"], "k");
  const cron = await client.crons.create("row", { schedule: "0 0 1 1 *", input: {} });
  const found = await client.crons.search();
  await client.crons.delete(cron.cron_id);
  return [item.value, found.length];
}

const seen = {};
for (const group of [threads, runs, streams, interrupts, storeAndCrons]) {
  seen[group.name] = await group();
}
console.log(JSON.stringify(seen));
