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
// govuk-frontend's package has no file of its own for its licence; this is the one of its repository.
const govukLicence = `The MIT License (MIT)

Copyright (c) 2017 Crown Copyright (Government Digital Service)

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files
(the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge,
publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so,
subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE
FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION
WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
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
// The licences of what is served stand beside it, as they ask; a package that names none in its own file has it in the text.
const licences = taken.map((name) => {
  const folder = at(`node_modules/${name}/`);
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  const own = JSON.parse(text(`node_modules/${name}/package.json`));
  const words = file ? text(`node_modules/${name}/${file}`).trim() : govukLicence;
  const license = own.license ?? (words.startsWith("BSD Zero Clause License") || words.startsWith("Zero-Clause BSD") ? "0BSD" : undefined);
  return { name, license, words };
});
const packages = Object.fromEntries(
  licences.map(({ name, license }) => {
    const { version, integrity } = locked[`node_modules/${name}`];
    return [name, { version, license, integrity }];
  }),
);
writeFileSync(
  at("LICENSES.txt"),
  licences
    .map(({ name, license, words }) => `${name} ${packages[name].version} (${license})\n\n${words}\n`)
    .join("\n----------------------------------------\n\n"),
);
const sources = Object.fromEntries(
  readdirSync(at("own/")).sort().map((name) => [`own/${name}`, sha256(text(`own/${name}`))]),
);
writeFileSync(at("vendored.json"), JSON.stringify({ files, packages, sources }, null, 2) + "\n");
