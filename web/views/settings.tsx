import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { SiteChange, SiteStatusAnswer } from "../../shared/client/contract.ts";
import { call, type CallProblem } from "../api.ts";
import { counted } from "../format.ts";
import { asProblem, useLoaded } from "../loading.ts";
import { announce } from "../parts/announcer.tsx";
import { Heading, Link, Problem, Waiting } from "../parts/basics.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { sumOf, typesOf } from "../progress.ts";
import { changeOf, type Editable, type FieldName, formOf, problemsOf, type SettingsForm } from "../settings-form.ts";
import { loadSites, type Site } from "../sites.ts";
import { Pausing } from "./pausing.tsx";

/** The settings of a site, as far as the site that answers may change them. */
export const Settings = ({ id }: { readonly id: number }) => {
  const { value: sites, problem, reload } = useLoaded("sites", loadSites);
  const site = sites?.find(({ settings }) => settings.id === id);
  if (problem !== undefined) return <Problem problem={problem} retry={reload} />;
  if (sites === undefined) return <Waiting what="the settings" />;
  if (site === undefined) {
    return (
      <>
        <Heading>Site settings</Heading>
        <p class="notice">
          This site knows no site of that number. All that it knows are on the{" "}
          <Link to={{ view: "sites" }}>overview</Link>.
        </p>
      </>
    );
  }
  const isAtPrimary = sites.some(({ settings }) => settings.primary && settings.current);
  const { current, primary } = site.settings;
  const editable = { addresses: isAtPrimary, settings: current, scope: current && !primary };
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <Link to={{ view: "sites" }}>Sites</Link> <span aria-hidden="true">/</span>{" "}
        <Link to={{ view: "site", id }}>{site.settings.name}</Link>
      </nav>
      <Heading>Settings of {site.settings.name}</Heading>
      {editable.scope && <Pausing site={site} onChange={reload} />}
      <Form key={JSON.stringify(site.settings)} site={site} editable={editable} onSaved={reload} />
    </>
  );
};

const Form = ({
  site,
  editable,
  onSaved,
}: {
  readonly site: Site;
  readonly editable: Editable;
  readonly onSaved: () => void;
}) => {
  const { settings } = site;
  const [form, setForm] = useState<SettingsForm>(formOf(settings));
  const [isBusy, setIsBusy] = useState(false);
  const [isAsking, setIsAsking] = useState(false);
  const [isTried, setIsTried] = useState(false);
  const [refused, setRefused] = useState<CallProblem>();
  const problems = problemsOf(form, editable);
  const change = changeOf(settings, form, editable);
  const isChanged = Object.keys(change).length > 0;
  const set = (changed: Partial<SettingsForm>): void => setForm({ ...form, ...changed });
  const text = (name: Exclude<FieldName, "syncObjectStorage" | "syncType">) => ({
    name,
    value: form[name],
    problem: isTried ? problems[name] : undefined,
    onInput: (value: string) => set({ [name]: value }),
  });

  const effects = effectsOf(change);

  const submit = (): void => {
    setIsTried(true);
    const [wrong] = Object.keys(problems);
    if (wrong !== undefined) {
      document.querySelector<HTMLElement>(`#field-${wrong}`)?.focus();
      return;
    }
    if (effects.length > 0) setIsAsking(true);
    else void save();
  };

  const save = async (): Promise<void> => {
    setIsBusy(true);
    setRefused(undefined);
    try {
      await call("PUT", `api/v4/geo_sites/${settings.id}`, { body: change });
      announce("The settings are saved. Every part of the site knows them within seconds.");
      onSaved();
    } catch (error) {
      setRefused(asProblem(error));
    }
    setIsBusy(false);
    setIsAsking(false);
  };

  return (
    <form
      class="settings"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {!editable.settings && (
        <p class="notice">
          The settings of {settings.name} are changed at its own page; here the primary notes its addresses.
        </p>
      )}
      {!editable.settings && !editable.addresses && <p class="notice">Nothing of it can be changed here.</p>}
      {editable.addresses && (
        <Group title="Addresses" lead="Noted at the primary: where people and other sites reach the site.">
          <Text label="URL" kind="url" {...text("url")} />
          <Text label="Internal URL" hint="Leave it empty if it is the same." kind="url" {...text("internalUrl")} />
        </Group>
      )}
      {editable.scope && (
        <Group title="What it keeps" lead="What changes here is asked about once more before it is saved.">
          <label class="check">
            <input
              type="checkbox"
              checked={form.syncObjectStorage}
              onChange={(event) => set({ syncObjectStorage: event.currentTarget.checked })}
            />
            <span>Keep replicas of objects</span>
          </label>
          <p class="faint about">
            Otherwise nothing is copied and nothing is removed: the replicas that are there stay as they are.
          </p>
          <label class="field">
            <span>Selective synchronization</span>
            <select
              value={form.syncType}
              onChange={(event) => set({ syncType: syncTypeOf(event.currentTarget.value), syncIds: "" })}
            >
              <option value="">Everything</option>
              <option value="namespaces">Namespaces in certain groups</option>
              <option value="organizations">Certain organizations</option>
              <option value="shards">Certain storage shards</option>
            </select>
          </label>
          <p class="faint about">
            Replicas that are not wanted any more are removed, guarded by the removal guard; what is wanted anew is
            fetched.
          </p>
          {form.syncType !== "" && (
            <Text
              label={`Ids of the ${form.syncType}`}
              hint="With commas or spaces between them."
              {...text("syncIds")}
            />
          )}
        </Group>
      )}
      {editable.settings && (
        <Group title="How much at once" lead="For the whole site, divided among the functions that run at a time.">
          {!settings.primary && <Text label="Objects copied at once" numeric {...text("filesMaxCapacity")} />}
          <Text
            label={settings.primary ? "Objects checksummed at once" : "Replicas verified at once"}
            numeric
            {...text("verificationMaxCapacity")}
          />
          <Text
            label="Re-verification interval, days"
            hint="The primary reads an object again when it was last read so long ago."
            numeric
            {...text("interval")}
          />
        </Group>
      )}
      {refused !== undefined && <Problem problem={refused} />}
      {(editable.settings || editable.addresses) && (
        <p class="actions">
          <button type="submit" class="primary" disabled={isBusy || !isChanged}>
            {isBusy ? "Saving…" : "Save changes"}
          </button>
          <button type="button" disabled={isBusy || !isChanged} onClick={() => setForm(formOf(settings))}>
            Discard
          </button>
        </p>
      )}
      {isAsking && (
        <Confirm
          title={`Change what ${settings.name} keeps?`}
          does="Change it"
          isBusy={isBusy}
          onConfirm={() => void save()}
          onClose={() => setIsAsking(false)}
        >
          {effects.map((effect) => (
            <p key={effect}>{effect}</p>
          ))}
          <p>
            {site.status === undefined ? (
              "How many objects this is about is not known: the site has never told how it is."
            ) : (
              <>
                The site has <strong>{counted(objectsOf(site.status), "object")}</strong> as of its last status.
              </>
            )}
          </p>
        </Confirm>
      )}
    </form>
  );
};

