/* The tabs of the search page, by mouse and arrow keys; the address names the chosen one. */

/** `opened(name)` runs whenever a tab is shown. */
export function followTabs(state, opened) {
  const tabs = [...document.querySelectorAll("[role=tab]")];

  function show(name) {
    for (const tab of tabs) {
      const chosen = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      document.getElementById(tab.dataset.tab).hidden = !chosen;
    }
    state.set("tab", name);
    opened(name);
  }

  tabs.forEach((tab, at) => {
    tab.addEventListener("click", () => show(tab.dataset.tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(at + step + tabs.length) % tabs.length];
      next.focus();
      show(next.dataset.tab);
    });
  });
  const known = tabs.some((tab) => tab.dataset.tab === state.get("tab"));
  show(known ? state.get("tab") : "candidates");
}
