// Who opens the console sees how things stand, and finds every area and every part of the settings from there.
export default async function ({ page, visit, signIn, check }) {
  await signIn();
  await visit("/?days=30");
  check(await page.locator("h1").count() === 1, "the page has one heading");
  check(await page.locator(".board .lamp").count() > 80, "every dataset has its lamp");
  const read = await page.locator(".road text.count").nth(1).textContent();
  check(Number(read.replaceAll(",", "")) > 0, `the road counts what was read: ${read}`);
  const areas = await page.locator("nav.areas a").evaluateAll((links) => links.map((a) => a.getAttribute("href")));
  check(areas.length > 2, "the side names the areas");
  for (const area of areas) {
    if (area === "/" || area === "/settings") continue;
    await visit(area);
    check(await page.locator("nav.areas a[aria-current]").count() === 1, "the side shows where one is");
    check(await page.locator("h1").count() === 1, `${area} has one heading`);
  }
  await visit("/settings");
  const tabs = await page.locator("nav.tabs a").evaluateAll((links) => links.map((a) => a.getAttribute("href")));
  check(tabs.length === 6, `an administrator sees every part of the settings, not ${tabs}`);
  for (const tab of tabs) {
    await visit(tab);
    check(await page.locator("nav.tabs a[aria-current]").getAttribute("href") === tab, `${tab} says where one is`);
  }
}
