/* The dialog that asks how networks should be trained in full, and starts the trainings. */
import { api, Problem } from "../core/api.js";
import { h, toast } from "../core/dom.js";
import { plural } from "../core/format.js";

const TORCHVISION = { cifar10: "CIFAR-10", cifar100: "CIFAR-100", fashion_mnist: "Fashion-MNIST" };
const FOLDER = "folders";

/** The data that a training can use: the search's own, digits, torchvision's, uploads, a folder on the server. */
async function dataChoices(own) {
  const uploads = (await api("datasets/", { params: { page_size: 100 } })).results;
  return [
    ...(own ? [["", "the search's own"]] : []),
    ["digits", "Digits (scikit-learn)"],
    ...Object.entries(TORCHVISION).map(([name, label]) => [`torchvision ${name}`, label]),
    ...uploads.map(({ id, name }) => [`upload ${id}`, `${name} (uploaded)`]),
    [FOLDER, "Class folders on this machine"],
  ];
}

function chosenData(value, path) {
  const [kind, name] = value.split(" ");
  if (!kind) return null;
  if (kind === "torchvision") return { kind, name };
  if (kind === "upload") return { kind, id: Number(name) };
  return kind === FOLDER ? { kind, path } : { kind };
}

/**
 * Resolves to the new trainings, or to null when the user cancels. `what` is the choice of networks for the request's
 * body, and `own` says whether the search has images of its own; a search on a table has none.
 */
export async function askForTraining(title, what, own = true) {
  const [recipes, choices] = await Promise.all([api("recipes/"), dataChoices(own)]);
  const data = h(
    "select",
    { id: "train-data", name: "data" },
    ...choices.map(([value, label]) => h("option", { value }, label)),
  );
  const path = h("input", { id: "train-path", name: "path", placeholder: "/data/imagenet", autocomplete: "off" });
  const select = h(
    "select",
    { id: "train-recipe", name: "recipe" },
    ...recipes.map(({ name, label, epochs }) => h("option", { value: name }, `${label} (${plural(epochs, "epoch")})`)),
  );
  const epochs = h("input", { id: "train-epochs", name: "epochs", type: "number", min: "1", max: "1000", step: "1" });
  const about = h("p", { class: "muted small" });
  const shortened = h("p", { class: "small", role: "status" });
  const complaint = h("p", { class: "banner bad small", role: "alert", hidden: true });
  const flip = h("input", { type: "checkbox", name: "flip" });
  const crop = h("input", { type: "checkbox", name: "crop" });
  const chosen = () => recipes.find(({ name }) => name === select.value);
  const showShortened = () => {
    const recipe = chosen();
    const wanted = Number(epochs.value) || recipe.epochs;
    shortened.textContent =
      wanted < recipe.epochs
        ? `Shortened: ${wanted} of ${recipe.epochs} epochs. The page and the downloads say so.`
        : "";
  };
  const change = () => {
    const recipe = chosen();
    about.textContent = recipe.source;
    epochs.value = String(recipe.name === "quick" ? recipe.epochs : Math.min(recipe.epochs, 20));
    flip.checked = recipe.flip;
    crop.checked = recipe.crop;
    showShortened();
  };
  select.addEventListener("change", change);
  epochs.addEventListener("input", showShortened);
  change();
  const field = (label, input) => h("div", { class: "field" }, h("label", { for: input.id }, label), input);
  const folder = field("Folder with train/<class>/ and val/<class>/", path);
  const changeData = () => (folder.hidden = data.value !== FOLDER);
  data.addEventListener("change", changeData);
  changeData();
  const start = h("button", { class: "button primary", value: "yes" }, "Start training");
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "train-title" }, title),
    h(
      "p",
      { class: "muted" },
      "Validation images choose the epoch whose weights are kept. Test images are used once, at the end. " +
        "Busy workers run searches before trainings.",
    ),
    field("Data", data),
    folder,
    field("Recipe", select),
    about,
    field("Epochs", epochs),
    shortened,
    h(
      "div",
      { class: "checks" },
      h("label", { class: "check" }, flip, "Random flips (not for digits or letters)"),
      h("label", { class: "check" }, crop, "Random crops"),
    ),
    complaint,
    h("div", { class: "row" }, h("button", { class: "button", value: "", formnovalidate: "" }, "Back"), start),
  );
  const dialog = h("dialog", { class: "modal", "aria-labelledby": "train-title" }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let made = null;
    form.addEventListener("submit", async (event) => {
      if (event.submitter?.value !== "yes") return;
      event.preventDefault();
      start.disabled = true;
      const recipe = chosen();
      const body = { ...what, recipe: recipe.name, epochs: Number(epochs.value) || null };
      const dataset = chosenData(data.value, path.value.trim());
      if (dataset) body.dataset = dataset;
      if (flip.checked !== recipe.flip) body.flip = flip.checked;
      if (crop.checked !== recipe.crop) body.crop = crop.checked;
      try {
        made = await api("trainings/", { method: "POST", body });
        toast(`${plural(made.length, "network")} will be trained in full.`);
        dialog.close();
      } catch (error) {
        complaint.hidden = false;
        complaint.textContent =
          error instanceof Problem ? error.message : "The server could not be reached; nothing was started. Try again.";
        start.disabled = false;
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(made);
    });
    dialog.showModal();
  });
}
