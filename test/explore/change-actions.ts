import { releaseRemovals } from "../../shared/tables/site/removal-guard-item.ts";
import { askToRemove } from "../../shared/services/removal-guard.ts";
import { stacks } from "./canonical.ts";
import { type Action, change, type Rules, spend, withHint } from "./rules.ts";
import { REF, writeGuard } from "./site.ts";
import { changeReplica, replicaStack } from "./versions.ts";
import { type Content, currentOf, type State, withName } from "./state.ts";
import { TO_COME } from "./time.ts";

/** What people, other programs and S3 do, whatever our code does. */

const changesOfTheSource = (state: State): readonly Action[] => {
  if (state.budget.changes === 0) return [];
  const changed = (source: State["source"], from: State = state): State => ({
    ...withHint(spend(from, "changes")),
    source: stacks.same(source) as State["source"],
  });
  const [named, v] = withName(state, "s");
  const put = (content: Content): Action =>
    change(`put ${content}`, true, () => changed([...state.source, { kind: "object", v, content }], named));
  const top = state.source.at(-1);
  const actions: Action[] = [put("A")];
  // Which of the two comes first makes no difference to anything: the first to be put is called A.
  if (state.named.s + state.named.r > 0) actions.push(put("B"));
  if (currentOf(state.source) !== undefined) {
    actions.push(change("delete", true, () => changed([...state.source, { kind: "marker", v }], named)));
  }
  if (top !== undefined) {
    const label = top.kind === "marker" ? "remove the delete marker" : "purge the current version";
    actions.push(change(label, true, () => changed(state.source.slice(0, -1))));
  }
  return actions;
};

const messages = (state: State): readonly Action[] => {
  const actions: Action[] = [];
  if (state.hints > 0 && state.budget.losses > 0) {
    actions.push(
      change("lose a message", true, () => ({
        ...spend(state, "losses"),
        hints: state.hints - 1,
        unreconciled: true,
      })),
    );
  }
  if (state.hints > 0 && state.budget.duplicates > 0) {
    actions.push(change("duplicate a message", true, () => withHint(spend(state, "duplicates"))));
  }
  if (state.unreconciled) {
    actions.push(change("reconcile", false, () => ({ ...withHint(state), unreconciled: false })));
  }
  return actions;
};

/** Somebody works in the replica's bucket by hand. Whether we hear of it depends on the drift path alone. */
const changesOfTheReplica = ({ surroundings: { drift } }: Rules, state: State): readonly Action[] => {
  if (state.budget.persons === 0) return [];
  const spent = spend(state, "persons");
  const put = (content: Content): Action =>
    change(`a person puts ${content} into the replica's bucket`, true, () =>
      changeReplica(spent, drift, "ObjectCreated:Put", { kind: "object", says: content, bytes: content }),
    );
  const actions: Action[] = [put("P"), put("A")];
  const top = state.replica.at(-1);
  if (top?.kind === "object") {
    actions.push(
      change("a person deletes the replica", true, () =>
        changeReplica(spent, drift, "ObjectRemoved:DeleteMarkerCreated", { kind: "marker" }),
      ),
    );
  }
  if (top?.kind === "marker") {
    const event = { eventName: "ObjectRemoved:Delete", versionId: top.v };
    actions.push(
      change("a person removes the replica's delete marker", true, () => ({
        ...spent,
        replica: replicaStack(state.replica.slice(0, -1)),
        drifts: drift ? [...state.drifts, event] : state.drifts,
      })),
    );
  }
  return actions;
};

const operator = (state: State): readonly Action[] => {
  const actions: Action[] = [];
  if (state.budget.resyncs > 0) {
    actions.push(
      change("an operator asks for a fresh copy", true, () => ({
        ...spend(state, "resyncs"),
        resyncs: state.resyncs + 1,
        resync: "asked",
      })),
    );
  }
  if (state.guard?.["paused_at"] !== undefined) {
    actions.push(
      change(
        "an operator releases one removal",
        false,
        () => writeGuard(state, releaseRemovals(REF.replicableName, 1, TO_COME)).state,
      ),
    );
  }
  return actions;
};

/** The guard is asked for other keys of the type, too: they use up its hour, and what is beyond it makes it hold back. */
const otherRemovals = (rules: Rules, state: State): readonly Action[] =>
  state.budget.otherRemovals === 0
    ? []
    : [
        {
          label: "the removal of another key is asked for",
          optional: true,
          run: async () => {
            rules.stage.state = spend(state, "otherRemovals");
            await askToRemove(rules.site, REF.replicableName);
            return rules.stage.state;
          },
        },
      ];

const roles = (state: State): readonly Action[] => {
  const { standing } = state;
  const next = standing.epoch + 1;
  if (standing.role !== "secondary") {
    return [
      change("the site is a secondary again", false, () => ({
        ...state,
        standing: { role: "secondary", epoch: next },
      })),
    ];
  }
  if (state.budget.epochs === 0) return [];
  const spent = spend(state, "epochs");
  return [
    change("the site's epoch is raised", true, () => ({ ...spent, standing: { role: "secondary", epoch: next } })),
    change("the site is promoted", true, () => ({ ...spent, standing: { role: "primary", epoch: next } })),
  ];
};

export const changesOfTheWorld = (rules: Rules, state: State): readonly Action[] => [
  ...changesOfTheSource(state),
  ...messages(state),
  ...changesOfTheReplica(rules, state),
  ...operator(state),
  ...otherRemovals(rules, state),
  ...roles(state),
];
