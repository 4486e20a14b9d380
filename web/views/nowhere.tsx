import { Heading, Link } from "../parts/basics.tsx";

/** An address that leads nowhere. */
export const Nowhere = () => (
  <>
    <Heading>There is no such page</Heading>
    <p>
      The address may be mistyped. All sites are on the <Link to={{ view: "sites" }}>overview</Link>.
    </p>
  </>
);
