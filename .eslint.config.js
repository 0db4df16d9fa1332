/* The rules that `make lint` holds the scripts to; Prettier owns their layout. */
import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  { files: ["static/js/**"], languageOptions: { globals: { ...globals.browser, echarts: "readonly" } } },
  { files: ["tests/scripts/**"], languageOptions: { globals: { ...globals.node, location: "readonly" } } },
  { files: ["static/js/theme.js"], languageOptions: { sourceType: "script" } },
];
