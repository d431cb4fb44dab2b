// Follows threads with the JavaScript SDK, by server-sent events and by a WebSocket; prints JSON.
// Usage: node js_event_streams.mjs URL
import { Client } from "@langchain/langgraph-sdk";
import { WebSocket } from "ws";

globalThis.WebSocket ??= WebSocket; // Node.js has one of its own from version 22 on.
const client = new Client({ apiUrl: process.argv[2] });

async function snapshots(transport) {
  const thread = client.threads.stream({ assistantId: "row", transport });
  await thread.run.start({ input: { topic: "t" } });
  const found = [];
  for await (const values of thread.values) found.push(values);
  await thread.close();
  return found;
}

async function answered(transport) {
  const thread = client.threads.stream({ assistantId: "approval", transport });
  await thread.run.start({ input: { draft: "d" } });
  await thread.values;
  const [question] = thread.interrupts;
  await thread.input.respond({
    interrupt_id: question.interruptId,
    namespace: question.namespace ?? [],
    response: "yes",
  });
  const [run] = await client.runs.list(thread.threadId, { limit: 1 });
  const values = await client.runs.join(thread.threadId, run.run_id);
  await thread.close();
  return [question.payload, values.answers];
}

const seen = {};
for (const transport of ["sse", "websocket"]) {
  seen[transport] = [await snapshots(transport), await answered(transport)];
}
console.log(JSON.stringify(seen));
process.exit(0);
