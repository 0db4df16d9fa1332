/* Drawings of architectures, in the page's theme. */
import { at } from "./paths.js";
import { isDark } from "./theme.js";

/** Shows a drawing in an image, in the page's theme. `failed` runs when there is no drawing. */
export function showDrawing(image, address, failed = () => {}) {
  const url = new URL(at(address), location.href);
  const show = () => {
    url.searchParams.set("theme", isDark() ? "dark" : "light");
    image.src = url;
  };
  image.addEventListener("error", failed);
  document.addEventListener("themechange", show);
  show();
}
