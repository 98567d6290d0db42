// A steward finds a refused row, sees what is wrong with it, writes what is right and sends it: the row
// goes through the checks once more and leaves the open ones, and the quarantine says by whom. Another
// is struck out with a reason.
export default async function ({ page, visit, newcomer, look, check }) {
  await newcomer("sun.steward", "孙治理", "steward");
  await visit("/quarantine");
  await look("quarantine");
  await page.click("#owners a[href='/quarantine/amr.annual']");
  await look("quarantine-dataset");
  await visit("/quarantine/amr.annual?reason=DATE_FUTURE");
  await page.locator("main tbody tr td a").first().click();
  check((await page.locator("mark.bad").count()) > 0, "the fault is marked in the values as they came");
  check((await page.locator(".field.wrong").count()) === 1, "and at the field of the form");
  await look("quarantine-row");
  await page.fill("[name='field/report_date']", "2026-13-40");
  await page.click("main form.form.wide button.primary");
  check((await page.locator(".notice").first().innerText()).includes("又被拒"), "what is still wrong is refused once more, and told");
  await page.locator("main tbody tr", { hasText: "2026-13-40" }).locator("td a").first().click();
  const at = page.url();
  await page.fill("[name='field/report_date']", "2025-06-27");
  await page.click("main form.form.wide button.primary");
  check((await page.locator(".notice").count()) > 0, "the page says what became of it");
  await page.goto(at);
  check((await page.locator(".notice.good").innerText()).includes("sun.steward"), "the row says who corrected it");
  check((await page.locator("main form").count()) === 0, "and cannot be corrected twice");
  await look("quarantine-corrected");

  await visit("/quarantine/amr.annual");
  await page.locator("main tbody tr td a").first().click();
  await page.fill("[action$='/strike'] [name=reason]", "部门确认该行不应报送");
  await page.click("[action$='/strike'] button.danger");
  check((await page.locator(".notice").first().innerText()).includes("撤销"), "the page says what was done");
  await visit("/quarantine/amr.annual");
  await page.locator("nav.tabs a", { hasText: "已撤销" }).click();
  check((await page.locator("main tbody").innerText()).includes("sun.steward"), "the quarantine says by whom");
}
