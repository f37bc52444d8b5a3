// A headless Chromium as client: `chromium_peer.mjs client URL`. It is given a page that runs the cases, and the page sends its lines
// back here. The browser is a package, so that nothing but npm is needed.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const PAGE = `<!doctype html><script type="module" src="/browser.mjs"></script>`;

async function executable() {
  const require = createRequire(`${process.env.INTEROP_PACKAGES}/`);
  const { default: chromium } = await import(pathToFileURL(require.resolve("@sparticuz/chromium")));
  return chromium.executablePath(); // unpacked into the folder for temporary files
}

async function version(path) {
  const asked = spawn(path, ["--version"], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  asked.stdout.on("data", (piece) => (text += piece));
  const [code] = await once(asked, "close");
  if (code !== 0) throw new Error(`it does not run here, exit code ${code}`);
  return text.trim();
}

/// Files for the page, and its lines.
function serve(finish) {
  return createServer((request, response) => {
    if (request.method === "POST") {
      let line = "";
      request.setEncoding("utf8").on("data", (piece) => (line += piece));
      request.on("end", () => {
        response.end();
        if (line === "done") finish();
        else console.log(line);
      });
    } else if (request.url.endsWith(".mjs")) {
      const name = ["/cases.mjs", "/browser.mjs"].find((name) => name === request.url);
      response.setHeader("Content-Type", "text/javascript; charset=utf-8");
      response.end(name ? readFileSync(fileURLToPath(new URL(`.${name}`, import.meta.url))) : "");
    } else {
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      response.end(PAGE);
    }
  });
}

const path = await executable();
console.log(`version ${await version(path)}`);

let finish;
let isFinished = false;
const finished = new Promise((resolve) => (finish = resolve)).then(() => (isFinished = true));
const server = serve(finish).listen(0, "127.0.0.1");
await once(server, "listening");

const profile = mkdtempSync(`${tmpdir()}/profile-`);
const page = `http://127.0.0.1:${server.address().port}/?${encodeURIComponent(process.argv[3])}`;
const flags = ["--headless", "--no-sandbox", "--no-zygote", "--single-process", "--disable-gpu", "--no-proxy-server"];
const browser = spawn(path, [...flags, "--remote-debugging-port=0", `--user-data-dir=${profile}`, page], { stdio: "ignore" });
const left = once(browser, "exit").then(([code]) => code === null || console.log(`failed the browser left: exit code ${code}`));
await Promise.race([finished, left]);
browser.kill("SIGKILL");
await left;
rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
if (isFinished) console.log("done");
process.exit();
