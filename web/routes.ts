/** The page's views, and the path of each. functions/admin-page/page-app.ts serves the document under these. */
export type Route =
  | { readonly view: "sites" }
  | { readonly view: "site"; readonly id: number }
  | { readonly view: "settings"; readonly id: number }
  | { readonly view: "registries"; readonly id: number; readonly plural: string | undefined }
  | { readonly view: "registry"; readonly id: number; readonly plural: string; readonly opaque: string }
  | { readonly view: "records"; readonly model: string | undefined }
  | { readonly view: "record"; readonly model: string; readonly identifier: string }
  | { readonly view: "nowhere" };

/** The path of a view behind the address of the API, without a slash at its beginning. */
export const pathOf = (route: Route): string => {
  switch (route.view) {
    case "sites":
    case "nowhere":
      return "admin/geo/sites";
    case "site":
      return `admin/geo/sites/${route.id}`;
    case "settings":
      return `admin/geo/sites/${route.id}/edit`;
    case "registries":
      return `admin/geo/sites/${route.id}/replication${route.plural === undefined ? "" : `/${route.plural}`}`;
    case "registry":
      return `admin/geo/sites/${route.id}/replication/${route.plural}/${route.opaque}`;
    case "records":
      return `admin/data_management${route.model === undefined ? "" : `/${route.model}`}`;
    case "record":
      return `admin/data_management/${route.model}/${route.identifier}`;
  }
};

/** The view of a path: what `pathOf` made, and GitLab's `geo/data_management`. */
export const routeOf = (path: string): Route => {
  const [admin, ...rest] = path.split("/").filter((part) => part !== "");
  const parts = rest[0] === "geo" && rest[1] === "data_management" ? rest.slice(1) : rest;
  if (admin !== "admin") return { view: "nowhere" };
  if (parts[0] === "data_management") {
    const [, model, identifier] = parts;
    return model === undefined || identifier === undefined
      ? { view: "records", model }
      : { view: "record", model, identifier };
  }
  const [geo, sites, number, what, plural, opaque] = parts;
  if (geo !== "geo" || (sites !== undefined && sites !== "sites")) return { view: "nowhere" };
  if (number === undefined) return { view: "sites" };
  const id = Number(number);
  if (!Number.isSafeInteger(id)) return { view: "nowhere" };
  if (what === undefined) return { view: "site", id };
  if (what === "edit") return { view: "settings", id };
  if (what !== "replication") return { view: "nowhere" };
  return plural === undefined || opaque === undefined
    ? { view: "registries", id, plural }
    : { view: "registry", id, plural, opaque };
};
