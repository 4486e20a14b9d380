import { render } from "preact";
import { Page } from "./page.tsx";

const root = document.querySelector("#page");
if (root === null) throw new Error("the document has no place for the page");
root.replaceChildren();
render(<Page />, root);
