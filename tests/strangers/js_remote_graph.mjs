// Runs graphs through the JavaScript RemoteGraph's `streamEvents` v3; prints JSON.
// Usage: node js_remote_graph.mjs URL
import { RemoteGraph } from "@langchain/langgraph/remote";

const url = process.argv[2];
const remote = (graphId) => new RemoteGraph({ graphId, url });
const start = (graphId, input) => remote(graphId).streamEvents(input, { version: "v3" });

async function values() {
  const run = await start("row", { topic: "t" });
  const snapshots = [];
  for await (const value of run.values) snapshots.push(value);
  return [snapshots, await run.output];
}

// From the raw events: `run.messages` stays empty when a run has ended before it is read. This
// client subscribes to tokens when they are asked for, and then asks for later events only: of so
// short a run they may be over. So it is tried until it comes in time.
async function messages() {
  for (let attempt = 0; attempt < 20; attempt++) {
    const run = await start("chat", { messages: [{ role: "human", content: "hi" }] });
    const tokens = [];
    for await (const { params } of run) {
      if (params.data.event === "content-block-delta") tokens.push(params.data.delta.text);
    }
    if (tokens.length > 0) return tokens;
  }
  return [];
}

async function interrupts() {
  const run = await start("approval", { draft: "d" });
  await run.output;
  return [run.interrupted, run.interrupts.map((interrupt) => interrupt.payload)];
}

// From the lifecycle: `run.output` resolves to nothing when a run fails.
async function failure() {
  const run = await start("failing", { how: "value" });
  for await (const { namespace, event, error } of run.lifecycle) {
    if (namespace.length === 0 && event === "failed") return error;
  }
}

const seen = {};
for (const group of [values, messages, interrupts, failure]) seen[group.name] = await group();
console.log(JSON.stringify(seen));
process.exit(0);
