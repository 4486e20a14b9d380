import type { ComponentChildren } from "preact";
import type { SiteStatusAnswer } from "../../shared/client/contract.ts";
import { bytes, counted, duration, percent, whole } from "../format.ts";
import { Fact, Link, Time } from "../parts/basics.tsx";
import { CHECKSUMS, Sparkline, StackedBar, SYNC, VERIFICATION } from "../parts/bars.tsx";
import { type LagStep, sumOf, type TypeProgress, typesOf } from "../progress.ts";
import { OLD_STATUS_MS, type Site, webAddress } from "../sites.ts";
import { TypeList } from "./type-list.tsx";

/** A site: who it is, how it is, how far it has come, type by type. */
export const SiteCard = ({
  site,
  switchedOff,
  primaryVersion,
}: {
  readonly site: Site;
  readonly switchedOff: ReadonlySet<string>;
  /** To compare with; undefined where the primary is not known. */
  readonly primaryVersion: string | undefined;
}) => {
  const { settings, status } = site;
  const title = `site-${settings.id}`;
  return (
    <article class="card site" aria-labelledby={title}>
      <Head site={site} title={title} primaryVersion={primaryVersion} />
      {site.because !== undefined && (
        <p class={site.health === "Unhealthy" || site.health === "Offline" ? "notice bad" : "notice"}>{site.because}</p>
      )}
      {status !== undefined && <Body site={site} status={status} types={typesOf(status, switchedOff)} />}
    </article>
  );
};

const Head = ({
  site,
  title,
  primaryVersion,
}: {
  readonly site: Site;
  readonly title: string;
  readonly primaryVersion: string | undefined;
}) => {
  const { settings, status, health } = site;
  const url = webAddress(settings.url);
  const isOld = status !== undefined && Date.now() - Date.parse(status.updated_at) > OLD_STATUS_MS;
  const differs = status !== undefined && primaryVersion !== undefined && status.version !== primaryVersion;
  return (
    <header class="site-head">
      <div>
        <h2 id={title}>
          <Link to={{ view: "site", id: settings.id }}>{settings.name}</Link>
        </h2>
        <span class={`badge ${health.toLowerCase()}`}>{health}</span>
        {settings.primary && <span class="badge plain">Primary</span>}
        {settings.current && <span class="badge plain">This site</span>}
      </div>
      <p class="facts-line">
        {status !== undefined && <span>{status.region}</span>}
        {status !== undefined && (
          <span class={isOld ? "warned" : undefined}>
            {isOld && "⚠ "}Updated <Time at={status.updated_at} />
            {isOld && ", which is more than 10 minutes"}
          </span>
        )}
        {status !== undefined && (
          <span class={differs ? "warned" : undefined}>
            Version {status.version}
            {differs && `, the primary has ${primaryVersion}`}
          </span>
        )}
        {url !== undefined && (
          <a href={`${url.replace(/\/$/, "")}/admin/geo/sites`} rel="noreferrer">
            {new URL(url).host}
          </a>
        )}
      </p>
      <p class="actions">
        <Link to={{ view: "settings", id: settings.id }} class="button">
          Settings<span class="unseen"> of {settings.name}</span>
        </Link>
      </p>
    </header>
  );
};

const Body = ({
  site,
  status,
  types,
}: {
  readonly site: Site;
  readonly status: SiteStatusAnswer;
  readonly types: readonly TypeProgress[];
}) =>
  status.primary ? (
    <PrimaryBody site={site} status={status} types={types} />
  ) : (
    <SecondaryBody site={site} status={status} types={types} />
  );

interface BodyProps {
  readonly site: Site;
  readonly status: SiteStatusAnswer;
  readonly types: readonly TypeProgress[];
}

/** The latest time, seconds since the epoch, as a text that `Time` reads. */
const timeOf = (seconds: number | null): string | null =>
  seconds === null ? null : new Date(seconds * 1_000).toISOString();

const PrimaryBody = ({ site, status, types }: BodyProps) => {
  const checksums = sumOf(types.map(({ verification }) => verification));
  const size = types.reduce((sum, type) => sum + type.bytes, 0);
  const objects = types.reduce((sum, type) => sum + type.count, 0);
  return (
    <>
      <dl class="figures">
        <Fact name="Objects">
          <strong>{whole(objects)}</strong>
          <small>{bytes(size)}</small>
        </Fact>
        <Fact name="Checksummed">
          <strong>{percent(checksums.done, checksums.total)}</strong>
          <Counts bar={checksums} />
        </Fact>
        <Fact name="Last change">
          <strong>
            <Time at={timeOf(status.last_event_timestamp)} />
          </strong>
          <small>of an object&apos;s record</small>
        </Fact>
      </dl>
      <TypeList
        types={types}
        isEmpty={({ count, verification }) => verification === "empty" || count === 0}
        emptyWord="without objects or switched off"
        why={({ verification }) => (verification === "disabled" ? CHECKSUMS.disabled : CHECKSUMS.empty)}
        columns={[
          { title: "Checksums", cell: ({ verification }) => <StackedBar progress={verification} words={CHECKSUMS} /> },
        ]}
        nameOf={(type) =>
          site.settings.current ? (
            <Link to={{ view: "records", model: type.type.model }}>{type.type.title}</Link>
          ) : (
            type.type.title
          )
        }
      />
    </>
  );
};

