/* Files that a worker prepares on request: the page shows the progress and then downloads them. */
import { api, Problem } from "./api.js";
import { h, toast } from "./dom.js";

const PAUSE = 700; // ms between two requests

/**
 * Handles the click on a link: has the file prepared, shows the progress in `note`, and saves the file. Clicks with a
 * modifier key stay the browser's.
 */
export async function fetchPrepared(event, note, address) {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const link = event.currentTarget;
  if (link.getAttribute("aria-busy") === "true") return;
  const before = note.textContent;
  const begun = performance.now();
  link.setAttribute("aria-busy", "true");
  note.setAttribute("role", "status");
  try {
    for (;;) {
      const found = await api(address, { method: "POST" });
      if (found.status === "ready") {
        h("a", { href: found.url, download: "" }).click();
        return;
      }
      const seconds = Math.round((performance.now() - begun) / 1000);
      note.textContent =
        found.of > 1 ? `being prepared: ${found.done} of ${found.of} networks` : `being prepared, ${seconds} s`;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  } catch (error) {
    toast(error instanceof Problem ? error.message : "The server could not be reached; try again.", "bad");
  } finally {
    link.removeAttribute("aria-busy");
    note.textContent = before;
  }
}
