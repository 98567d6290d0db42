// An administrator sees that a platform rejected rows, finds why, down to the row and its receipt,
// and has them sent again.
export default async function ({ page, visit, signIn, look, check }) {
  await signIn();
  await visit("/deliveries");
  await look("deliveries");
  const rejected = page.locator("main td a.ink-bad").first();
  check(await rejected.count() === 1, "rejected rows stand out in the list of targets");
  const n = Number((await rejected.innerText()).replaceAll(",", ""));
  await rejected.click();
  await look("target");
  const reason = page.locator("#rejected tbody a").first();
  check((await reason.innerText()).includes("本平台无此主体"), "the target's own words say why");
  await reason.click();
  const rows = await page.locator("main tbody tr").count();
  check(rows > 0 && rows <= n, `${rows} rows of ${n} that were rejected`);
  await look("rejected");
  await page.locator("main td a[href^='/deliveries/']:not([href*='/targets/'])").first().click();
  check(await page.locator("main .log li").count() > 0, "a delivery tells its attempts");
  check((await page.locator("main").innerText()).includes("回执"), "and its receipts");
  await look("delivery");

  await page.locator(".crumbs a").nth(1).click();
  await page.click(".page-head details.confirm summary");
  await page.click(".page-head details.confirm[open] button");
  check((await page.locator(".notice").innerText()).includes("重新推送"), "the page says how many go out again");

  // A window that ends before it begins is refused, with what to do.
  check(await page.locator("main input[name=from]").count() === 1, "a window can be replayed");
  await page.fill("main input[name=from]", "2025-10-01");
  await page.fill("main input[name=until]", "2026-02-28");
  await page.fill("main input[name=reason]", "对方恢复了旧备份");
  await page.click("main form[action$='/replay'] button.primary");
  await page.waitForURL(/\/tasks\//);
  await page.waitForFunction(() => document.querySelector("#task-head .badge")?.textContent.includes("完成"), null, { timeout: 90_000 });
  check((await page.locator("#task-steps").innerText()).includes("重放"), "a window is replayed by a task, step by step");
  await look("replay");
}
