import { Problem, Waiting, Heading } from "../parts/basics.tsx";
import { useLoaded } from "../loading.ts";
import { goTo, hrefOf, place } from "../navigation.ts";
import { type Health, loadSites, loadSwitchedOff, type Site } from "../sites.ts";
import { SiteCard } from "./site-card.tsx";

/** How often the overview is brought up to date, milliseconds. */
const EVERY_MS = 15_000;

const NONE: ReadonlySet<string> = new Set();

const HEALTHS: readonly Health[] = ["Healthy", "Unhealthy", "Disabled", "Offline", "Unknown"];

const fits = ({ settings }: Site, search: string): boolean =>
  [settings.name, settings.url, settings.internal_url].some((text) =>
    text?.toLowerCase().includes(search.toLowerCase()),
  );

/** Shows the overview with other filters. */
const show = (health: Health | undefined, search: string): void => goTo(hrefOf({ view: "sites" }, { health, search }));

/** All sites at a glance, the primary first. */
export const Sites = () => {
  const { value: sites, problem, reload } = useLoaded("sites", loadSites, EVERY_MS);
  // A token that may not see flags sees the sites all the same.
  const { value: switchedOff = NONE } = useLoaded("features", loadSwitchedOff);
  const { query } = place.value;
  const wanted = HEALTHS.find((health) => health === query.get("health"));
  const search = query.get("search") ?? "";
  const found = (sites ?? []).filter((site) => fits(site, search));
  const shown = found.filter(({ health }) => wanted === undefined || health === wanted);
  const primary = sites?.find(({ settings }) => settings.primary);
  return (
    <>
      <Heading>Geo sites</Heading>
      <p class="lead">Every site that this one knows, with its health, how far it has come, and how late it is.</p>
      {problem !== undefined && <Problem problem={problem} retry={reload} />}
      {sites === undefined && problem === undefined && <Waiting what="sites" />}
      {sites !== undefined && (
        <>
          <div class="toolbar">
            <div class="tabs" role="group" aria-label="Filter by health">
              <Tab
                name="All"
                count={found.length}
                isOn={wanted === undefined}
                onClick={() => show(undefined, search)}
              />
              {HEALTHS.map((health) => {
                const count = found.filter((site) => site.health === health).length;
                return count === 0 && wanted !== health ? null : (
                  <Tab
                    key={health}
                    name={health}
                    count={count}
                    isOn={wanted === health}
                    onClick={() => show(health, search)}
                  />
                );
              })}
            </div>
            <label class="search">
              <span class="unseen">Search by name or URL</span>
              <input
                type="search"
                placeholder="Search by name or URL"
                value={search}
                onInput={(event) => show(wanted, event.currentTarget.value)}
              />
            </label>
          </div>
          <p class="unseen" role="status">
            {shown.length} of {sites.length} sites shown
          </p>
          {shown.length === 0 && <p class="nothing">No site fits. Clear the search, or choose another health.</p>}
          <div class="cards">
            {shown.map((site) => (
              <SiteCard
                key={site.settings.id}
                site={site}
                switchedOff={switchedOff}
                primaryVersion={primary?.status?.version}
              />
            ))}
          </div>
        </>
      )}
    </>
  );
};

const Tab = ({
  name,
  count,
  isOn,
  onClick,
}: {
  readonly name: string;
  readonly count: number;
  readonly isOn: boolean;
  readonly onClick: () => void;
}) => (
  <button type="button" aria-pressed={isOn} onClick={onClick}>
    {name} <span class="count">{count}</span>
  </button>
);
