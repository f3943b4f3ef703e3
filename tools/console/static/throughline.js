import { initAll } from "./vendor/govuk-frontend.min.js";

// A part that htmx put in is given its components; those that a page has already stay as they are.
const unlessDone = (error) => error.name === "InitError" || console.error(error);
const start = (scope) => initAll({ scope, onError: unlessDone });

start(document);
document.addEventListener("htmx:after:process", ({ target }) => start(target.parentElement ?? document));
