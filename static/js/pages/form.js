/* The form of a search: the fields of the chosen kinds, the two tabs, and when the settings are checked again. */

const form = document.querySelector("#search-form");
const mode = form.querySelector("[name=mode]");
const tabs = [...form.querySelectorAll("[data-mode]")];
let opened = ""; // the YAML at the time when its tab was opened

/** Whether the chosen estimate needs no images; the chooser of estimates lists those that need none. */
function needsNoImages() {
  const chooser = form.querySelector("[data-kind-of=estimator]");
  return Boolean(chooser?.dataset.withoutImages.split(" ").includes(chooser.value));
}

/** Shows and sends only the options of the chosen kind. */
function follow() {
  const blind = needsNoImages();
  for (const chooser of form.querySelectorAll("[data-kind-of]")) {
    const section = chooser.dataset.kindOf;
    if (section === "dataset" && !blind && chooser.value === "") chooser.value = chooser.options[0].value;
    for (const part of form.querySelectorAll(`fieldset[data-section="${section}"]`)) {
      part.hidden = part.disabled = part.dataset.kind !== chooser.value;
    }
  }
}

function changed() {
  document.body.dispatchEvent(new CustomEvent("recheck"));
}

function show(name) {
  mode.value = name;
  for (const tab of tabs) {
    const chosen = tab.dataset.mode === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
}

/** Opens a tab. Leaving the YAML fills the fields from it; if it is faulty, its tab stays open and shows why. */
function choose(name) {
  if (name === mode.value) return;
  const text = form.querySelector("#id_yaml").value;
  if (name === "yaml") {
    opened = text;
    show("yaml");
  } else if (text === opened) show("form");
  else tabs[0].dispatchEvent(new CustomEvent("filled"));
}

tabs.forEach((tab, at) => {
  tab.addEventListener("click", () => choose(tab.dataset.mode));
  tab.addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const next = tabs[1 - at];
    next.focus();
    choose(next.dataset.mode);
  });
});

form.addEventListener("input", changed);
form.addEventListener("change", (event) => {
  if (event.target.dataset.kindOf) {
    const data = form.querySelector("[data-kind-of=dataset]");
    if (event.target.dataset.kindOf === "estimator" && needsNoImages()) data.value = "";
    follow();
  }
  changed();
});
form.addEventListener("click", (event) => {
  const { definition, set, value } = event.target.dataset;
  if (set !== undefined) {
    form.elements[set].value = value;
    changed();
    return;
  }
  if (definition === undefined) return;
  event.target.closest("fieldset").querySelector("textarea").value = definition;
  changed();
});
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.elt.id === "latency-progress") changed(); // a table was chosen, or is ready
  if (event.detail.target.id !== "fields") return;
  document.querySelector("#yaml-errors").replaceChildren();
  show("form");
  follow();
  changed();
});

follow();
show(mode.value);
form.querySelector("[aria-invalid=true]")?.focus();
