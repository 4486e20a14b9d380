import { useLoaded } from "../loading.ts";
import { Heading, Link, Problem, Waiting } from "../parts/basics.tsx";
import { loadSites, loadSwitchedOff } from "../sites.ts";
import { SiteCard } from "./site-card.tsx";

const EVERY_MS = 15_000;
const NONE: ReadonlySet<string> = new Set();

/** One site alone. */
export const SiteView = ({ id }: { readonly id: number }) => {
  const { value: sites, problem, reload } = useLoaded("sites", loadSites, EVERY_MS);
  const { value: switchedOff = NONE } = useLoaded("features", loadSwitchedOff);
  const site = sites?.find(({ settings }) => settings.id === id);
  const primary = sites?.find(({ settings }) => settings.primary);
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <Link to={{ view: "sites" }}>Sites</Link>
      </nav>
      <Heading>{site === undefined ? "Site" : site.settings.name}</Heading>
      {problem !== undefined && <Problem problem={problem} retry={reload} />}
      {sites === undefined && problem === undefined && <Waiting what="the site" />}
      {sites !== undefined && site === undefined && (
        <p class="notice">
          This site knows no site of that number; it may have been forgotten, or be known at the primary only.
        </p>
      )}
      {site !== undefined && (
        <SiteCard site={site} switchedOff={switchedOff} primaryVersion={primary?.status?.version} />
      )}
    </>
  );
};
