/* Keeps what the user chose to see (axes, tab, order, filters) in the address, so that a link shows the same. */

export class UrlState {
  constructor(defaults) {
    this.defaults = defaults;
    this.values = { ...defaults };
    const given = new URLSearchParams(location.search);
    for (const name of Object.keys(defaults)) if (given.has(name)) this.values[name] = given.get(name);
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    this.values[name] = String(value ?? "");
    const query = new URLSearchParams(location.search);
    for (const [key, current] of Object.entries(this.values)) {
      if (current === this.defaults[key]) query.delete(key);
      else query.set(key, current);
    }
    history.replaceState(history.state, "", query.size ? `?${query}` : location.pathname);
  }

  /** Keeps a control and the address in step. `changed` runs after the user's choice. */
  bind(control, name, changed) {
    const box = control.type === "checkbox";
    if (box) control.checked = this.get(name) === "1";
    else control.value = this.get(name);
    control.addEventListener(control.type === "search" ? "input" : "change", () => {
      this.set(name, box ? (control.checked ? "1" : "0") : control.value);
      changed();
    });
  }
}
