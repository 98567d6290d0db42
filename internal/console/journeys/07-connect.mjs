// An administrator connects a department: the kind, the settings, a look at the first rows with their
// verdicts, then it is saved and pulled from. What is wrong is told at its field before.
export default async function ({ page, values, visit, signIn, look, check, expecting }) {
  await signIn();
  await visit("/sources/city-gov-folder");
  await look("source");

  await visit("/sources/new");
  await look("kinds");
  await page.click("main a[href='/sources/new?kind=files']");
  await page.fill("[name=id]", "volunteers");
  await expecting(422, async () => {
    await page.click("button[value=save]");
    check((await page.locator("#datasets .fault").count()) > 0, "what is missing is told at its field");
  });
  await page.fill("[name='values/root']", values.inbox);
  await page.selectOption("[name=add]", "city-gov.volunteer");
  await page.click("button[value=add]");
  check((await page.locator("#datasets fieldset").count()) === 1, "the dataset is chosen, with its settings");
  await look("form");
  await page.click("button[value=preview]");
  const says = await page.locator("main").innerText();
  check(says.includes("连接成功"), "the folder is reached");
  const rows = await page.locator("main table.dense tbody tr").allInnerTexts();
  check(rows.length === 3 && rows[0].includes("可接收") && rows[0].includes("舞钢市宏林管理局"), `its first rows are shown with their verdicts: ${rows}`);
  check((await page.locator("mark.bad").allInnerTexts()).join() === "八小时", "and what is wrong with one is marked");
  // The folder of the test is nothing for a picture.
  await page.evaluate((inbox) => {
    for (const said of document.querySelectorAll(".notice *")) if (!said.children.length) said.textContent = said.textContent.replace(inbox, "/srv/exchange/volunteers");
    for (const field of document.querySelectorAll("input")) if (field.value === inbox) field.value = "/srv/exchange/volunteers";
  }, values.inbox);
  await look("preview");
  await page.evaluate((inbox) => { document.querySelector("[name='values/root']").value = inbox; }, values.inbox);
  await page.click("button[value=save]");
  check(new URL(page.url()).pathname === "/sources/volunteers", "it is saved");
  check((await page.locator(".notice").first().innerText()).includes("volunteers"), "the page says so");

  await page.click(".page-head button.primary");
  check(new URL(page.url()).pathname.startsWith("/tasks/"), "a pull is queued");
  await page.waitForFunction(() => document.querySelector("#task-head .badge")?.textContent.includes("完成"), null, { timeout: 90_000 });
  check((await page.locator("#task-steps tbody").innerText()).replaceAll(/\s/g, "").includes("读取3=接收2+重复0+隔离1+略过0"), "the rows are in, the bad one with its reason");
}
