import { useEffect } from "preact/hooks";
import { place } from "./navigation.ts";
import { Announcer } from "./parts/announcer.tsx";
import { Link } from "./parts/basics.tsx";
import type { Route } from "./routes.ts";
import { signOut, token } from "./session.ts";
import { Nowhere } from "./views/nowhere.tsx";
import { RecordView } from "./views/record.tsx";
import { Records } from "./views/records.tsx";
import { Registries } from "./views/registries.tsx";
import { RegistryView } from "./views/registry.tsx";
import { Settings } from "./views/settings.tsx";
import { SignIn } from "./views/sign-in.tsx";
import { SiteView } from "./views/site.tsx";
import { Sites } from "./views/sites.tsx";

const View = ({ route }: { readonly route: Route }) => {
  switch (route.view) {
    case "sites":
      return <Sites />;
    case "site":
      return <SiteView id={route.id} />;
    case "settings":
      return <Settings id={route.id} />;
    case "registries":
      return <Registries id={route.id} plural={route.plural} />;
    case "registry":
      return <RegistryView id={route.id} plural={route.plural} opaque={route.opaque} />;
    case "records":
      return <Records model={route.model} />;
    case "record":
      return <RecordView model={route.model} identifier={route.identifier} />;
    case "nowhere":
      return <Nowhere />;
  }
};

const TITLES: Readonly<Record<Route["view"], string>> = {
  sites: "Geo sites",
  site: "Site",
  settings: "Site settings",
  registries: "Replication details",
  registry: "Registry",
  records: "Data management",
  record: "Record",
  nowhere: "Not found",
};

/** The whole page: its bar, and the view of its address. Without a token, a place to enter one. */
export const Page = () => {
  const { route } = place.value;
  useEffect(() => {
    document.title = token.value === undefined ? "Sign in · s3-geo" : `${TITLES[route.view]} · s3-geo`;
  }, [route.view, token.value]);
  if (token.value === undefined) {
    return (
      <>
        <SignIn />
        <Announcer />
      </>
    );
  }
  return (
    <>
      <a class="skip" href="#view">
        Skip to the content
      </a>
      <header class="bar-top">
        <Link to={{ view: "sites" }} class="brand">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="8" />
            <circle cx="10.5" cy="16" r="4.5" />
            <circle cx="22.5" cy="10" r="3.5" />
            <circle cx="22.5" cy="22" r="3.5" />
          </svg>
          s3-geo
        </Link>
        <nav aria-label="Main">
          <Link to={{ view: "sites" }} current={route.view !== "records" && route.view !== "record"}>
            Sites
          </Link>
          <Link
            to={{ view: "records", model: undefined }}
            current={route.view === "records" || route.view === "record"}
          >
            Data management
          </Link>
        </nav>
        <button type="button" class="quiet" onClick={() => signOut()}>
          Sign out
        </button>
      </header>
      <main id="view" tabIndex={-1}>
        <View route={route} />
      </main>
      <Announcer />
    </>
  );
};
