// Without a mouse: the skip link, the menu, the switches and a form, by keys alone; and the console
// without any script.
export default async function ({ page, browser, base, values, visit, signIn, check }) {
  await signIn();
  await visit("/");
  await page.keyboard.press("Tab");
  check(await page.evaluate(() => document.activeElement.className) === "skip", "the first stop skips to the content");
  await page.keyboard.press("Enter");
  check(await page.evaluate(() => document.activeElement.id) === "main", "and it does");

  const reach = async (what, test) => {
    for (let i = 0; i < 80; i++) {
      if (await page.evaluate(test)) return true;
      await page.keyboard.press("Tab");
    }
    check(false, `${what} cannot be reached with the Tab key`);
    return false;
  };
  await visit("/");
  await reach("the settings", () => document.activeElement.getAttribute("href") === "/settings");
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  check(ring !== "none", "the stop shows where one is");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/settings/**");
  await reach("the tab of the audit trail", () => document.activeElement.getAttribute("href") === "/settings/audit");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/settings/audit");
  await reach("the field for words", () => document.activeElement.name === "text");
  await page.keyboard.type("wang");
  await page.keyboard.press("Enter");
  await page.waitForURL("**text=wang**");
  check(await page.locator("tbody tr").count() > 0, "the filter found entries");

  await visit("/");
  await reach("the account", () => document.activeElement.matches(".account summary"));
  await page.keyboard.press("Enter");
  check(await page.locator(".account[open]").count() === 1, "Enter opens the account");
  await page.keyboard.press("Escape");
  check(await page.locator(".account[open]").count() === 0, "Escape closes it");
  check(await page.evaluate(() => document.activeElement.matches(".account summary")), "and one is where one was");

  // Looks and language are switched, and stay.
  await page.click(".switches button[name=lang]");
  check(await page.locator("html").getAttribute("lang") === "en", "English is on");
  await page.click(".switches button[name=lang]");
  check(await page.locator("html").getAttribute("lang") === "zh-CN", "Chinese again");
  await page.click(".switches button[name=theme]");
  check(await page.locator("html").getAttribute("data-theme") === "light", "light is on");

  // Everything works without script, on a phone too.
  const plain = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 360, height: 780 } });
  const p = await plain.newPage();
  await p.goto(base + "/sign-in");
  await p.fill("[name=name]", values.name);
  await p.fill("[name=password]", values.password);
  await p.click("main button.primary");
  check(new URL(p.url()).pathname === "/", "one signs in without script");
  check(!(await p.locator("nav.areas").isVisible()), "on a phone the areas are folded");
  await p.click("a.menu");
  check(await p.locator("nav.areas").isVisible(), "and unfold");
  await p.click("nav.areas a[href='/settings']");
  check((await p.locator("h1").count()) === 1, "the menu leads on");
  await plain.close();
}
