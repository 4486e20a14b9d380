/** The product's version, as in package.json (a test compares them); sites report it in their status. */
export const PRODUCT_VERSION = "0.1.0";
