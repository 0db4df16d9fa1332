/* Whether searches, trainings and measurements are active or ended; the page carries the models' lists as JSON. */
let groups = null;

function isIn(kind, group, { status }) {
  groups ??= JSON.parse(document.getElementById("status-groups").textContent);
  return groups[kind][group].includes(status);
}

/** Whether workers may still do something for the search. */
export const searchIsActive = (search) => isIn("search", "active", search);

/** Whether the search, or the study, is over; a paused search is neither active nor over. */
export const searchHasEnded = (search) => isIn("search", "ended", search);

/** Whether the training waits for a worker or runs. */
export const trainingIsActive = (training) => isIn("training", "active", training);

/** Whether the measurement waits for a worker or runs. */
export const measurementIsOpen = (measurement) => isIn("measurement", "open", measurement);

/** Whether the search finished without a network within its limits. */
export const endedWithoutResult = (search) => search.status === "finished" && !search.feasible;

/** Shows the search's status on its chip; one that finished without a result is marked. */
export function showStatus(chip, search) {
  const empty = endedWithoutResult(search);
  chip.dataset.status = empty ? "empty" : search.status;
  const text = empty ? "finished without a result" : search.status;
  if (chip.textContent !== text) chip.textContent = text;
}
