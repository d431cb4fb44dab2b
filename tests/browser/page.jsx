// A chat page with the hook `useStream`. Its address says what it talks to:
// ?url=SERVER&assistant=GRAPH&transport=sse|websocket, and &thread=THREAD once there is one, so that a reload finds it.
import { useStream } from "@langchain/react";
import { useState } from "react";
import { createRoot } from "react-dom/client";

const address = new URL(location.href);

function remember(threadId) {
  address.searchParams.set("thread", threadId);
  history.replaceState(null, "", address);
}

function Chat() {
  const [text, setText] = useState("");
  const stream = useStream({
    apiUrl: address.searchParams.get("url"),
    assistantId: address.searchParams.get("assistant"),
    transport: address.searchParams.get("transport"),
    threadId: address.searchParams.get("thread"),
    onThreadId: remember,
  });
  const send = () => {
    setText("");
    stream.submit({ messages: [{ type: "human", content: text }] });
  };
  // Without the id, the hook looks for the question among events that may not have come yet.
  const answer = () => stream.respond("yes", { interruptId: stream.interrupt.id });
  return (
    <>
      <p id="status">{stream.isLoading ? "running" : "idle"}</p>
      <ol id="messages">
        {stream.messages.map((message) => (
          <li key={message.id}>
            {message.type}: {message.text}
          </li>
        ))}
      </ol>
      {stream.interrupt && (
        <section id="interrupt">
          <p>{String(stream.interrupt.value)}</p>
          <button id="answer" onClick={answer}>
            Yes
          </button>
        </section>
      )}
      {stream.error && <p id="error">{String(stream.error.message ?? stream.error)}</p>}
      <input id="text" value={text} onChange={(event) => setText(event.target.value)} />
      <button id="send" onClick={send}>
        Send
      </button>
      <button id="stop" onClick={() => stream.stop()}>
        Stop
      </button>
    </>
  );
}

createRoot(document.getElementById("root")).render(<Chat />);
