import type { ComponentChildren } from "preact";
import { counted } from "../format.ts";
import type { TypeProgress } from "../progress.ts";

/** What is told of each type beside its name. */
export interface Column {
  readonly title: string;
  readonly cell: (type: TypeProgress) => ComponentChildren;
}

/** A site's types in a table; those without anything are folded away, since most sites use few of many. */
export const TypeList = ({
  types,
  isEmpty,
  emptyWord,
  why,
  columns,
  nameOf,
}: {
  readonly types: readonly TypeProgress[];
  readonly isEmpty: (type: TypeProgress) => boolean;
  readonly emptyWord: string;
  /** Of one that is folded away: why, in a word or three. */
  readonly why: (type: TypeProgress) => string;
  readonly columns: readonly Column[];
  readonly nameOf: (type: TypeProgress) => ComponentChildren;
}) => {
  const empty = types.filter(isEmpty);
  const filled = types.filter((type) => !isEmpty(type));
  return (
    <>
      {filled.length > 0 && (
        <div class="scroller">
          <table class="types">
            <thead>
              <tr>
                <th scope="col">Type</th>
                {columns.map(({ title }) => (
                  <th scope="col" key={title}>
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {filled.map((type) => (
                <tr key={type.type.plural}>
                  <th scope="row">{nameOf(type)}</th>
                  {columns.map(({ title, cell }) => (
                    <td key={title} data-title={title}>
                      {cell(type)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {empty.length > 0 && (
        <details class="folded">
          <summary>
            {counted(empty.length, "type")} {emptyWord}
          </summary>
          <ul>
            {empty.map((type) => (
              <li key={type.type.plural}>
                {nameOf(type)} <small>{why(type)}</small>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
};
