/** The suites in `*.local.test.ts` talk to sites that somebody has deployed for them; without those they say what to run. */
export const setup = (): void => {
  if ((process.env["S3_GEO_RUN_FILE"] ?? "") === "") {
    throw new Error("these tests need deployed sites: run `npm run test:integration`");
  }
};
