import type { OpenSite } from "./page-pair.ts";

const LFS = Buffer.from("lfs_objects/8/9f/86/d081884c7d659a2f8").toString("base64url");

/** A view of the page, as its address has it. */
export interface ShownView {
  readonly name: string;
  readonly site: OpenSite;
  /** Behind the site's URL. */
  readonly path: string;
  /** What its heading says. */
  readonly heading: string;
}

/** Every view there is. */
export const viewsOf = ({
  primary,
  secondary,
}: {
  readonly primary: OpenSite;
  readonly secondary: OpenSite;
}): readonly ShownView[] => [
  { name: "sign-in", site: primary, path: "/admin/geo/sites", heading: "Sign in to this site" },
  { name: "sites", site: primary, path: "/admin/geo/sites", heading: "Geo sites" },
  { name: "site", site: secondary, path: `/admin/geo/sites/${secondary.id}`, heading: "ireland" },
  { name: "settings", site: secondary, path: `/admin/geo/sites/${secondary.id}/edit`, heading: "Settings of ireland" },
  {
    name: "settings-at-primary",
    site: primary,
    path: `/admin/geo/sites/${secondary.id}/edit`,
    heading: "Settings of ireland",
  },
  {
    name: "registries",
    site: secondary,
    path: `/admin/geo/sites/${secondary.id}/replication/lfs_objects`,
    heading: "LFS Objects",
  },
  {
    name: "registry",
    site: secondary,
    path: `/admin/geo/sites/${secondary.id}/replication/lfs_objects/${LFS}`,
    heading: "lfs_objects/8/9f/86/d081884c7d659a2f8",
  },
  {
    name: "registries-elsewhere",
    site: primary,
    path: `/admin/geo/sites/${secondary.id}/replication/lfs_objects`,
    heading: "Replication details",
  },
  {
    name: "records",
    site: primary,
    path: "/admin/data_management/lfs_objects",
    heading: "Data management: LFS Objects",
  },
  {
    name: "record",
    site: primary,
    path: `/admin/data_management/lfs_objects/${LFS}`,
    heading: "lfs_objects/8/9f/86/d081884c7d659a2f8",
  },
  { name: "nowhere", site: primary, path: "/admin/geo/sites/1/edit", heading: "Site settings" },
];
