// `ws` of Node as server and as client: `ws_peer.mjs server`, `ws_peer.mjs client URL`.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";
import { URL } from "node:url";

// From where the packages are installed, which is not beside this file.
const require = createRequire(`${process.env.INTEROP_PACKAGES}/`);
const { WebSocket, WebSocketServer } = require("ws");
import { Connection, Rejected, run } from "./cases.mjs";

/// As `ws` calls the four parameters. Everything is compressed, however short.
function options(parameters) {
  const { server_no_context_takeover, client_no_context_takeover, server_max_window_bits, client_max_window_bits } = parameters;
  return {
    threshold: 0,
    ...(server_no_context_takeover && { serverNoContextTakeover: true }),
    ...(client_no_context_takeover && { clientNoContextTakeover: true }),
    ...(server_max_window_bits && { serverMaxWindowBits: Number(server_max_window_bits) }),
    ...(client_max_window_bits && { clientMaxWindowBits: Number(client_max_window_bits) }),
  };
}

// ---- the client

class NodeConnection extends Connection {
  constructor(ws, headers) {
    super(ws);
    this.headers = headers;
  }

  extensions() {
    return this.headers["sec-websocket-extensions"];
  }

  sendFragments(parts) {
    parts.forEach((part, at) => this.ws.send(part, { fin: at === parts.length - 1 }));
  }

  /// The payload of the pong.
  ping(payload) {
    return new Promise((resolve) => {
      this.ws.once("pong", (payload) => resolve(payload.toString()));
      this.ws.ping(payload);
    });
  }
}

function connect(url, { subprotocols = [], headers = {}, compression }) {
  const perMessageDeflate = compression ? options(compression) : false;
  const ws = new WebSocket(url, subprotocols, { headers, perMessageDeflate });
  return new Promise((resolve, reject) => {
    let answered;
    // What comes right behind the handshake must find a listener.
    ws.on("upgrade", (response) => (answered = new NodeConnection(ws, response.headers)));
    ws.on("open", () => resolve(answered));
    ws.on("error", reject);
    ws.on("unexpected-response", (_, response) => {
      const body = [];
      response.on("data", (piece) => body.push(piece));
      response.on("end", () => reject(new Rejected(response.statusCode, response.headers, Buffer.concat(body).toString())));
    });
  });
}

// ---- the server

/// How watched connections ended, for whoever asks.
const ends = [];
const asking = [];

function ended(end) {
  if (asking.length > 0) asking.shift().send(end);
  else ends.push(end);
}

function serve(ws, url) {
  const handlers = {
    "/close": () => ws.close(Number(url.searchParams.get("code")), url.searchParams.get("reason") ?? ""),
    "/closed": () => {
      asking.push(ws);
      if (ends.length > 0) ended(ends.shift());
    },
    "/drop": () => ws.terminate(),
    "/fragments": () => {
      ws.send("frag-", { fin: false });
      ws.ping("mid");
      ws.send("é-", { fin: false });
      ws.send("mented");
    },
    "/ping": () => {
      ws.once("pong", () => ws.send("got pong"));
      ws.ping("srv-ping");
    },
    "/watch": () => ws.on("close", (code, reason) => ended(`${code} ${reason}`)),
  };
  ws.on("message", (data, binary) => ws.send(data, { binary }));
  ws.on("error", () => {}); // its `close` follows
  handlers[url.pathname]?.();
}

function listen() {
  const server = createServer();
  server.on("upgrade", (request, socket, head) => {
    const url = new URL(request.url, "ws://127.0.0.1");
    if (url.pathname === "/reject") {
      const body = "forbidden\n";
      socket.end(`HTTP/1.1 403 Forbidden\r\nX-Reject: yes\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      return;
    }
    const compressing = url.pathname === "/deflate" && options(Object.fromEntries(url.searchParams));
    const handleProtocols = (offered) => [...offered].find((name) => name.startsWith("echo.")) ?? false;
    const one = new WebSocketServer({ noServer: true, perMessageDeflate: compressing, handleProtocols });
    const echoed = request.headers["x-echo-me"];
    one.on("headers", (headers) => echoed && headers.push(`X-Echoed: ${echoed}`));
    one.handleUpgrade(request, socket, head, (ws) => serve(ws, url));
  });
  server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
}

console.log(`version ws ${require("ws/package.json").version}, Node ${process.versions.node}`);
const [role, base] = process.argv.slice(2);
if (role === "server") listen();
else await run({ connect: (path, options) => connect(base + path, options), lacks: {}, print: console.log });
