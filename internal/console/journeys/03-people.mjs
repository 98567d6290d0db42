// An administrator makes an account for a department's user, and a key for a platform; the user
// changes the temporary password and sees the own department alone.
export default async function ({ page, values, visit, signIn, signOut, look, check, expecting }) {
  await signIn();
  await visit("/settings/users/new");
  await look("user-new");
  await page.fill("[name=name]", "li.tax");
  await page.fill("[name=title]", "李税务");
  await page.check("[name=role][value=department_user]");
  await expecting(422, async () => {
    await page.click("main button.primary");
    check(await page.locator("[role=alert]").count() === 1, "a department user without a department is refused");
    check(await page.inputValue("[name=title]") === "李税务", "the form keeps what was written");
  });
  await page.click("details.fold summary >> nth=0");
  await page.check("[name=department][value=tax]");
  await page.click("main button.primary");
  const temporary = await page.locator("#secret").innerText();
  check(temporary.length >= 12, "a temporary password is shown once");
  await page.click("main a.button.primary");
  await look("user");

  await visit("/settings/keys/new");
  await page.fill("[name=client]", "province-share");
  await page.fill("[name=title]", "省共享平台取数");
  await page.fill("[name=until]", values.soon);
  await look("key-new");
  await page.click("main button.primary");
  check((await page.locator("#secret").innerText()).length > 30, "the key is shown once");
  await visit("/settings/keys");
  check((await page.locator("tbody").innerText()).includes("province-share"), "the key stands in the list");
  await look("keys");
  await page.click("details.confirm:has(button.danger) summary");
  await page.click("details.confirm[open] button.danger");
  check((await page.locator("tbody").innerText()).includes("已吊销"), "the key is revoked after one was asked");

  await visit("/settings/audit?action=key.");
  check((await page.locator("tbody tr").count()) >= 2, "the trail has what was done with the key");
  await look("audit");
  await page.click(".card-foot button");
  check((await page.locator(".notice").innerText()).includes("核对无误"), "the trail matches");
  await signOut();

  await signIn("li.tax", temporary);
  check(new URL(page.url()).pathname === "/account/password", "a temporary password opens its change alone");
  await visit("/settings/users");
  check(new URL(page.url()).pathname === "/account/password", "and nothing else");
  await page.fill("[name=old]", temporary);
  await page.fill("[name=password]", "ten herons stand in the shallow water");
  await page.fill("[name=again]", "ten herons stand in the shallow water");
  await look("password");
  await page.click("main button.primary");
  check(new URL(page.url()).pathname === "/account", "the password is changed");
  await look("account");
  await visit("/");
  check(new URL(page.url()).pathname !== "/", "who may not see the overview comes to the own area");
  const areas = await page.locator("nav.areas a").evaluateAll((links) => links.map((a) => a.getAttribute("href")));
  check(!areas.includes("/sources") && !areas.includes("/deliveries") && !areas.includes("/policies"), `a department user sees ${areas}`);
  await expecting(403, async () => {
    await visit("/settings/users");
    check(await page.locator("h1").innerText() === "没有权限", "what is not one's own is refused with a page that says so");
  });
}
