/** What the page knows of a type of objects: the names under which the API speaks of it. */
export interface TypeNames {
  readonly name: string;
  /** In status fields and in paths. */
  readonly plural: string;
  /** For people, plural. */
  readonly title: string;
  /** The GraphQL list of its registries. */
  readonly registriesField: string;
  readonly registryClass: string;
  readonly registryEnumKey: string;
  /** Under which the primary's data management shows its records. */
  readonly model: string;
  readonly replicationFlag: string;
}
