// Runs one journey. The order comes as JSON on standard input; what is printed is for who reads a
// failed test. A journey is a module whose default export is called with the things below.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const order = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(join(order.modules, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const desktop = { width: 1366, height: 860 };
const phone = { width: 360, height: 780 };
const browser = await chromium.launch({ executablePath: order.chromium, args: order.root ? ["--no-sandbox"] : [] });
const context = await browser.newContext({ viewport: desktop, locale: "zh-CN", timezoneId: "Asia/Shanghai", reducedMotion: "reduce", acceptDownloads: true });
context.setDefaultTimeout(20_000);
const page = await context.newPage();

// What goes wrong is kept, and told at the end: a journey goes on as a person would.
const faults = [];
const fault = (words) => { faults.push(words); console.log("FAULT " + words); };
const expected = new Set(); // statuses that the next pages may answer with
const watch = (p) => {
  p.on("console", (m) => { if (m.type() === "error" && !/status of \d+/.test(m.text())) fault(`${p.url()}: the browser says: ${m.text()}`); });
  p.on("pageerror", (e) => fault(`${p.url()}: the script broke: ${e.message}`));
  p.on("requestfailed", (r) => { if (r.failure()?.errorText !== "net::ERR_ABORTED") fault(`${r.url()}: ${r.failure()?.errorText}`); });
  p.on("response", (r) => {
    if (r.status() >= 400 && !expected.has(r.status())) fault(`${r.request().method()} ${r.url()} answered ${r.status()}`);
    if (new URL(r.url()).origin !== new URL(order.base).origin) fault(`${r.url()}: the page asks a stranger`);
  });
};
watch(page);

// A form or a link leaves its page a moment after the click. Whoever clicks looks at the page that
// answers, so a click ends when that page is there, or when it has turned out to be a file.
const left = new WeakMap(); // page: how often it was left
function leavings(p) {
  if (!left.has(p)) {
    left.set(p, 0);
    p.on("framenavigated", (f) => { if (f === p.mainFrame()) left.set(p, left.get(p) + 1); });
    p.on("download", () => left.set(p, left.get(p) + 1));
  }
  return left.get(p);
}
async function follow(p, act) {
  const before = leavings(p);
  await p.evaluate(() => {
    window.leaving = false;
    if (window.watched) return;
    window.watched = true;
    addEventListener("submit", (e) => { if (!e.defaultPrevented) window.leaving = true; });
    addEventListener("click", (e) => {
      const a = e.target.closest?.("a[href]");
      if (a && !e.defaultPrevented && !a.target && a.href.split("#")[0] !== location.href.split("#")[0]) window.leaving = true;
    });
  });
  const result = await act();
  if (!await p.evaluate(() => window.leaving).catch(() => true)) return result;
  for (let i = 0; leavings(p) === before && i < 600; i++) await new Promise((r) => setTimeout(r, 50));
  await p.waitForLoadState("load");
  return result;
}
const pages = Object.getPrototypeOf(page), locators = Object.getPrototypeOf(page.locator("main"));
for (const name of ["click", "press"]) {
  const ofPage = pages[name], ofLocator = locators[name];
  pages[name] = function (...args) { return follow(this, () => ofPage.apply(this, args)); };
  locators[name] = function (...args) { return follow(this.page(), () => ofLocator.apply(this, args)); };
}

// check says what does not hold, with where it was looked for.
function check(holds, words) { if (!holds) fault(`${page.url()}: ${words}`); }

// accessible runs axe; serious and critical findings are faults.
async function accessible(p, how) {
  // The page's own policy forbids foreign script, so axe is brought in past it, by the debugger.
  await p.evaluate(axe);
  const found = await p.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const v of found.violations) {
    if (v.impact !== "serious" && v.impact !== "critical") continue;
    fault(`${p.url()} (${how}): axe: ${v.id}: ${v.help}: ` + v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? "")).join(" | "));
  }
}

