/* The full trainings of one candidate, on its page. */
import { api } from "../core/api.js";
import { trainingIsActive } from "../core/status.js";
import { askForTraining } from "./dialog.js";
import { follow, showRows } from "./parts.js";

const root = document.querySelector("[data-train-candidate]");
const candidate = Number(root.dataset.trainCandidate);
const rows = new Map();
let finished = null;

async function load() {
  const { results } = await api("trainings/", { params: { candidate, page_size: 100 } });
  const place = root.querySelector("[data-trainings]");
  showRows(place, rows, results, () => again());
  root.querySelector("[data-untrained]").hidden = results.length > 0;
  const done = results.filter(({ status }) => status === "finished").length;
  if (finished !== null && done !== finished) document.dispatchEvent(new CustomEvent("trained"));
  finished = done;
  return results.some(trainingIsActive);
}

const again = follow(load);
root.querySelector("[data-train]").addEventListener("click", async () => {
  if (await askForTraining("Train this network in full", { candidates: [candidate] }, "ownData" in root.dataset))
    again();
});
