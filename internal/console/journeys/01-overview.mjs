// Who opens the console sees how things stand, and finds every area from there.
export default async function ({ page, visit, look, check }) {
  await visit("/");
  check(await page.locator("h1").count() === 1, "the page has one heading");
  await look("overview");
  const areas = await page.locator("nav.areas a").evaluateAll((links) => links.map((a) => a.getAttribute("href")));
  check(areas.length > 0, "the side names the areas");
  for (const area of areas) {
    if (area === "/") continue;
    await visit(area);
    check(await page.locator("nav.areas a[aria-current]").count() === 1, "the side shows where one is");
    await look("area" + area.replaceAll("/", "-"));
  }
}
