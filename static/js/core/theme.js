/* The light or dark theme, and the colours that charts take from the style sheet. */

const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

export const VIRIDIS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];

export function isDark() {
  const kept = document.documentElement.dataset.theme;
  return kept ? kept === "dark" : prefersDark.matches;
}

export function toggleTheme() {
  const next = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("nasweb-theme", next);
  } catch {
    // storage is blocked: the choice lasts as long as the page
  }
  document.dispatchEvent(new CustomEvent("themechange"));
}

prefersDark.addEventListener("change", () => document.dispatchEvent(new CustomEvent("themechange")));

let known = null;
document.addEventListener("themechange", () => (known = null), { capture: true });

/** The colours of the present theme, kept until the theme changes. */
export function colours() {
  return (known ??= resolved());
}

/** Reads the colours from the custom properties; only an element resolves `light-dark()`. */
function resolved() {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const resolve = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const names = ["text", "muted", "line", "line-strong", "surface", "raised", "sunken", "accent"];
  const charts = ["chart-blue", "chart-orange", "chart-green", "chart-purple", "chart-gold", "chart-red", "chart-grey"];
  const found = Object.fromEntries([...names, ...charts].map((name) => [name.replace("chart-", ""), resolve(name)]));
  probe.remove();
  return found;
}
