// The credit office looks an entity up by part of its name, for a purpose that is kept, and follows
// its grade down to records and clauses, to where the data comes from, and to the printed page.
export default async function ({ page, visit, newcomer, look, check }) {
  await newcomer("zhao.credit", "赵信用", "credit_office");

  // The search of the bar knows no purpose yet, so it is asked for one.
  await visit("/grades");
  await look("grades");
  await page.fill(".top-search input", "舞钢");
  await page.press(".top-search input", "Enter");
  check(await page.locator("main .notice.warn").count() === 1, "a query without a purpose is asked for one");
  await page.selectOption("main [name=purpose]", "objection");
  await page.click("main form[role=search] button.primary");
  check(await page.locator("main tbody tr").count() > 3, "part of a name finds entities");
  await look("find");

  // One is taken whose grade stands on records, not on the base points alone.
  const found = await page.locator("main a.standing:has(.grade)").evaluateAll((links) => links.map((a) => a.getAttribute("href")));
  for (const href of found.slice(0, 20)) {
    await visit(href);
    if (await page.locator(".point-record a[href^='/catalogue/datasets/']").count()) break;
  }
  const points = (words) => Number(words.replace("−", "-").replace(/[*\s]/g, ""));
  const total = points(await page.locator(".points-total .num").innerText());
  const parts = await page.locator(".points-group > h3 .num, .points-whole .num").allInnerTexts();
  const sum = parts.reduce((all, words) => all + points(words), 0);
  check(Math.abs(sum - total) < 0.001, `the parts ${parts} sum to ${sum}, the total is ${total}`);
  check((await page.locator(".verdict .wording").innerText()).length > 10, "the notice's wording stands by the result");
  await look("explanation");
  await page.emulateMedia({ media: "print" });
  check(!(await page.locator("nav.areas").isVisible()) && !(await page.locator("header.top").isVisible()), "the printed page is the explanation alone");
  check(await page.locator(".points-total").isVisible(), "and has its sum");
  await page.emulateMedia({ media: null });

  // One indicator unfolds to its lines, and a record leads to its dataset and back to the indicator.
  const fold = page.locator("details.points-line").first();
  if (!(await fold.evaluate((d) => d.open))) await fold.locator("summary").click();
  check(await fold.locator("li").count() > 0, "an indicator unfolds");
  await page.evaluate(() => document.querySelectorAll("details.points-line").forEach((d) => { d.open = true; }));
  await page.locator(".point-record a[href^='/catalogue/datasets/']").first().click();
  check(await page.locator("main .tabs a").count() >= 3, "a record leads to its dataset");
  await look("dataset");
  await page.click("main .tabs a[href$='/profile']");
  await look("profile");
  await page.click("main .tabs a[href$='/lineage']");
  await look("lineage");
  await page.locator("main a[href^='/catalogue/indicators/']").first().click();
  check(await page.locator("main a[href$='/lineage']").count() > 0, "an indicator tells which datasets feed it");
  await look("indicator");

  // Distributions, movement, and the names behind a number.
  await visit("/grades/jiangyin-2020");
  await look("distribution");
  await page.locator("table.matrix td a").first().click();
  check(await page.locator("main tbody tr").count() === 0, "names are not shown before a purpose is named");
  await page.selectOption("main [name=purpose]", "supervision");
  await page.click("main form button.primary");
  check(await page.locator("main tbody tr").count() > 0, "who moved is named for a purpose");
  await look("movers");
}
