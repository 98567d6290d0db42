// Every page of the console that needs nothing named, seen by somebody who may: light, dark, on a phone,
// in both languages. What is a file is fetched. The list is the console's own table of pages.
export default async function ({ page, context, base, values, visit, signIn, signOut, newcomer, look, check, expecting }) {
  const seen = async (paths) => {
    for (const path of paths) {
      const answer = await context.request.get(base + path);
      check(answer.status() === 200, `${path} answered ${answer.status()}`);
      if ((answer.headers()["content-disposition"] ?? "").startsWith("attachment")) {
        check((await answer.body()).length > 0, `${path} is an empty file`);
        continue;
      }
      await visit(path);
      check(path === "/sign-in" || new URL(page.url()).pathname !== "/sign-in", `${path} asks to sign in`);
      check(await page.locator("h1").count() === 1, `${path} has one heading`);
      check(await page.title() !== "", `${path} has a title`);
      await look("page" + (path === "/" ? "-overview" : path.replaceAll("/", "-")));
    }
  };
  await signIn();
  await seen(values.pages.administrator);
  await expecting(404, async () => {
    await visit("/no/such/page");
    check(await page.locator("h1").count() === 1, "what is not there is told on a page");
    await look("page-missing");
  });
  await signOut();
  await newcomer("sun.all", "孙全岗", "steward", "credit_office");
  await seen(values.pages.others);
  await signOut();
  await seen(values.pages.anyone);
}