/** What a change does to the replicas of the site, a sentence each; none when it touches none of them. */
const effectsOf = (change: SiteChange): readonly string[] => [
  ...(change.sync_object_storage === undefined
    ? []
    : [
        change.sync_object_storage
          ? "Objects are copied again, and those that the primary has deleted meanwhile are removed."
          : "Nothing is copied and nothing is removed any more: the replicas stay as they are, and fall behind the primary.",
      ]),
  ...(change.selective_sync_type === undefined
    ? []
    : [
        change.selective_sync_type === null
          ? "The site keeps everything again: what it does not have is copied from the primary."
          : `The site keeps what belongs to the ${change.selective_sync_type} that are named, and data of the whole instance. All other replicas are removed, unless the removal guard stops it; what is wanted anew is copied.`,
      ]),
];

/** Of how many objects the site keeps account, wanted until now. */
const objectsOf = (status: SiteStatusAnswer): number => sumOf(typesOf(status, new Set()).map(({ sync }) => sync)).total;

const SYNC_TYPES = ["", "namespaces", "shards", "organizations"] as const;

const syncTypeOf = (text: string): SettingsForm["syncType"] => SYNC_TYPES.find((type) => type === text) ?? "";

const Group = ({
  title,
  lead,
  children,
}: {
  readonly title: string;
  readonly lead: string;
  readonly children: ComponentChildren;
}) => (
  <fieldset class="card">
    <legend>{title}</legend>
    <p class="faint">{lead}</p>
    {children}
  </fieldset>
);

const Text = ({
  label,
  name,
  value,
  hint,
  kind = "text",
  numeric = false,
  problem,
  onInput,
}: {
  readonly label: string;
  readonly name: FieldName;
  readonly value: string;
  readonly hint?: string;
  readonly kind?: "text" | "url";
  readonly numeric?: boolean;
  readonly problem: string | undefined;
  readonly onInput: (value: string) => void;
}) => {
  const id = `field-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        inputmode={numeric ? "numeric" : kind}
        class={numeric ? "number" : ""}
        value={value}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-about`}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <p id={`${id}-about`} class={problem === undefined ? "faint about" : "failed about"}>
        {problem ?? hint}
      </p>
    </div>
  );
};
