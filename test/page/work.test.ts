import { randomBytes } from "node:crypto";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../shared/aws/system-clock.ts";
import { issueToken } from "../../shared/services/issue-token.ts";
import { revokeToken } from "../../shared/tables/site/revoke-token.ts";
import { isRequired, isThere, startBrowser, WHY_NOT } from "../support/browser.ts";
import { lfsKey } from "./support/held-rows.ts";
import { endedWell, findingsOf, loaded, lookAt, type Watched } from "./support/looking.ts";
import { type OpenSite, pagePair } from "./support/page-pair.ts";

/** What people do on the admin page, in a real browser against the product's own API. */

/** Milliseconds that a list may take in the function, whatever stands behind it. */
const LIST_MS_MAX = 300;

const median = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[values.length >> 1] ?? 0;

/** The time so many minutes before now, as a status tells it. */
const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

/** Presses Tab until something of that name has the focus, as somebody without a mouse would. */
const tabTo = async (page: Page, name: string): Promise<void> => {
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? "");
  for (let pressed = 0; pressed < 80; pressed += 1) {
    if ((await focused()) === name) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`no Tab leads to ${name}; the last one led to ${await focused()}`);
};

describe.skipIf(!isThere && !isRequired)(
  `on the admin page (${isThere ? "Chromium" : WHY_NOT})`,
  { timeout: 60_000 },
  () => {
    let browser: Browser;
    let pair: Awaited<ReturnType<typeof pagePair>>;
    let list: string;
    beforeAll(async () => {
      [browser, pair] = await Promise.all([startBrowser(), pagePair()]);
      list = `/admin/geo/sites/${pair.secondary.id}/replication/lfs_objects`;
    }, 60_000);
    afterAll(async () => {
      await browser?.close();
      await pair?.close();
    });

    const lookAsAdmin = async (site: OpenSite, path: string): Promise<Watched> => {
      const watched = await lookAt(browser, site, path, { token: site.adminToken });
      await loaded(watched.page);
      return watched;
    };

    test("a token that is another site's is refused with advice, a good one is kept in this tab alone, and can be given back (F94)", async () => {
      const watched = await lookAt(browser, pair.primary, "/admin/geo/sites");
      const { page, context } = watched;
      const field = page.getByLabel("Token");
      await field.fill(pair.secondary.adminToken);
      await page.keyboard.press("Enter");
      await page.getByText("This site does not take that token.").waitFor();
      await page.getByText("geo token list shows a site's tokens").waitFor();
      await field.fill(pair.primary.readToken);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Geo sites" }).waitFor();
      const kept = () =>
        page.evaluate(() => [Object.values(sessionStorage), Object.values(localStorage), document.cookie]);
      expect(await kept()).toEqual([[pair.primary.readToken], [], ""]);
      expect(await context.cookies()).toEqual([]);
      expect(page.url()).not.toContain(pair.primary.readToken);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("Token").waitFor();
      expect(await kept()).toEqual([[], [], ""]);
      await endedWell(watched);
    });

    test("sites are found by name and health, with 44 types and a million rows behind them, and the address says which (F94)", async () => {
      const watched = await lookAsAdmin(pair.primary, "/admin/geo/sites");
      const { page } = watched;
      const cards = page.locator("article");
      expect(await cards.locator("h2").allInnerTexts()).toEqual(["virginia", "ireland"]);
      expect(await cards.nth(1).innerText()).toContain("959,581 of 1,000,000 synced");
      const names = await cards.nth(1).locator("th[scope=row], .folded li a").count();
      expect(names).toBe(44);
      expect(await cards.nth(1).locator(".sparkline svg").first().getAttribute("aria-label")).toMatch(
        /^Lag of the last hour/,
      );
      await page.getByRole("searchbox").fill("irel");
      await expect.poll(() => cards.count()).toBe(1);
      await page.reload();
      await loaded(page);
      expect(await cards.locator("h2").allInnerTexts()).toEqual(["ireland"]);
      await page.getByRole("button", { name: /^Healthy/ }).click();
      expect(page.url()).toContain("health=Healthy");
      await endedWell(watched);
    });

    test("a site that is late, of another version, ill, silent or paused says so in words (F94)", async () => {
      const watched = await lookAsAdmin(pair.primary, "/admin/geo/sites");
      const { page } = watched;
      const card = page.locator("article").nth(1);
      /** The overview as if the secondary had told something else. */
      const told = async (
        status: Readonly<Record<string, unknown>>,
        settings: Readonly<Record<string, unknown>> = {},
      ) => {
        for (const [path, changed] of [
          ["**/geo_sites/status?*", status],
          ["**/geo_sites?*", settings],
        ] as const) {
          await page.unroute(path);
          await page.route(path, async (route) => {
            const response = await route.fetch();
            const sites = (await response.json()) as readonly { readonly primary: boolean }[];
            await route.fulfill({
              response,
              json: sites.map((site) => (site.primary ? site : { ...site, ...changed })),
            });
          });
        }
        await page.reload();
        await loaded(page);
        return card.innerText();
      };
      const late = await told({ updated_at: ago(25), version: "0.0.9" });
      expect(late).toContain("Updated 25 minutes ago, which is more than 10 minutes");
      expect(late).toContain("Version 0.0.9, the primary has 0.1.0");
      const ill = await told({
        healthy: false,
        health: "The feature flags can not be read.",
        storage_shards_match: false,
      });
      expect(ill).toMatch(/Unhealthy[^]*The feature flags can not be read\.[^]*Differs/);
      expect(await told({ updated_at: ago(90), healthy: false, health: "Silent for 90 minutes." })).toContain(
        "Offline",
      );
      expect(await told({}, { enabled: false })).toMatch(/Disabled[^]*Paused/);
      expect(await told({ geo_node_id: 1 })).toMatch(/Unknown[^]*has not told how it is yet/);
      await endedWell(watched);
    });

    test("objects are filtered, searched and gone through twenty at a time, and every step has an address of its own (F95)", async () => {
      const watched = await lookAsAdmin(pair.secondary, list);
      const { page } = watched;
      const names = (): Promise<string[]> => page.locator(".row-name").allInnerTexts();
      const first = await names();
      expect(first).toHaveLength(20);
      await page.getByRole("button", { name: "Next" }).click();
      await expect.poll(async () => (await names()).some((name) => first.includes(name))).toBe(false);
      await page.reload();
      await loaded(page);
      expect((await names()).filter((name) => first.includes(name))).toEqual([]);
      await page.goBack();
      await expect.poll(names).toEqual(first);
      await page.getByLabel("Replication status").selectOption("Sync failed");
      await expect.poll(names).toEqual([lfsKey(4)]);
      expect(await page.locator(".row").innerText()).toContain("AccessDenied");
      await page.getByLabel("Replication status").selectOption("All");
      await page.getByLabel("Search by registry id or key").fill(lfsKey(8));
      await page.keyboard.press("Enter");
      await expect.poll(names).toEqual([lfsKey(8)]);
      await endedWell(watched);
    });

    test("one object shows both checksums to copy and its next retry, and is verified again from there (F96)", async () => {
      const watched = await lookAsAdmin(pair.secondary, `${list}?verification_status=FAILED`);
      const { page, context } = watched;
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.getByRole("link", { name: lfsKey(8) }).click();
      const card = page.getByRole("region", { name: "Verification" });
      await card.waitFor();
      await page.reload();
      await card.waitFor();
      expect(await card.innerText()).toMatch(/Next retry\s*number 2, in \d+ minutes/);
      expect(await card.innerText()).toContain("The replica's bytes are not the primary's");
      await page.getByRole("button", { name: "Copy the primary's checksum" }).click();
      await page.getByText("Copied the primary's checksum.").waitFor();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^sha256:60303ae2/);
      const before = pair.secondary.bulkWorkflow.executions.length;
      await page.getByRole("button", { name: "Reverify" }).click();
      await page.getByText("The replica will be read and compared again.").waitFor();
      expect(pair.secondary.bulkWorkflow.executions).toHaveLength(before + 1);
      await pair.secondary.workThrough();
      await endedWell(watched);
    });

    test("one object is asked for again with the keyboard alone (F95)", async () => {
      const watched = await lookAsAdmin(pair.secondary, `${list}?replication_status=FAILED`);
      const { page } = watched;
      const before = pair.secondary.bulkWorkflow.executions.length;
      await tabTo(page, `Resync ${lfsKey(4)}`);
      await page.keyboard.press("Enter");
      await page.getByText("The object will be copied again.").waitFor();
      expect(pair.secondary.bulkWorkflow.executions).toHaveLength(before + 1);
      await pair.secondary.workThrough();
      await endedWell(watched);
    });

    test("a bulk run is begun only when it was confirmed, and is followed to its end without loading the page again (F95)", async () => {
      const watched = await lookAsAdmin(pair.secondary, list);
      const { page } = watched;
      const before = pair.secondary.bulkWorkflow.executions.length;
      const dialog = page.getByRole("dialog");
      await tabTo(page, "Reverify all");
      await page.keyboard.press("Enter");
      await dialog.waitFor();
      expect(await dialog.innerText()).toContain("959,581 objects");
      expect(await findingsOf(page)).toEqual([]);
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Cancel");
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Reverify all");
      expect(pair.secondary.bulkWorkflow.executions).toHaveLength(before);
      await page.keyboard.press("Enter");
      await dialog.getByRole("button", { name: "Reverify all" }).click();
      await page.getByText("Reverify all: under way").waitFor();
      expect(pair.secondary.bulkWorkflow.executions).toHaveLength(before + 1);
      expect(await page.getByRole("progressbar").getAttribute("value")).toBe("0");
      await pair.secondary.workThrough();
      await page.getByText("Reverify all: done").waitFor();
      expect(await page.locator(".run").innerText()).toContain("64 looked at");
      await endedWell(watched);
    });

    test("what was done within the last hour is said not to be begun, and is begun once more when that is asked for (F95)", async () => {
      const watched = await lookAsAdmin(pair.secondary, list);
      const { page } = watched;
      const executions = (): number => pair.secondary.bulkWorkflow.executions.length;
      const ask = async (button: string): Promise<void> => {
        await page.getByRole("button", { name: button, exact: true }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Resync all failed" }).click();
      };
      const before = executions();
      await ask("Resync all failed");
      await page.getByText("Resync all failed has begun.").waitFor();
      expect(executions()).toBe(before + 1);
      await pair.secondary.workThrough();
      await page.getByText("Resync all failed: done").waitFor();
      await ask("Resync all failed");
      const notice = page.locator(".notice", { hasText: "Resync all failed was not begun." });
      await notice.waitFor();
      expect(await notice.innerText()).toMatch(/asked for by alice .* and ended (just now|\d+ seconds? ago)/);
      expect(await page.getByText("Resync all failed has begun.").count()).toBe(0);
      expect(executions()).toBe(before + 1);
      expect(await findingsOf(page)).toEqual([]);
      await ask("Do it once more");
      await page.getByText("Resync all failed has begun.").waitFor();
      await notice.waitFor({ state: "detached" });
      expect(executions()).toBe(before + 2);
      await pair.secondary.workThrough();
      await endedWell(watched);
    });

    test("settings are held against their bounds before they are sent, are changed, and a site is paused when that was confirmed (F97)", async () => {
      const { secondary } = pair;
      const watched = await lookAsAdmin(secondary, `/admin/geo/sites/${secondary.id}/edit`);
      const { page } = watched;
      const settled = async (): Promise<Readonly<Record<string, unknown>>> => {
        const response = await fetch(`${secondary.url}/api/v4/geo_sites/${secondary.id}`, {
          headers: { "private-token": secondary.adminToken },
        });
        return (await response.json()) as Readonly<Record<string, unknown>>;
      };
      const field = page.getByLabel("Objects copied at once");
      await field.fill("0");
      await page.getByRole("button", { name: "Save changes" }).click();
      await page.getByText("Expected a whole number from 1 to 100,000.").waitFor();
      expect(await field.getAttribute("aria-invalid")).toBe("true");
      expect(await findingsOf(page)).toEqual([]);
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("field-filesMaxCapacity");
      expect(await settled()).toMatchObject({ files_max_capacity: 2_880 });
      await field.fill("120");
      await page.getByLabel("Selective synchronization").selectOption("namespaces");
      await page.getByRole("button", { name: "Save changes" }).click();
      await page.getByText("Name at least one of the namespaces").waitFor();
      await page.getByLabel("Ids of the namespaces").fill("7, 8");
      await page.getByRole("button", { name: "Save changes" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      expect(await dialog.innerText()).toMatch(
        /namespaces that are named[^]*All other replicas are removed[^]*1,565,271 objects/,
      );
      expect(await findingsOf(page)).toEqual([]);
      await dialog.getByRole("button", { name: "Cancel" }).click();
      await dialog.waitFor({ state: "detached" });
      expect(await settled()).toMatchObject({ files_max_capacity: 2_880, selective_sync_type: null });
      await page.getByRole("button", { name: "Save changes" }).click();
      await dialog.getByRole("button", { name: "Change it" }).click();
      await expect.poll(settled).toMatchObject({
        files_max_capacity: 120,
        selective_sync_type: "namespaces",
        selective_sync_namespace_ids: [7, 8],
      });
      await page.getByLabel("Keep replicas of objects").uncheck();
      await page.getByRole("button", { name: "Save changes" }).click();
      await dialog.waitFor();
      expect(await dialog.innerText()).toContain("Nothing is copied and nothing is removed any more");
      expect(await dialog.innerText()).not.toContain("All other replicas are removed");
      await dialog.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("button", { name: "Pause replication" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
      await page.getByText("Replication is paused").waitFor();
      expect(await settled()).toMatchObject({ enabled: false });
      await page.getByRole("button", { name: "Resume replication" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Resume" }).click();
      await page.getByText("Replication is running").waitFor();
      expect(await settled()).toMatchObject({ enabled: true });
      await endedWell(watched);
    });

    test("the primary's objects are listed with their checksums, which are made anew one by one or all (F79)", async () => {
      const { primary } = pair;
      const watched = await lookAsAdmin(primary, "/admin/geo/data_management/lfs_objects");
      const { page } = watched;
      expect(await page.locator(".row").count()).toBe(20);
      await page.getByLabel("Search by identifier or key").fill(lfsKey(8));
      await page.keyboard.press("Enter");
      await expect.poll(() => page.locator(".row-name").allInnerTexts()).toEqual([lfsKey(8)]);
      await page.getByRole("button", { name: "Checksum all" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Checksum all" }).click();
      await page.getByText("made anew in the background").waitFor();
      expect(primary.bulkWorkflow.executions).toMatchObject([{ status: "running" }]);
      await page.getByRole("link", { name: lfsKey(8) }).click();
      await page.getByRole("heading", { name: "Checksum", exact: true }).waitFor();
      await endedWell(watched);
    });

    test("a checksum is said to be made anew when it was, and to be still being made when the API waits no longer (F79)", async () => {
      const watched = await lookAsAdmin(pair.primary, "/admin/geo/data_management/lfs_objects");
      const { page } = watched;
      const made = page.getByText("The checksum was made anew.");
      const beingMade = page.getByText("The checksum is still being made");
      /** Has the API answer with a record and this status; making one for real takes a worker. */
      const answerWith = async (status: number): Promise<void> => {
        await page.unroute("**/checksum");
        await page.route("**/checksum", async (route) => {
          const record = await route.fetch({
            url: route
              .request()
              .url()
              .replace(/\/checksum$/, ""),
            method: "GET",
          });
          await route.fulfill({ response: record, status });
        });
      };
      const inList = page.getByRole("button", { name: /^Checksum lfs_objects/ }).first();
      await answerWith(202);
      await inList.click();
      await beingMade.waitFor();
      expect(await made.count()).toBe(0);
      await answerWith(200);
      await inList.click();
      await made.waitFor();
      await page.locator(".row-name a").first().click();
      await page.getByRole("heading", { name: "Checksum", exact: true }).waitFor();
      await answerWith(202);
      await page.getByRole("button", { name: "Checksum", exact: true }).click();
      await beingMade.waitFor();
      expect(await made.count()).toBe(0);
      await endedWell(watched);
    });

    test("a token that may only read sees how sites are, and is told what it takes to see objects (F94)", async () => {
      const watched = await lookAt(browser, pair.secondary, list, { token: pair.secondary.readToken });
      const { page } = watched;
      await page.getByText("Objects are shown to administrators only.").first().waitFor();
      await page.getByRole("button", { name: "Use another token" }).first().click();
      await page.getByLabel("Token").waitFor();
      expect(await page.locator(".row").count()).toBe(0);
      await endedWell(watched);
    });

    test("a token that is revoked while the page is open is asked for again, with the reason; one that may only read is kept when it is refused a change (F94)", async () => {
      const { secondary } = pair;
      const issuer = { site: secondary.siteTable, clock: systemClock, randomBytes };
      const bob = await issueToken(issuer, { name: "bob", scope: "admin_geo", days: 1 });
      const watched = await lookAt(browser, secondary, list, { token: bob.token });
      await loaded(watched.page);
      await revokeToken(secondary.siteTable, bob.record.hash, systemClock.now());
      await watched.page.getByLabel("Sort by").selectOption("ID_DESC");
      await watched.page.getByText("it has expired or was revoked. Enter another one.").waitFor();
      await watched.page.getByLabel("Token").waitFor();
      expect(await watched.page.evaluate(() => Object.values(sessionStorage))).toEqual([]);
      expect(await findingsOf(watched.page)).toEqual([]);
      await endedWell(watched);

      const reading = await lookAt(browser, secondary, `/admin/geo/sites/${secondary.id}/edit`, {
        token: secondary.readToken,
      });
      await loaded(reading.page);
      await reading.page.getByRole("button", { name: /^(Pause|Resume) replication$/ }).click();
      await reading.page
        .getByRole("dialog")
        .getByRole("button", { name: /^(Pause|Resume)$/ })
        .click();
      await reading.page.getByText("403 Forbidden").waitFor();
      await reading.page.getByRole("button", { name: "Use another token" }).waitFor();
      expect(await reading.page.evaluate(() => Object.values(sessionStorage))).toEqual([secondary.readToken]);
      await endedWell(reading);
    });

    test("an API that does not answer is told of with what to do, and what was there stays (F94)", async () => {
      const watched = await lookAsAdmin(pair.secondary, list);
      const { page } = watched;
      await page.route("**/api/**", (route) => route.abort());
      await page.getByLabel("Sort by").selectOption("ID_DESC");
      await page.getByText("The API can not be reached.").waitFor();
      await page.unroute("**/api/**");
      await page.getByRole("button", { name: "Try again" }).click();
      await expect.poll(() => page.locator(".row").count()).toBe(20);
      expect(await page.getByText("The API can not be reached.").count()).toBe(0);
      await endedWell(watched);
    });

    test("a list whose answer takes longer than its interval is not asked for again meanwhile, and appears (F95)", async () => {
      const watched = await lookAsAdmin(pair.secondary, list);
      const { page } = watched;
      const held = Promise.withResolvers<void>();
      const askedFor: string[] = [];
      await page.clock.install();
      await page.route("**/api/graphql", async (route) => {
        askedFor.push(route.request().postData() ?? "");
        await held.promise;
        await route.continue();
      });
      /** How many rows there are once the page has had a moment more. */
      const rows = async (): Promise<number> => {
        await page.clock.runFor(50);
        return page.locator(".row").count();
      };
      await page.reload();
      await expect.poll(() => askedFor.length).toBe(1);
      await page.clock.runFor(25_000);
      expect(await rows()).toBe(0);
      held.resolve();
      await expect.poll(rows).toBe(20);
      expect(askedFor).toHaveLength(1);
      await page.clock.runFor(25_000);
      await expect.poll(() => askedFor.length).toBeGreaterThan(1);
      await endedWell(watched);
    });

    test("no list takes its function longer than 300 ms, with a million rows behind it (F94, F95)", () => {
      const lists = [...pair.primary.took, ...pair.secondary.took].filter(({ path }) =>
        /geo_sites|graphql|data_management/.test(path),
      );
      const byPath = Map.groupBy(lists, ({ method, path }) => `${method} ${path.replace(/\?.*/, "")}`);
      const slow = [...byPath].map(([path, calls]) => ({
        path,
        ms: median(calls.map(({ milliseconds }) => milliseconds)),
      }));
      expect(slow.length).toBeGreaterThan(5);
      expect(slow.filter(({ ms }) => ms > LIST_MS_MAX)).toEqual([]);
    });
  },
);
