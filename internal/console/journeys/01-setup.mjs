// The first start: a hub without users shows the set-up, makes its first administrator, and from
// then on lets in who signs in.
export default async function ({ page, values, visit, signOut, look, check, expecting }) {
  await visit("/");
  check(new URL(page.url()).pathname === "/setup", "a hub without users leads to the set-up");
  await look("setup");

  const fill = async (token, again) => {
    await page.fill("[name=token]", token);
    await page.fill("[name=name]", values.name);
    await page.fill("[name=title]", "王管理");
    await page.fill("[name=password]", values.password);
    await page.fill("[name=again]", again);
    await page.click("main button.primary");
  };
  await expecting(422, async () => {
    await fill(values.token, "not the same at all");
    check(await page.locator("[role=alert]").count() === 1, "passwords that differ are told");
    await fill("wrong", values.password);
    check(await page.locator("[role=alert]").count() === 1, "a wrong token is told");
  });
  await fill(values.token, values.password);
  check(new URL(page.url()).pathname === "/", "who set the hub up is signed in");
  check((await page.locator(".notice").innerText()).includes("管理员"), "the page says what was done");
  await look("overview");

  // Signing out and in again.
  await signOut();
  check(new URL(page.url()).pathname === "/sign-in", "signed out");
  await look("sign-in");
  await expecting(422, async () => {
    await page.fill("[name=name]", values.name);
    await page.fill("[name=password]", "certainly not this one");
    await page.click("main button.primary");
    check(await page.locator("[role=alert]").count() === 1, "a wrong password is told");
  });
  await visit("/settings/users");
  check(new URL(page.url()).pathname === "/sign-in", "without a session nothing is shown");
  await page.fill("[name=name]", values.name);
  await page.fill("[name=password]", values.password);
  await page.click("main button.primary");
  check(new URL(page.url()).pathname === "/settings/users", "after signing in one comes to the page that was asked for");
  await look("users");
}
