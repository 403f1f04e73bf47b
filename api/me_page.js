// What the person's page does. The link's secret comes from behind the `#` and goes nowhere but into the body of one
// call; the token stays in this page. Whatever came from a server is put in as text, never as HTML.
const at = id => document.getElementById(id), lang = document.documentElement.lang;
const say = JSON.parse(at("words").textContent);
let token = null;
const secret = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
at("use").hidden = !secret;
at("ask").hidden = !!secret;

const call = async (method, path, body) => {
  const headers = {"Accept-Language": lang};
  if (token) headers.Authorization = "Bearer " + token;
  if (body) headers["Content-Type"] = "application/json";
  if (token && body) headers["Idempotency-Key"] = crypto.randomUUID();
  try {
    const answer = await fetch("/v1/me/" + path, {method, headers, body: body && JSON.stringify(body)});
    const content = answer.status === 204 ? {} : await answer.json();
    const wrong = (content.errors || []).map(each => each.message);
    at("said").textContent = answer.ok ? content.message || "" : [content.title, content.detail, ...wrong].join(" · ");
    return answer.ok ? content : null;
  } catch {
    at("said").textContent = say.unreachable;
    return null;
  }
};

const element = (name, text, children = []) => {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children.filter(Boolean));
  return made;
};
const time = (value, style = {dateStyle: "medium", timeStyle: "short"}) =>
  value && new Intl.DateTimeFormat(lang, {...style, timeZone: "Asia/Shanghai"}).format(new Date(value));
const day = value => value && time(value + "T12:00:00+08:00", {dateStyle: "medium"});
const plainly = value => Array.isArray(value) ? value.join(", ") : value;
const pairs = rows => element("dl", "", rows.filter(([, value]) => value !== null && value !== undefined && value !== "")
  .flatMap(([term, value]) => [element("dt", term), element("dd", String(plainly(value)))]));
const list = items => items.length ? element("ul", "", items.map(each => element("li", each))) : null;
const part = (title, children) => children.filter(Boolean).length
  ? element("section", "", [element("h3", title), ...children]) : null;
const card = (title, children) => element("article", "", [element("h2", title), ...children]);

const permit = each => element("div", "", [
  element("h4", each.place), pairs([
    [say.stands, each.stage_text], [say.authority_number, each.authority_number],
    [say.valid_from, day(each.valid_from)], [say.valid_until, day(each.valid_until)], [say.stay_days, each.stay_days],
    [say.reason, each.end_reason_text], [say.authority_reason, each.authority_reason?.text]])]);
const decision = each => element("div", "", [
  pairs([[say.decision, say["outcome_" + each.outcome]], [say.when, time(each.decided_at)]]), list(each.reasons)]);
const contact = each => element("div", "", [
  element("p", each.says), pairs([[say.new_contact, each.address], [say.serves_from, day(each.serves_from)]])]);
const seen = each => element("div", "", [element("h4", each.label), element("p", each.state_text), pairs([
  [say.when, time(each.at)], [say.value, each.value_text], [say.seen_in, each.seen_in]])]);
const own_case = each => card(each.employer + " · " + each.reference, [
  element("p", each.stage_text), pairs([
    [say.next, each.waits_for],
    [each.due_text, each.due_at && time(each.due_at) + (each.due_provisional ? " · " + say.provisional : "")],
    [say.registration_number, each.registration_number], [say.last_day, day(each.departure?.last_day)],
    [say.reason, each.end_reason_text], [say.accepted_at, time(each.accepted_at)]]),
  part(say.contact_changes, each.contact_changes.map(contact)),
  part(say.recorded_facts, each.recorded_facts.map(seen)),
  part(say.permits, each.permits.map(permit)),
  part(say.decisions, each.decisions.map(decision)),
  part(say.findings, [list(each.findings.map(finding => finding.message))]),
  part(say.remedies, [list(each.remedies), objection(each)])]);
const hour = {timeStyle: "short"};
const reading = each => pairs([
  [say.how, each.way], [say.fields, each.fields_text], [say.what_for, each.purpose_text],
  [say.when, time(each.first_at, hour) + (each.times > 1 ? " – " + time(each.last_at, hour) : "")],
  [say.times, each.times > 1 ? each.times : null], [say.reference, each.references]]);
const day_read = each => card(day(each.day), each.readers.map(
  reader => element("section", "", [element("h3", reader.organisation), ...reader.readings.map(reading)])));
const took_back = each => {
  if (each.kind !== "objection" || each.state !== "open") return null;
  const button = element("button", say.take_back);
  button.onclick = async () => {
    if (await call("POST", "objection-withdrawals", {reference: each.reference, objection: each.id})) await show("objections");
  };
  return button;
};
const objected = each => card(say["about_" + each.about] || say["kind_" + each.kind], [
  element("p", each.text), pairs([
    [say.reference, each.reference], [say.when, time(each.at)],
    [say.answer_due, each.state === "open" ? time(each.due_at) : null],
    [say.answer, say[(each.kind === "objection" ? "objection_" : "outcome_") + each.outcome]], [say.answered_at, time(each.answered_at)]]),
  each.answer && element("p", each.answer), took_back(each)]);
