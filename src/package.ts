/**
 * The folder that holds package.json, as a URL. It is one level above both this file and the built `dist/`, so that
 * the bundled model and fonts are found from either.
 */
export const packageRoot = new URL("../", import.meta.url);
