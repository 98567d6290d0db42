// An administrator plans a pull for working nights, sees when it would come before it is saved, runs it
// now, and watches it to its end on a page that is never loaded anew.
export default async function ({ page, visit, signIn, look, check, expecting }) {
  await signIn();
  await visit("/schedules/new");
  await page.fill("[name=id]", "amr-nightly");
  await page.fill("[name=title]", "市场监管局夜间拉取");
  await page.selectOption("[name=what]", "pull");
  await page.selectOption("[name=source]", "amr-open");
  await expecting(422, async () => {
    await page.fill("[name=spec]", "30 2 31 2 *");
    await page.click(".actions button[value=check]");
    check(await page.locator("[role=alert]").count() === 1, "a time that never comes is refused");
    check(await page.inputValue("[name=title]") === "市场监管局夜间拉取", "the form keeps what was written");
  });
  await page.fill("[name=spec]", "30 2 * * *");
  await page.selectOption("[name=days]", "working");
  await page.fill("[name=window]", "22:00-06:00");
  await page.click(".actions button[value=check]");
  const times = await page.locator("main ol.ticks li").allInnerTexts();
  check(times.length >= 3 && times.every((words) => words.includes("02:30")), `the next times are shown before saving: ${times}`);
  check(times.every((words) => !/周日|-02-1[89]|-02-2[0-3]/.test(words)), `Sundays and the Spring Festival are left out: ${times}`);
  check(new URL(page.url()).pathname === "/schedules/new", "and nothing was saved by that");
  await look("schedule-form");
  await page.click("button[value=save]");
  check(new URL(page.url()).pathname === "/schedules/amr-nightly", "it is saved");
  await look("schedule");

  await page.click("form[action$='/run'] button");
  check(new URL(page.url()).pathname.startsWith("/tasks/"), "what was started has a page of its own");
  await page.evaluate(() => { window.sameDocument = true; });
  await page.waitForFunction(() => document.querySelector("#task-head .badge")?.textContent.includes("完成"), null, { timeout: 90_000 });
  check(await page.evaluate(() => window.sameDocument === true), "the page came to its end without being loaded anew");
  check(await page.locator("#task-steps tbody tr").count() > 0, "its steps are shown");
  check(await page.locator("#task-log li").count() > 1, "and what happened, in order");
  await page.reload();
  await look("task");
  await page.locator("#task-steps a[href^='/runs/']").first().click();
  await look("run");

  await visit("/schedules/amr-nightly");
  check(await page.locator("main table tbody tr").count() === 1, "the schedule knows what was run");
  await page.click("form[action$='/pause'] button");
  check(await page.locator("main .badge", { hasText: "暂停" }).count() === 1, "a pause is shown");
  await page.click("form[action$='/pause'] button");
  await visit("/schedules");
  check((await page.locator("main tbody").innerText()).includes("02:30") || await page.locator("main tbody time").count() > 0, "the list tells when it comes next");
  await look("schedules");
}
