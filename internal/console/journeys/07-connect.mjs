// An administrator connects a department: the kind, the settings, a look at the first rows with their
// verdicts, then it is saved and pulled from. What is wrong is told at its field before.
export default async function ({ page, visit, signIn, look, check, expecting }) {
  await signIn();
  await visit("/sources/cad-folder");
  const facts = await page.locator("dl.facts").last().innerText();
  const root = facts.split("\n").map((line) => line.trim()).find((line) => line.startsWith("/"));
  check(Boolean(root), "the page of a source tells its folder");
  await look("source");

  await visit("/sources/new");
  await look("kinds");
  await page.click("main a[href='/sources/new?kind=files']");
  await page.fill("[name=id]", "amr-second");
  await expecting(422, async () => {
    await page.click("button[value=save]");
    check((await page.locator("#datasets .fault").count()) > 0, "what is missing is told at its field");
  });
  await page.fill("[name='values/root']", root);
  await page.selectOption("[name=add]", "cad.shelter").catch(() => page.selectOption("[name=add]", { index: 1 }));
  await page.click("button[value=add]");
  check((await page.locator("#datasets fieldset").count()) === 1, "the dataset is chosen, with its settings");
  await look("form");
  await page.click("button[value=preview]");
  check((await page.locator("main").innerText()).includes("连接成功"), "the folder is reached");
  await look("preview");
  await page.click("button[value=save]");
  check(new URL(page.url()).pathname === "/sources/amr-second", "it is saved");
  check((await page.locator(".notice").first().innerText()).includes("amr-second"), "the page says so");
  await page.click(".page-head button.primary");
  check(new URL(page.url()).pathname.startsWith("/tasks/"), "a pull is queued");
  await look("task");
}
