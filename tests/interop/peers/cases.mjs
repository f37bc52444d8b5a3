// What a client in JavaScript tries on a server that keeps to the agreement of tests/interop/main.rs: the same cases as in cases.py.
// Runs in Node and in a browser. A peer is an object with `connect(path, options)`, `lacks`, and `print(line)`.

const LARGE = 65_537;
const REASON = "Grüße ".repeat(15) + "123"; // 123 bytes: as long as a reason may be
const SENT_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 3000, 4999];
const RECEIVED_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999];
const WINDOWS = [null, 9, 10, 11, 12, 13, 14, 15];

/// The connection is closed; `code` as this side saw it.
export class Closed extends Error {
  constructor(code, reason) {
    super(`closed with ${code} ${JSON.stringify(reason)}`);
    Object.assign(this, { code, reason });
  }
}

export class Rejected extends Error {
  constructor(status, headers, body) {
    super(`rejected with ${status}`);
    Object.assign(this, { status, headers, body });
  }
}

/// Messages and the end of a connection, for whoever waits for them. Over what Node's `ws` and browsers have in common.
export class Connection {
  #arrived = [];
  #waiting = [];

  constructor(ws) {
    this.ws = ws;
    ws.binaryType = "arraybuffer";
    ws.onmessage = ({ data }) => this.#put(typeof data === "string" ? data : new Uint8Array(data));
    ws.onclose = ({ code, reason }) => this.#put(new Closed(code, reason));
  }

  #put(arrived) {
    if (this.#waiting.length > 0) this.#waiting.shift()(arrived);
    else this.#arrived.push(arrived);
  }

  async #take() {
    if (this.#arrived.length > 0) return this.#arrived.shift();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async receive() {
    const arrived = await this.#take();
    if (arrived instanceof Closed) throw arrived;
    return arrived;
  }

  send(message) {
    this.ws.send(message);
  }

  /// Without arguments the close frame is empty.
  async close(...codeAndReason) {
    this.ws.close(...codeAndReason);
    for (;;) {
      const arrived = await this.#take();
      if (arrived instanceof Closed) return arrived;
    }
  }
}

function show(value) {
  const text = value instanceof Uint8Array ? `${value.length} bytes: ${value.slice(0, 20)}` : JSON.stringify(value);
  return (text ?? "undefined").slice(0, 200);
}

function equal(found, wanted) {
  const same =
    found instanceof Uint8Array && wanted instanceof Uint8Array
      ? found.length === wanted.length && found.every((byte, at) => byte === wanted[at])
      : JSON.stringify(found) === JSON.stringify(wanted);
  if (!same) throw new Error(`${show(found)} where ${show(wanted)} is wanted`);
}

async function echoes(ws, message) {
  ws.send(message);
  equal(await ws.receive(), message);
}

async function opened(peer, path, options, body) {
  const ws = await peer.connect(path, options);
  await body(ws);
  equal((await ws.close(1000)).code, 1000);
}

function bytes(length, of) {
  return Uint8Array.from({ length }, (_, at) => of(at));
}

const CASES = {
  text: (peer) =>
    opened(peer, "/", {}, async (ws) => {
      for (const message of ["hello", "Grüße, 世界 𝄞", "x".repeat(125), "x".repeat(126), "x".repeat(LARGE), "é".repeat(LARGE)])
        await echoes(ws, message);
    }),

  binary: (peer) =>
    opened(peer, "/", {}, async (ws) => {
      for (const message of [bytes(2, (at) => at * 255), bytes(125, () => 0), bytes(65_536, (at) => at % 256), bytes(LARGE, () => 7)])
        await echoes(ws, message);
    }),

  empty: (peer) =>
    opened(peer, "/", {}, async (ws) => {
      await echoes(ws, "");
      await echoes(ws, new Uint8Array());
    }),

  fragments_sent: (peer) =>
    opened(peer, "/", {}, async (ws) => {
      ws.sendFragments(["in ", "", "fragments é"]);
      equal(await ws.receive(), "in fragments é");
      ws.sendFragments(Array(100).fill(bytes(1000, () => 1)));
      equal(await ws.receive(), bytes(100_000, () => 1));
    }),

  fragments_received: (peer) =>
    opened(peer, "/fragments", {}, async (ws) => {
      equal(await ws.receive(), "frag-é-mented");
      await echoes(ws, "and on");
    }),

  ping_sent: (peer) =>
    opened(peer, "/", {}, async (ws) => {
      for (const payload of ["", "mine", "p".repeat(125)]) equal(await ws.ping(payload), payload);
      await echoes(ws, "and on");
    }),

  ping_received: (peer) =>
    opened(peer, "/ping", {}, async (ws) => {
      equal(await ws.receive(), "got pong");
      await echoes(ws, "and on");
    }),

  close_sent: async (peer) => {
    const codes = peer.sentCodes ?? SENT_CODES;
    for (const [code, reason] of [...codes.map((code) => [code, `code ${code}`]), [1000, ""], [4000, REASON]]) {
      const ws = await peer.connect("/watch", {});
      await echoes(ws, "hello");
      await ws.close(code, reason);
      await opened(peer, "/closed", {}, async (ws) => equal(await ws.receive(), `${code} ${reason}`));
    }
  },

  close_sent_without_a_code: async (peer) => {
    const ws = await peer.connect("/watch", {});
    await echoes(ws, "hello");
    await ws.close();
    await opened(peer, "/closed", {}, async (ws) => equal(await ws.receive(), "1005 "));
  },

  close_received: async (peer) => {
    for (const [code, reason] of [...RECEIVED_CODES.map((code) => [code, `code-${code}`]), [1000, ""]]) {
      const ws = await peer.connect(`/close?code=${code}&reason=${reason}`, {});
      const ended = await ws.receive().catch((error) => error);
      equal([ended.code, ended.reason], [code, reason]);
    }
  },

  cut: async (peer) => {
    const ws = await peer.connect("/drop", {});
    const ended = await ws.receive().catch((error) => error);
    equal(ended.code, 1006);
  },

  subprotocol: async (peer) => {
    // A browser wants one of those that it offered (WHATWG, and RFC 6455 §4.1 does not); so do we, if it offered any.
    for (const [offered, chosen] of [[[], ""], [["other", "echo.v1", "echo.v2"], "echo.v1"]])
      await opened(peer, "/", { subprotocols: offered }, async (ws) => equal(ws.ws.protocol, chosen));
  },

  headers: (peer) =>
    opened(peer, "/", { headers: { "X-Echo-Me": 'a, b; c="d"' } }, async (ws) => equal(ws.headers["x-echoed"], 'a, b; c="d"')),

  rejected: async (peer) => {
    const answer = await peer.connect("/reject", {}).catch((error) => error);
    if (!(answer instanceof Rejected)) throw answer instanceof Error ? answer : new Error("let in");
    // A browser tells nothing of the answer, and its own code 1006.
    if (answer.status !== undefined) equal([answer.status, answer.headers["x-reject"], answer.body.trim()], [403, "yes", "forbidden"]);
  },
};

