import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { check } from "prettier";
import { describe, expect, test } from "vitest";
import { PRODUCT_VERSION } from "../../../shared/geo/product-version.ts";
import { textOf } from "../../docs/support/repository.ts";
import { checkout } from "./checkout.ts";

const DECLARATION = "shared/replicables/sample-thing.ts";
const LIST = "shared/replicables/index.ts";
const PAGE = "docs/supported-types.md";
const MILESTONE = PRODUCT_VERSION.replace(/\.\d+$/, "");
const GADGET = ["replicable", "new", "sample_thing", "--sharding-key", "project_id"] as const;

/** Files that the list imports, and types that it names, each in the order of the text. */
const inList = (list: string) => ({
  files: [...list.matchAll(/from "\.\/(.*)\.ts"/g)].map(([, file = ""]) => file),
  types: [...list.matchAll(/^ {2}(\w+),$/gm)].map(([, type = ""]) => type),
});

describe("geo replicable new (F88)", () => {
  test("declares the type in a file of its own, lists it and adds it to the page, all as the formatter wants it", async () => {
    const { geo, changed } = await checkout();
    const { code, out, err } = await geo(...GADGET);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("Declared sample_thing: objects at sample_things/{project_id}/{id}/{filename+}");
    expect(out).toContain("npm run conformance -- -t sample_thing");
    const files = await changed();
    expect(Object.keys(files).toSorted()).toEqual([PAGE, DECLARATION, LIST].toSorted());
    expect(files[DECLARATION]).toBe(`import { projectScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Sample Things: \`sample_things/7/42/file.bin\`. */
export const sampleThing = defineReplicable({
  name: "sample_thing",
  model: "SampleThing",
  table: "sample_things",
  shardingKey: "project_id",
  uploader: "SampleThingUploader",
  strategy: "blob",
  scope: projectScope(),
  milestone: "${MILESTONE}",
  enabledByDefault: false,
});
`);
    const before = inList(textOf(LIST));
    expect(files[LIST]).toContain('import { sampleThing } from "./sample-thing.ts";');
    expect(inList(files[LIST] ?? "")).toEqual({
      files: [...before.files, "sample-thing"].toSorted(),
      types: [...before.types, "sampleThing"].toSorted(),
    });
    expect(files[PAGE]).toMatch(
      /\n\| `sample_thing` +\| yes +\| yes +\| off +\| [0-9.]+ +\| experiment \| `project_id` /,
    );
    for (const [path, text] of Object.entries(files)) {
      expect(await check(text, { printWidth: 120, trailingComma: "all", filepath: path })).toBe(true);
    }
  });

  test("writes down what is wanted otherwise, and nothing that goes without saying", async () => {
    const { geo, changed } = await checkout();
    const { code } = await geo(
      "replicable",
      "new",
      "sample_leaf",
      "--sharding-key=project_id",
      '--key-pattern=leaves of "{project_id}"/{id}/{rest+}',
      "--plural=sample_leaves",
      "--model=Cool::Leaf",
      "--table=leaf_files",
      "--uploader=LeafUploader, AUploader",
      "--milestone=19.4",
      "--checksum=sha256",
    );
    expect(code).toBe(0);
    expect((await changed())["shared/replicables/sample-leaf.ts"]).toContain(`({
  name: "sample_leaf",
  plural: "sample_leaves",
  model: "Cool::Leaf",
  table: "leaf_files",
  shardingKey: "project_id",
  keyPattern: 'leaves of "{project_id}"/{id}/{rest+}',
  uploader: ["LeafUploader", "AUploader"],
  strategy: "blob",
  scope: projectScope(),
  milestone: "19.4",
  enabledByDefault: false,
  verification: { checksum: "sha256" },
});`);
  });

  test.each([
    ["namespace_id", undefined, "namespaceScope()"],
    ["group_id", undefined, 'namespaceScope("group_id")'],
    ["organization_id", undefined, "organizationScope()"],
    ["uploaded_by_user_id", undefined, "metadataScope"],
    ["none", undefined, "metadataScope"],
    ["project_id,namespace_id", undefined, "metadataScope"],
    ["project_id", "gadgets/{id}", "metadataScope"],
    ["project_id", "gadgets/{id}/{project_id+}", "projectScope()"],
  ])("finds owners by sharding key %s and pattern %s with %s", async (shardingKey, pattern, scope) => {
    const { geo } = await checkout();
    const place = pattern === undefined ? [] : ["--key-pattern", pattern];
    const asked = ["replicable", "new", "sample_thing", "--sharding-key", shardingKey, ...place, "--dry-run"];
    const { code, out } = await geo(...asked);
    expect(code).toBe(0);
    expect(out).toContain(`  scope: ${scope},`);
    expect(out).toContain(`import { ${scope.replace(/\(.*/, "")} } from`);
  });

  test.each([
    [
      "a name in CamelCase",
      ["SampleThing", "none"],
      /"SampleThing": its name must be snake_case of at most 63 characters\n$/,
    ],
    ["a name with a path in it", ["../../etc", "none"], /"..\/..\/etc": its name must be snake_case/],
    [
      "a name that is taken",
      ["cool_widget", "none"],
      /"cool_widget" is taken: expected a name that no declared type has/,
    ],
    ["a name that is taken in TypeScript", ["class", "none"], /"class" would be called class in TypeScript/],
    ["a name that the list uses", ["upload_partitions", "none"], /would be called uploadPartitions in TypeScript/],
    ["an unknown sharding key", ["gadget", "user_id"], /its sharding key is "user_id", expected namespace_id, /],
    [
      "a pattern without a record's id",
      ["gadget", "none", "--key-pattern", "a/{x}"],
      /"a\/\{x\}" can not be used: it has no \{id\}/,
    ],
    ["a pattern with a wildcard", ["gadget", "none", "--key-pattern", "a/*/{id}"], /has a wildcard; expected \{name\}/],
    [
      "a pattern that overlaps another type's",
      ["gadget", "none", "--key-pattern", "lfs_objects/{id+}"],
      /"gadget" and "lfs_object" could claim one key|"lfs_object" and "gadget" could claim one key/,
    ],
    ["a plural that is taken", ["gadget", "none", "--plural", "uploads"], /share the plural "uploads"/],
    [
      "an unknown checksum",
      ["gadget", "none", "--checksum", "md5"],
      /its checksum is "md5", expected stored_or_sha256/,
    ],
    [
      "a model that is no class",
      ["gadget", "none", "--model", "x y"],
      /its model must be a class name such as .* "x y"/,
    ],
    [
      "a milestone that is none",
      ["gadget", "none", "--milestone", "soon"],
      /milestone must look like 18\.11, and is "soon"/,
    ],
    ["an unknown form of output", ["gadget", "none", "--output", "xml"], /Allowed choices are table, json/],
  ] as const)("refuses %s with exit code 2, and writes nothing", async (_, [name, key, ...rest], problem) => {
    const { geo, changed } = await checkout();
    const { code, out, err } = await geo("replicable", "new", name, "--sharding-key", key, ...rest);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(problem);
    expect(await changed()).toEqual({});
  });

  test("says all that is wrong at once", async () => {
    const { geo } = await checkout();
    const { err } = await geo("replicable", "new", "gadget", "--sharding-key", "x", "--model", "y", "--milestone", "z");
    expect(err.match(/^- /gm)).toHaveLength(3);
  });

  test("refuses to replace a file that somebody else has begun", async () => {
    const { geo, root, changed } = await checkout();
    await writeFile(join(root, DECLARATION), "mine");
    const { code, err } = await geo(...GADGET);
    expect(code).toBe(2);
    expect(err).toContain(`${DECLARATION} is there already`);
    expect(await changed()).toEqual({ [DECLARATION]: "mine" });
  });

  test("refuses to add to a list that is not the one it knows", async () => {
    const { geo, root, changed } = await checkout();
    await writeFile(join(root, LIST), "export const replicables = [];\n");
    const { code, err } = await geo(...GADGET);
    expect(code).toBe(2);
    expect(err).toContain(`${LIST} has no list of types to add to; expected`);
    expect(Object.keys(await changed())).toEqual([LIST]);
  });

  test("leaves everything as it was when a file can not be written", async () => {
    const { geo, root, changed } = await checkout();
    await rm(join(root, "docs"), { recursive: true });
    const { code, err } = await geo(...GADGET);
    expect(code).toBe(1);
    expect(err).toContain("ENOENT");
    expect(await changed()).toEqual({});
  });

  test("shows with --dry-run what it would write, and writes nothing", async () => {
    const { geo, changed } = await checkout();
    const { code, out } = await geo(...GADGET, "--dry-run");
    expect(code).toBe(0);
    expect(out).toContain("Would declare sample_thing");
    expect(out).toContain("export const sampleThing = defineReplicable({");
    expect(await changed()).toEqual({});
  });

  test("answers scripts with one JSON document", async () => {
    const { geo } = await checkout();
    const dry = await geo(...GADGET, "--dry-run", "--output", "json");
    expect(JSON.parse(dry.out)).toMatchObject({
      name: "sample_thing",
      written: false,
      files: [{ path: DECLARATION }, {}, {}],
    });
    expect(JSON.parse(dry.out).files[0].content).toContain("sampleThing");
    const { out } = await geo(...GADGET, "--output", "json");
    expect(JSON.parse(out)).toEqual({
      name: "sample_thing",
      key_pattern: "sample_things/{project_id}/{id}/{filename+}",
      flag: "geo_sample_thing_replication",
      written: true,
      files: [
        { path: DECLARATION, action: "created" },
        { path: LIST, action: "changed" },
        { path: PAGE, action: "changed" },
      ],
    });
  });

  test("asks before it writes, where somebody is there to answer", async () => {
    const no = await checkout(false);
    expect(await no.geo(...GADGET)).toMatchObject({ code: 1, out: "" });
    expect(no.questions).toEqual(["Write these files?"]);
    expect(await no.changed()).toEqual({});
    const yes = await checkout(true);
    expect(await yes.geo(...GADGET)).toMatchObject({ code: 0 });
    const notAsked = await checkout(false);
    expect(await notAsked.geo(...GADGET, "--yes")).toMatchObject({ code: 0 });
    expect(notAsked.questions).toEqual([]);
  });
});
