// The credit office registers an objection against a record of an entity, decides it, and sees what
// became of the record and which results follow.
export default async function ({ page, visit, newcomer, look, check, expecting }) {
  await newcomer("qian.credit", "钱信用", "credit_office");
  await visit("/find?q=舞钢&purpose=objection");
  await page.locator("main a.standing:has(.grade)").first().click();
  await page.click("main a[href^='/cases/new']");
  await page.click("main form[action='/cases/new'][method=get] button");
  const records = await page.locator("[name=record] option").count();
  check(records > 1, "the records of the entity are there to choose from");
  await look("case-new");

  await page.selectOption("[name=record]", { index: 1 });
  const chosen = await page.locator("[name=record] option:checked").innerText();
  await expecting(422, async () => {
    await page.evaluate(() => { document.querySelector("form[enctype] [name=claim]").required = false; });
    await page.click("form[enctype] button.primary");
    check(await page.locator("main .notice.bad").count() === 1, "an objection without a reason is refused, in words");
    check(await page.locator("[name=record] option:checked").innerText() === chosen, "the form keeps what was chosen");
  });
  await page.fill("[name=claim]", "处罚决定已被行政复议撤销，附复议决定书。");
  await page.fill("[name=evidence_title_1]", "行政复议决定书");
  await page.click("form[enctype] button.primary");
  check(/^\/cases\/[^/]+$/.test(new URL(page.url()).pathname), "the case has a number and a page");
  const no = (await page.locator("h1 .mono").innerText()).trim();
  check((await page.locator(".lead .badge").innerText()).includes("受理"), "it is accepted");
  check((await page.locator("main").innerText()).includes("行政复议决定书"), "the evidence is named");
  await look("case");

  await page.check("[name=outcome][value=upheld]");
  await page.fill("#decision-reason", "经核查，处罚决定已被撤销，异议成立。");
  await page.fill("form:has([name=outcome]) [name=doc_no]", "舞信异〔2026〕1号");
  await page.click("form:has([name=outcome]) button.primary");
  check((await page.locator("main").innerText()).includes("异议成立"), "the decision stands in the case");
  check(await page.locator("main .log li").count() >= 3, "and its history tells who did what");
  await look("case-decided");

  await visit("/cases?state=upheld");
  check((await page.locator("main").innerText()).includes(no), `the list has ${no}`);
}
