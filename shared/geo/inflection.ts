/** English plurals and the spellings of a snake_case name. */

/**
 * The regular plural of the last word of `text`: registry → registries, symbol → symbols, batch → batches. A name with
 * an irregular plural (leaf, datum) declares it.
 */
export const pluralize = (text: string): string => {
  if (/[^aeiou]y$/i.test(text)) return `${text.slice(0, -1)}ies`;
  return /(?:s|x|z|ch|sh)$/i.test(text) ? `${text}es` : `${text}s`;
};

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** cool_widget → CoolWidget */
export const pascalCase = (snakeCase: string): string => snakeCase.split("_").map(capitalized).join("");

/** cool_widget → coolWidget */
export const camelCase = (snakeCase: string): string => {
  const pascal = pascalCase(snakeCase);
  return pascal.charAt(0).toLowerCase() + pascal.slice(1);
};

/** cool_widget → Cool Widget */
export const titleCase = (snakeCase: string): string => snakeCase.split("_").map(capitalized).join(" ");

/** cool_widget → COOL_WIDGET */
export const upperSnakeCase = (snakeCase: string): string => snakeCase.toUpperCase();