// ---- compression

/// Alike messages, one that does not compress, and repetitions as far apart as the windows are long.
function compressedMessages() {
  const alike = Array.from({ length: 60 }, (_, at) => `{"user": ${at}, "on": true, "name": "wscope"}, `).join("");
  let state = 1n;
  const noise = bytes(17_000, () => {
    state = (state * 1_103_515_245n + 12_345n) % 2n ** 31n;
    return Number((state >> 16n) & 0xffn);
  });
  const far = [200, 500, 4000, 16_000].flatMap((distance) => [...noise.slice(0, distance), ...noise.slice(0, distance)]);
  return [alike, alike, "", "short", noise, Uint8Array.from(far), alike];
}

const MESSAGES = compressedMessages();

function* parameterSets() {
  for (const serverAlone of [false, true])
    for (const clientAlone of [false, true])
      for (const serverWindow of WINDOWS)
        for (const clientWindow of WINDOWS)
          yield {
            server_no_context_takeover: serverAlone,
            client_no_context_takeover: clientAlone,
            server_max_window_bits: serverWindow,
            client_max_window_bits: clientWindow,
          };
}

function query(parameters) {
  const items = Object.entries(parameters).filter(([, value]) => value);
  return items.map(([name, value]) => `${name}=${Number(value)}`).join("&");
}

/// The answer, as parameterSets has it.
function agreed(header) {
  const [name, ...items] = (header ?? "").split(";").map((item) => item.trim());
  equal(name, "permessage-deflate");
  return Object.fromEntries(items.map((item) => item.split("=")).map(([name, value]) => [name, value ? Number(value) : true]));
}

async function deflate(peer, path, offer, wanted) {
  await opened(peer, path, { compression: offer }, async (ws) => {
    const answer = agreed(ws.extensions());
    for (const [name, value] of Object.entries(wanted)) if (value) equal(answer[name], value);
    for (const message of MESSAGES) await echoes(ws, message);
    if (ws.sendFragments) {
      ws.sendFragments(["half of it, ", "half of it, ", "and the rest"]);
      equal(await ws.receive(), "half of it, half of it, and the rest");
    }
  });
}

function* deflateCases() {
  for (const parameters of parameterSets()) {
    const { server_no_context_takeover, server_max_window_bits } = parameters;
    const asked = { server_no_context_takeover, server_max_window_bits };
    yield [`deflate, the client asks: ${query(parameters)}`, "/deflate", parameters, asked];
    // It need not tell of its own window, nor of the largest.
    const { client_max_window_bits: window, client_no_context_takeover } = parameters;
    const told = { server_no_context_takeover, client_no_context_takeover, client_max_window_bits: window === 15 ? null : window };
    yield [`deflate, the server asks: ${query(parameters)}`, `/deflate?${query(parameters)}`, {}, told];
  }
}

/// Every case; the last line is `done`.
export async function run(peer) {
  for (const [name, body] of Object.entries(CASES)) await report(peer, name, () => body(peer));
  for (const [name, ...rest] of deflateCases()) await report(peer, name, () => deflate(peer, ...rest));
  await peer.print("done");
}

async function report(peer, name, body) {
  const why = Object.entries(peer.lacks).find(([lacked]) => name.startsWith(lacked))?.[1];
  if (why) return peer.print(`skipped ${name}: ${why}`);
  try {
    await body();
    await peer.print(`ok ${name}`);
  } catch (error) {
    await peer.print(`failed ${name}: ${error}`.replaceAll("\n", " "));
  }
}
