/** The package comes without types; this is what the tests use of it. */
declare module "asl-validator" {
  const validate: (definition: unknown) => {
    readonly isValid: boolean;
    readonly errorsText: (separator?: string) => string;
  };
  export default validate;
}
