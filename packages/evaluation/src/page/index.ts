/** Reports as pages with charts. An entry of its own: it loads Vega, which reports in other forms do not need. */
export { documentToHtml } from "./document-to-html.ts";
