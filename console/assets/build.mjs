// Builds what the console serves from the locked packages and its own files: `make assets`, then commit `served/`.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { compile, compileString } from "sass";

const here = new URL("./", import.meta.url);
const at = (path) => new URL(path, here);
const text = (path) => readFileSync(at(path), "utf8");
const sha256 = (content) => createHash("sha256").update(content).digest("hex");

const quiet = { style: "compressed", quietDeps: true, loadPaths: [at("node_modules").pathname] };
const govuk = compile(at("own/govuk.scss").pathname, quiet).css;
const own = compileString(text("own/console.css"), { style: "compressed" }).css;
const scripts = ["htmx.org/dist/htmx.min.js", "idiomorph/dist/idiomorph-ext.min.js", "htmx-ext-sse/sse.js"];

const made = {
  "console.css": govuk.replace(/^\uFEFF/, "") + "\n" + own.replace(/^\uFEFF/, ""),
  "console.js": [...scripts.map((path) => text(`node_modules/${path}`)), text("own/console.js")].join("\n;\n"),
};

rmSync(at("served/"), { recursive: true, force: true });
mkdirSync(at("served/"));
const files = {};
for (const [name, content] of Object.entries(made)) {
  const hash = sha256(content);
  const served = name.replace(".", `.${hash.slice(0, 12)}.`);
  writeFileSync(at(`served/${served}`), content);
  writeFileSync(at(`served/${served}.gz`), gzipSync(content, { level: 9 }));
  files[name] = { served, sha256: hash };
}
const locked = JSON.parse(text("package-lock.json")).packages;
const taken = ["govuk-frontend", "htmx.org", "idiomorph", "htmx-ext-sse"];
const packages = Object.fromEntries(
  taken.map((name) => {
    const { version, integrity, license } = locked[`node_modules/${name}`];
    return [name, { version, license, integrity }];
  }),
);
const sources = Object.fromEntries(
  readdirSync(at("own/")).sort().map((name) => [`own/${name}`, sha256(text(`own/${name}`))]),
);
writeFileSync(at("vendored.json"), JSON.stringify({ files, packages, sources }, null, 2) + "\n");
