// By a static import, because the bundler gives a package that is imported on demand no named exports.
export { parse } from "yaml";