const fact = each => element("tr", "",
  [each.label, each.value_text, each.purpose, each.basis, each.retention].map(text => element("td", String(text ?? ""))));
const version = each => element("div", "", [
  element("h4", each.given_by + " · " + time(each.given_at)),
  element("div", "", [element("table", "", [
    element("tr", "", [say.field, say.value, say.what_for, say.basis, say.kept].map(text => element("th", text))),
    ...each.facts.map(fact)])])]);
const held_case = each => card(each.employer + " · " + each.reference, [
  list(each.legal_holds.map(hold => hold.says)),
  part(say.facts, each.facts.map(version)),
  part(say.recorded_facts, each.recorded_facts.map(seen)),
  part(say.notices, each.notices.map(told => element("details", "", [
    element("summary", time(told.at)), element("pre", told.text || "—")])))]);

const objection = own => {
  const kinds = ["handling", "facts_wrong", "reading", "erasure", "other"];
  if (own.departure && !own.departure.disputed) kinds.unshift("dispute");
  const option = (value, text) => Object.assign(element("option", text), {value});
  const facts = own.recorded_facts.filter(each => each.may_contest)
    .map(each => option("fact/" + each.number, say.about_fact + " " + each.label));
  const decisions = own.may_object.map(
    each => option("against/" + each.against + "/" + (each.destination || ""), say.against + " " + each.label));
  const about = element("select", "", [...decisions, ...facts, ...kinds.map(kind => option(kind, say["about_" + kind]))]);
  const text = Object.assign(element("textarea"), {required: true, maxLength: 2000, rows: 3});
  const form = element("form", "", [
    element("label", say.about + " ", [about]), element("label", say.words + " ", [text]), element("button", say.object)]);
  form.onsubmit = async event => {
    event.preventDefault();
    const body = {reference: own.reference, text: text.value};
    const [kind, which, destination] = about.value.split("/");
    const number = kind === "fact" && Number(which);
    const taken = kind === "against" ? await call("POST", "objections",
      {reference: own.reference, against: which, grounds: text.value, ...destination && {destination}})
      : number ? await call("POST", "contests", {...body, fact: number})
      : about.value === "dispute" ? await call("POST", "disputes", body)
      : await call("POST", "complaints", {...body, about: about.value});
    if (!taken) return;
    await show("objections");
    at("said").textContent = say.taken;
  };
  return element("details", "", [element("summary", say.object), form]);
};

const readings = async (cursor, into) => {
  const content = await call("GET", "access-log/days" + (cursor ? "?cursor=" + encodeURIComponent(cursor) : ""));
  if (!content) return;
  into.append(...content.items.map(day_read));
  if (!content.next_cursor) return;
  const more = element("button", say.more);
  more.onclick = () => { more.remove(); readings(content.next_cursor, into); };
  into.append(more);
};
const download = () => {
  const link = element("button", say.download);
  link.onclick = async () => {
    const held = await call("GET", "data?download=true");
    if (!held) return;
    const url = URL.createObjectURL(new Blob([JSON.stringify(held, null, 2)], {type: "application/json"}));
    Object.assign(document.createElement("a"), {href: url, download: "own-data.json"}).click();
    URL.revokeObjectURL(url);
  };
  return link;
};
const PARTS = {
  "registrations": async into => into.append(...((await call("GET", "registrations"))?.items || []).map(own_case)),
  "access-log": into => readings(null, into),
  "data": async into => {
    const held = await call("GET", "data");
    if (!held) return;
    into.append(download(), ...held.cases.map(held_case), card(say.kept_apart, [list(
      held.kept_apart.map(each => each.says + " · " + say.kept + ": " + each.retention))]));
  },
  "objections": async into => into.append(...((await call("GET", "objections"))?.items || []).map(objected)),
};
const show = async name => {
  const into = element("div");
  await PARTS[name](into);
  for (const each of Object.keys(PARTS)) at(each).setAttribute("aria-pressed", each === name);
  if (!into.hasChildNodes() && !at("said").textContent) into.append(element("p", say.nothing));
  at("shown").replaceChildren(into);
};

at("sign-in").onclick = async () => {
  const opened = await call("POST", "sessions", {link: secret});
  at("use").hidden = true;
  at("ask").hidden = !!opened;
  if (!opened) return;
  token = opened.token;
  at("in").hidden = false;
  await show("registrations");
};
at("ask").onsubmit = async event => {
  event.preventDefault();
  const address = at("address").value.trim(), body = {reference: at("reference").value.trim()};
  body[address.includes("@") ? "email" : "phone"] = address;
  await call("POST", "sign-in-links", body);
};
for (const name of Object.keys(PARTS)) at(name).onclick = () => show(name);
at("sign-out").onclick = async () => { await call("POST", "sign-out"); location.reload(); };
