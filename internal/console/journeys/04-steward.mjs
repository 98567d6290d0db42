// An administrator makes the account of a steward who answers for the credit office too; the steward
// finds the areas that an administrator does not have. The journeys after this one sign in with it.
export default async function ({ page, values, visit, signIn, signOut, check }) {
  await signIn();
  await visit("/settings/users/new");
  await page.fill("[name=name]", values.steward);
  await page.fill("[name=title]", "赵治理");
  await page.check("[name=role][value=steward]");
  await page.check("[name=role][value=credit_office]");
  await page.click("main button.primary");
  const temporary = await page.locator("#secret").innerText();
  await signOut();
  await signIn(values.steward, temporary);
  await page.fill("[name=old]", temporary);
  await page.fill("[name=password]", values.stewardPassword);
  await page.fill("[name=again]", values.stewardPassword);
  await page.click("main button.primary");
  check(new URL(page.url()).pathname === "/account", "the password is changed");

  await visit("/");
  check(await page.locator(".waiting li").count() > 0, "the overview names what waits for a person");
  const areas = await page.locator("nav.areas a").evaluateAll((links) => links.map((a) => a.getAttribute("href")));
  check(areas.includes("/quarantine") && areas.includes("/grades"), `a steward sees ${areas}`);
  for (const area of ["/quarantine", "/cases", "/policies"].filter((a) => areas.includes(a))) {
    await visit(area);
    check(await page.locator("nav.areas a[aria-current]").getAttribute("href") === area, `${area} says where one is`);
  }
  await visit("/settings");
  const tabs = await page.locator("nav.tabs a").evaluateAll((links) => links.map((a) => a.getAttribute("href")));
  check(!tabs.includes("/settings/users") && !tabs.includes("/settings/audit"), `a steward does not see ${tabs}`);
}
