// The browser's own WebSocket as client. The server's URL is the query of the page's.

import { Connection, Rejected, run } from "./cases.mjs";

class BrowserConnection extends Connection {
  extensions() {
    return this.ws.extensions;
  }
}

const base = decodeURIComponent(location.search.slice(1));

const peer = {
  lacks: {
    fragments_sent: "a browser sends whole messages only",
    ping_sent: "a page cannot send pings",
    headers: "a page cannot choose headers",
    "deflate, the client asks": "a page cannot choose parameters",
  },
  /// A page may give these only.
  sentCodes: [1000, 3000, 4999],

  connect(path, { subprotocols = [] }) {
    const ws = new WebSocket(base + path, subprotocols);
    const connection = new BrowserConnection(ws);
    return new Promise((resolve, reject) => {
      ws.onopen = () => resolve(connection);
      ws.onerror = () => reject(new Rejected());
    });
  },

  print: (line) => fetch("/", { method: "POST", body: line }),
};

await run(peer);