const Counts = ({ bar }: { readonly bar: ReturnType<typeof sumOf> }) => (
  <small>
    {bar.queued > 0 && `${whole(bar.queued)} queued`}
    {bar.queued > 0 && bar.failed > 0 && ", "}
    {bar.failed > 0 && <span class="failed">{whole(bar.failed)} failed</span>}
    {bar.queued === 0 && bar.failed === 0 && (bar.total === 0 ? "nothing yet" : `all ${whole(bar.total)}`)}
  </small>
);

const syncSettings = ({ settings }: Site): ComponentChildren => {
  const lists = {
    namespaces: settings.selective_sync_namespace_ids,
    shards: settings.selective_sync_shards,
    organizations: settings.selective_sync_organization_ids,
  };
  if (settings.sync_object_storage === false) return <strong>No objects</strong>;
  const type = settings.selective_sync_type;
  if (type === null) {
    return (
      <>
        <strong>Full</strong>
        <small>everything is replicated</small>
      </>
    );
  }
  return (
    <>
      <strong>Selective</strong>
      <small>{counted(lists[type].length, type.slice(0, -1))}</small>
    </>
  );
};

/** The steps of all types in one: the slowest of each five minutes. */
const stepsOf = (types: readonly TypeProgress[]): readonly LagStep[] => {
  const steps = new Map<number, LagStep>();
  for (const step of types.flatMap(({ lagSteps }) => lagSteps)) {
    const other = steps.get(step.at);
    steps.set(step.at, {
      at: step.at,
      count: step.count + (other?.count ?? 0),
      p50: Math.max(step.p50, other?.p50 ?? 0),
      p99: Math.max(step.p99, other?.p99 ?? 0),
    });
  }
  return [...steps.values()].toSorted((left, right) => left.at - right.at);
};

const match = (isMatching: boolean | null): ComponentChildren => {
  if (isMatching === null) return <strong>Not known yet</strong>;
  return isMatching ? (
    <>
      <strong>Matches</strong>
      <small>the same types under the same keys</small>
    </>
  ) : (
    <>
      <strong class="failed">Differs</strong>
      <small>deploy the primary&apos;s version and types here</small>
    </>
  );
};

const SecondaryBody = ({ site, status, types }: BodyProps) => {
  const sync = sumOf(types.map((type) => type.sync));
  const verification = sumOf(types.map((type) => type.verification));
  const lags = types.flatMap(({ lag }) => lag ?? []);
  const oldest = Math.min(...types.map(({ oldestUnsynced }) => oldestUnsynced ?? Infinity));
  const now = Date.now();
  return (
    <>
      <dl class="figures">
        <Fact name="Synced">
          <strong>{percent(sync.done, sync.total)}</strong>
          <Counts bar={sync} />
        </Fact>
        <Fact name="Verified">
          <strong>{percent(verification.done, verification.total)}</strong>
          <Counts bar={verification} />
        </Fact>
        <Fact name="Lag, last hour">
          <strong>{lags.length === 0 ? "none" : duration(Math.max(...lags.map(({ p99 }) => p99)))}</strong>
          <small>{lags.length === 0 ? "nothing was written" : "99 of 100 replicas"}</small>
          <Sparkline steps={stepsOf(types)} now={now} />
        </Fact>
        <Fact name="Oldest that waits">
          <strong>{oldest === Infinity ? "none" : duration((now - oldest) / 1_000)}</strong>
          <small>{oldest === Infinity ? "everything is synced" : "since it was first heard of"}</small>
        </Fact>
        <Fact name="Sync settings">{syncSettings(site)}</Fact>
        <Fact name="Configuration">{match(status.storage_shards_match)}</Fact>
        <Fact name="Last event">
          <strong>
            <Time at={timeOf(status.cursor_last_event_timestamp)} />
          </strong>
          <small>
            primary&apos;s: <Time at={timeOf(status.last_event_timestamp)} />
          </small>
        </Fact>
      </dl>
      <TypeList
        types={types}
        isEmpty={({ count }) => count === 0}
        emptyWord="without objects or switched off"
        why={({ sync: copies }) => (copies === "disabled" ? SYNC.disabled : SYNC.empty)}
        columns={[
          { title: "Synchronization", cell: (type) => <StackedBar progress={type.sync} words={SYNC} /> },
          { title: "Verification", cell: (type) => <StackedBar progress={type.verification} words={VERIFICATION} /> },
          { title: "Lag", cell: (type) => <Lag type={type} now={now} /> },
        ]}
        nameOf={(type) => <Details site={site} type={type} />}
      />
    </>
  );
};

const Lag = ({ type, now }: { readonly type: TypeProgress; readonly now: number }) =>
  type.lag === undefined ? (
    <p class="no-bar">Nothing in the last hour</p>
  ) : (
    <div class="lag">
      <Sparkline steps={type.lagSteps} now={now} />
      <p>
        <strong>{duration(type.lag.p99)}</strong> <span class="legend">half within {duration(type.lag.p50)}</span>
      </p>
    </div>
  );

/** A type's name, leading to its objects: they are in the site's own region, and so only its own page shows them. */
const Details = ({ site: { settings }, type: { type } }: { readonly site: Site; readonly type: TypeProgress }) => {
  if (settings.current)
    return <Link to={{ view: "registries", id: settings.id, plural: type.plural }}>{type.title}</Link>;
  const base = webAddress(settings.url);
  return base === undefined ? (
    <>{type.title}</>
  ) : (
    <a href={`${base.replace(/\/$/, "")}/admin/geo/sites/${settings.id}/replication/${type.plural}`} rel="noreferrer">
      {type.title}
      <span class="unseen">, on the page of {settings.name}</span>
    </a>
  );
};