// fits says whether a page can be read on a phone without scrolling sideways.
async function fits(p) {
  await p.setViewportSize(phone);
  const wide = await p.evaluate(() => document.documentElement.scrollWidth);
  if (wide > phone.width) {
    const who = await p.evaluate((w) => [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > w + 1 && !e.closest(".table, .chart-box, pre, .tabs, .diff")).slice(0, 3).map((e) => e.tagName + "." + e.className), phone.width);
    fault(`${p.url()}: ${wide} pixels wide on a phone: ${who.join(", ")}`);
  }
}

const themed = (p, theme) => p.evaluate((t) => { document.documentElement.dataset.theme = t; }, theme);

// look looks at the page as it stands: light, dark, on a phone, and in English; it keeps a picture.
async function look(name) {
  const before = await page.evaluate(() => document.documentElement.dataset.theme);
  await page.evaluate(() => scrollTo(0, 0));
  await themed(page, "light");
  await page.screenshot({ path: join(order.pictures, name + ".png") });
  await accessible(page, "light");
  await themed(page, "dark");
  await page.screenshot({ path: join(order.pictures, name + "-dark.png") });
  await accessible(page, "dark");
  await themed(page, before);
  await fits(page);
  await page.screenshot({ path: join(order.pictures, name + "-phone.png") });
  await page.setViewportSize(desktop);
  await inEnglish(name);
  console.log("looked at " + name + " " + page.url());
}

// inEnglish looks at the same address once more, as who reads English sees it.
async function inEnglish(name) {
  const other = await browser.newContext({ viewport: desktop, locale: "en-GB", storageState: await context.storageState(), reducedMotion: "reduce" });
  await other.addCookies([{ name: "lang", value: "en", url: order.base }]);
  const p = await other.newPage();
  watch(p);
  const answer = await p.goto(page.url());
  if (answer && answer.status() < 400) {
    await p.screenshot({ path: join(order.pictures, name + "-en.png") });
    await accessible(p, "English");
    await fits(p);
  }
  await other.close();
}

// visit opens a path of the hub.
const visit = (path) => page.goto(order.base + path);

// signIn signs in with a name and a password, the first administrator's unless others are given.
async function signIn(name = order.values?.name, password = order.values?.password) {
  await visit("/sign-in");
  await page.fill("[name=name]", name);
  await page.fill("[name=password]", password);
  await page.click("main button.primary");
  check(new URL(page.url()).pathname !== "/sign-in", `${name} cannot sign in: ${await page.locator("main").innerText()}`);
}

// signOut leaves the account.
async function signOut() {
  await page.click(".account summary");
  await page.click('.account form[action="/sign-out"] button');
}

// newcomer lets the first administrator make an account, and leaves the page signed in as the person,
// who has changed the temporary password by then. The password is given back.
async function newcomer(name, title, ...roles) {
  await signIn();
  await visit("/settings/users/new");
  await page.fill("[name=name]", name);
  await page.fill("[name=title]", title);
  for (const role of roles) await page.check(`[name=role][value=${role}]`);
  await page.click("main button.primary");
  const temporary = await page.locator("#secret").innerText();
  const own = "quiet rivers carry lanterns every autumn";
  await signOut();
  await signIn(name, temporary);
  await page.fill("[name=old]", temporary);
  await page.fill("[name=password]", own);
  await page.fill("[name=again]", own);
  await page.click("main button.primary");
  check(new URL(page.url()).pathname === "/account", `${name} cannot change the temporary password`);
  return own;
}

// expecting lets pages answer with a status while something is done.
async function expecting(status, doing) {
  expected.add(status);
  try { await doing(); } finally { expected.delete(status); }
}

let went = false;
try {
  const journey = (await import(pathToFileURL(order.script))).default;
  await journey({ page, context, browser, base: order.base, values: order.values ?? {}, pictures: order.pictures, visit, signIn, signOut, newcomer, look, check, fault, expecting, accessible, fits });
  went = true;
} catch (e) {
  fault(`${page.url()}: ${e.stack}`);
  await page.screenshot({ path: join(order.pictures, "broken.png"), fullPage: true }).catch(() => {});
  console.log("the page says: " + (await page.locator("main").innerText().catch(() => "")).slice(0, 1500));
} finally {
  await browser.close();
}
console.log(`${faults.length} faults`);
process.exit(went && faults.length === 0 ? 0 : 1);
